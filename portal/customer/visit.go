package customer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

const (
	// askLimit bounds asking the workflow where it stands; after that the store has to do.
	askLimit = 3 * time.Second
	// signalLimit bounds sending what the customer typed.
	signalLimit = 10 * time.Second
	// settleLimit bounds waiting until the workflow has taken what the customer sent.
	settleLimit = 3 * time.Second
)

// errReplaced tells that a newer link was sent.
var errReplaced = errors.New("a newer link was sent")

// errClosed tells that the requester has closed the request.
var errClosed = errors.New("the requester closed the request")

// visit is one HTTP request by a customer with a genuine link.
type visit struct {
	*Handler
	w http.ResponseWriter
	r *http.Request
	// token is the link's, and linkedAt when it was sent.
	token    string
	linkedAt time.Time
	request  store.Request
	sight    sight
}

// visited lets a handler act on a genuine link that counts still, and shows a page about what is wrong otherwise.
func (h *Handler) visited(act func(*visit) error) http.Handler {
	return h.linked(act, (*visit).fail)
}

// linked lets a handler act on a genuine link that counts still, and another one fail otherwise.
func (h *Handler) linked(act func(*visit) error, fail func(*visit, string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		v := &visit{Handler: h, w: w, r: r, token: r.PathValue("token")}
		v.sight = sight{speech: h.words.forRequest(r), Base: Prefix + v.token, Live: true}
		id, linkedAt, ok := h.Key.ReadLinkToken(v.token)
		if !ok {
			h.missing(w, r)
			return
		}
		v.linkedAt = linkedAt
		err := v.look(r.Context(), id)
		if err == nil {
			err = act(v)
		}
		if err != nil {
			fail(v, id, err)
		}
	})
}

// fail shows what went wrong.
func (v *visit) fail(id string, err error) {
	say := v.sight.speech
	switch dead := deadLink(err); {
	case v.r.Context().Err() != nil: // the customer has gone, so nobody is to be told
	case errors.Is(err, store.ErrNotFound), errors.Is(err, sdk.ErrNotFound):
		v.missing(v.w, v.r)
	case dead != "":
		v.problem(v.w, http.StatusGone, say, dead, "", "Requester", v.sight.Requester)
	default:
		v.Log.Error("customer's page", zap.String("request_id", id), zap.Error(err))
		v.problem(v.w, http.StatusInternalServerError, say, "trouble", v.sight.Base)
	}
}

// deadLink names the messages for a genuine link that counts no more; "" if that is not the error.
func deadLink(err error) string {
	switch {
	case errors.Is(err, errReplaced):
		return "replaced"
	case errors.Is(err, errClosed):
		return "closed"
	}
	return ""
}

// look gathers all that is known of the request.
func (v *visit) look(ctx context.Context, id string) error {
	if err := v.readRequest(ctx, id); err != nil {
		return err
	}
	state, behind, err := v.askState(ctx)
	if err != nil {
		return err
	}
	if err := v.see(ctx, state); err != nil {
		return err
	}
	v.sight.Behind = behind
	return nil
}

func (v *visit) readRequest(ctx context.Context, id string) error {
	var err error
	if v.request, err = v.Store.RequestByID(ctx, id); err != nil {
		return err
	}
	requester, err := v.Store.Requester(ctx, v.request.RequesterUID)
	if err != nil {
		return err
	}
	v.sight.Requester = requester.UID
	if requester.Name != "" {
		v.sight.Requester = requester.Name
	}
	if v.request.Disabled {
		return errClosed
	}
	return nil
}

// askState asks the workflow where it stands. When no worker answers, or Temporal keeps the request no longer, it is what
// the store has; behind tells the first.
func (v *visit) askState(ctx context.Context) (s meterkey.State, behind bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	s, err = v.Requests.State(bounded, v.request.UID)
	switch {
	case err == nil || ctx.Err() != nil:
		return s, false, err
	case v.request.Status == "":
		return s, false, fmt.Errorf("nothing is stored yet: %w", err)
	}
	s, stored := v.storedState(ctx)
	return s, !errors.Is(err, sdk.ErrNotFound), stored
}

