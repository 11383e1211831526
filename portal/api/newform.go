package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/utilities"
)

// createForm stores the request first and starts its workflow then. Whatever happens between the two, repeating the
// call with its key, or getting the form, ends with one request that is sent once: the key decides on the uid, and
// starting what runs is no error.
func (a *API) createForm(ctx context.Context, in *createFormInput) (*answer[Form], error) {
	var fields NewForm
	if in.Body != nil {
		fields = in.Body.Value
	}
	row, err := a.newRequest(ctx, fields)
	if err != nil {
		return nil, err
	}
	if row.AuthorizationUID != "" {
		var open bool
		if row, open, err = a.reauthorization(ctx, row); err != nil {
			return nil, err
		}
		if open {
			row, err = a.resend(ctx, row)
			return &answer[Form]{a.form(ctx, row)}, err
		}
	}
	if row, err = a.store(ctx, row); err != nil {
		return nil, err
	}
	if err := a.start(ctx, row); err != nil {
		return nil, err
	}
	row = a.settled(ctx, row, func(s meterkey.State) bool { return !s.LinkedAt.IsZero() })
	return &answer[Form]{a.form(ctx, row)}, nil
}

// newRequest is the request that the fields ask for, checked, without a uid.
func (a *API) newRequest(ctx context.Context, f NewForm) (store.Request, error) {
	row := store.Request{RequesterUID: requesterOf(ctx), TemplateUID: defaultTemplate, AuthorizationUID: text(f.AuthorizationUID),
		CustomerEmail: strings.TrimSpace(text(f.CustomerEmail)), CustomerName: text(f.CustomerName), Nickname: text(f.Nickname)}
	if template := text(f.TemplateUID); template != "" && template != defaultTemplate {
		return row, wrongField("template_uid", "there is no such template; leave it out, or say %s", defaultTemplate)
	}
	if err := checkEmail(row.CustomerEmail); err != nil {
		return row, err
	}
	var err error
	if row.Utility, err = a.knownUtility(text(f.Utility)); err != nil {
		return row, err
	}
	row.IsTest = row.Utility == utilities.Demo
	if f.Scope != nil {
		row.Scope, err = checkedScope(*f.Scope)
	}
	return row, err
}

// reauthorization completes a request that is to renew an authorization: the authorization's own form while that is
// open, else a new one for the same customer at the same utility.
func (a *API) reauthorization(ctx context.Context, row store.Request) (_ store.Request, open bool, err error) {
	authorization, err := a.Store.Authorization(ctx, row.RequesterUID, row.AuthorizationUID)
	if errors.Is(err, store.ErrNotFound) {
		return row, false, wrongField("authorization_uid", "there is no such authorization")
	}
	if err != nil {
		return row, false, err
	}
	if row.Utility != "" && row.Utility != authorization.Utility {
		return row, false, wrongField("utility", "the authorization is for %s; leave it out, or ask for a new authorization", authorization.Utility)
	}
	latest, err := a.Store.Request(ctx, row.RequesterUID, authorization.FormUID)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a form may have been deleted
		return row, false, err
	}
	if latest = a.fresh(ctx, latest); !live(latest) {
		row.CustomerEmail = cmp.Or(row.CustomerEmail, authorization.CustomerEmail)
		row.Utility, row.IsTest = authorization.Utility, authorization.IsTest
		return row, false, nil
	}
	if row.CustomerEmail != "" && row.CustomerEmail != latest.CustomerEmail {
		return row, false, wrongField("customer_email", "the authorization's form %s is still open for another address; disable it first", latest.UID)
	}
	latest.AuthorizationUID = authorization.UID
	return latest, true, nil
}

// store creates the request's row, or finds the one that an earlier call with the same key created.
func (a *API) store(ctx context.Context, row store.Request) (store.Request, error) {
	key := idempotencyKeyOf(ctx)
	row.UID = uidFor(row.RequesterUID, key)
	created, published, err := a.Store.CreateRequest(ctx, row)
	if key != "" && errors.Is(err, store.ErrConflict) {
		return a.stored(ctx, row)
	}
	if err != nil {
		return row, err
	}
	a.Webhooks.Announce(ctx, published)
	return created, nil
}

// stored is the request of an earlier call with the same key, if it is what is asked for now.
func (a *API) stored(ctx context.Context, row store.Request) (store.Request, error) {
	earlier, err := a.Store.Request(ctx, row.RequesterUID, row.UID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !sameForm(earlier, row) {
		return row, fail(http.StatusUnprocessableEntity, "%s: this key was used for another form; take a new key for each form", idempotencyHeader)
	}
	return earlier, err
}

// sameForm tells whether an earlier form is what b asks for.
func sameForm(a, b store.Request) bool {
	return a.CustomerEmail == b.CustomerEmail && a.CustomerName == b.CustomerName && a.Nickname == b.Nickname &&
		a.Utility == b.Utility && a.Scope == b.Scope &&
		(b.AuthorizationUID == "" || a.AuthorizationUID == b.AuthorizationUID) // a has one once its customer signed in
}

// uidFor is the uid of what a create with this key makes, a random one without a key.
func uidFor(requester, key string) string {
	if key == "" {
		return store.NewUID()
	}
	sum := sha256.Sum256([]byte(requester + "\x00" + key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// knownUtility is the id of the utility with this id, name or other name; "" stays "".
func (a *API) knownUtility(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", nil
	}
	utility, err := a.Utilities.Find(name)
	if err != nil {
		return "", wrongField("utility", "%s", err)
	}
	return utility.ID, nil
}

// utilityID is the id to filter lists by. A name that nobody knows is taken as it is: lists may hold utilities that are
// no longer known.
func (a *API) utilityID(name string) string {
	if utility, err := a.Utilities.Find(name); name != "" && err == nil {
		return utility.ID
	}
	return name
}

// checkEmail holds an address to what the workflow takes. An empty one is none.
func checkEmail(address string) error {
	r := meterkey.Request{RequestID: "r", Requester: "r", CustomerEmail: address}
	if r.Validate() != nil {
		return wrongField("customer_email", "is not an e-mail address")
	}
	return nil
}

// untilRevoked is the one preset for the end of an authorization.
const untilRevoked = "until_revoked"

func checkedScope(s Scope) (store.Scope, error) {
	if _, err := timeIn("scope.ongoing_end", s.OngoingEnd); err != nil {
		return store.Scope{}, err
	}
	if s.Expires != untilRevoked {
		at, err := timeIn("scope.expires", s.Expires)
		if err != nil {
			return store.Scope{}, err
		}
		if s.Expires != "" && at.Before(time.Now()) {
			return store.Scope{}, wrongField("scope.expires", "is in the past: the authorization would end before it begins")
		}
	}
	return store.Scope{Expires: s.Expires, OngoingEnd: s.OngoingEnd}, nil
}

// timeIn reads the time in a field; an empty one is none. Years beyond 9999 have no place in RFC 3339, in UTC either.
func timeIn(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil || at.UTC().Year() > 9999 {
		return time.Time{}, wrongField(field, "is not a time such as 2027-01-31T00:00:00+00:00")
	}
	return at, nil
}

// text is what a field that may be left out or null says.
func text(field *string) string {
	if field == nil {
		return ""
	}
	return *field
}