// storedState is the state as it was projected last.
func (v *visit) storedState(ctx context.Context) (meterkey.State, error) {
	q := v.request
	s := meterkey.State{RequestID: q.UID, Requester: q.RequesterUID, Utility: q.ChosenUtility, Status: q.Status, Reason: q.Reason,
		WaitingOn: q.WaitingOn, Since: q.Since, Until: q.Until, Message: q.Message, Challenge: q.Challenge, Timeline: q.Timeline,
		Revision: q.Version, LinkedAt: q.LinkedAt}
	if q.Status != meterkey.Connected || q.AuthorizationUID == "" {
		return s, nil
	}
	meters, err := v.Store.AllMeters(ctx, q.RequesterUID, q.AuthorizationUID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, err
	}
	for _, m := range meters {
		s.Meters = append(s.Meters, meterkey.Meter{ServiceAddress: m.ServiceAddress})
	}
	return s, nil
}

// see makes the sight of this state. errReplaced when the visit's link counts no more.
func (v *visit) see(ctx context.Context, state meterkey.State) error {
	if !state.LinkedAt.Equal(v.linkedAt) {
		return errReplaced
	}
	s, q := &v.sight, v.r.URL.Query()
	s.Now, s.State, s.MeterCount = time.Now(), state, len(state.Meters)
	s.Named = v.request.Utility != ""
	s.Expires = expires(v.request.Scope)
	s.Site = v.site(q.Get("utility"))
	s.Consented = s.Site != nil && v.consented(s.Site.ID)
	s.Choosing = !s.Named && (q.Has("choose") || q.Has("q"))
	s.Query = q.Get("q")
	s.Found = search(choices(v.Utilities, v.request.IsTest), v.Utilities, s.Query)
	s.Sent = q.Get("sent") == s.version()
	return ctx.Err()
}

// consented tells whether the customer agreed to this utility, in the words of today, under the link of this visit: whoever
// declined, or was asked again, agrees anew.
func (v *visit) consented(utility string) bool {
	c := v.request.Consent
	return c != nil && c.Text == consentTo(utility) && c.LinkedAt.Equal(v.linkedAt)
}

// site is the utility that the requester named, or else the one that the customer chose: in this page's address, or when
// signing in before.
func (v *visit) site(chosen string) *utilities.Utility {
	if v.sight.Named {
		return v.named(v.request.Utility)
	}
	offered := choices(v.Utilities, v.request.IsTest)
	for _, id := range []string{chosen, v.sight.State.Utility} {
		for _, u := range offered {
			if u.ID == id {
				return u
			}
		}
	}
	return nil
}

// named finds a utility; of one that nobody knows, the request knows the name at least, and will end with the reason.
func (v *visit) named(id string) *utilities.Utility {
	u, err := v.Utilities.Find(id)
	if err != nil {
		return &utilities.Utility{ID: id, Name: id}
	}
	return u
}

func expires(scope store.Scope) *time.Time {
	t, err := time.Parse(time.RFC3339, scope.Expires)
	if err != nil {
		return nil // a preset: until it is withdrawn
	}
	return &t
}

// write answers with the page of the visit's sight.
func (v *visit) write(status int) error {
	name, page, err := v.sight.draw()
	if err != nil {
		return err
	}
	return v.pages.Write(v.w, status, name, page)
}

// wrong shows the page again, with what is wrong with each field that was not filled in well.
func (v *visit) wrong(fields map[string]string) error {
	v.sight.Wrong = fields
	return v.write(http.StatusUnprocessableEntity)
}

// back leads to the present page by a new request, so that loading it again sends nothing.
func (v *visit) back() error {
	http.Redirect(v.w, v.r, v.sight.Address(""), http.StatusSeeOther)
	return nil
}
