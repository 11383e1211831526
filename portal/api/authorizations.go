package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
)

// Authorization is a customer's consent, with what came of it.
type Authorization struct {
	UID               string              `json:"uid"`
	Created           Time                `json:"created"`
	CustomerEmail     string              `json:"customer_email"`
	CustomerSignature Optional[Signature] `json:"customer_signature"`
	Declined          Optional[Time]      `json:"declined"`
	IsDeclined        bool                `json:"is_declined"`
	Expires           string              `json:"expires" doc:"A time, or until_revoked."`
	IsExpired         bool                `json:"is_expired"`
	Exports           AuthorizationFiles  `json:"exports"`
	ExportsList       []Export            `json:"exports_list" nullable:"false"`
	FormUID           string              `json:"form_uid" doc:"The latest form that led to it."`
	TemplateUID       string              `json:"template_uid"`
	Referrals         []string            `json:"referrals" nullable:"false"`
	IsArchived        bool                `json:"is_archived"`
	IsTest            bool                `json:"is_test"`
	Notes             []Note              `json:"notes" nullable:"false"`
	Nickname          *string             `json:"nickname"`
	Revoked           Optional[Time]      `json:"revoked"`
	IsRevoked         bool                `json:"is_revoked"`
	Scope             Scope               `json:"scope"`
	Status            string              `json:"status" enum:"pending,updated,errored"`
	StatusMessage     string              `json:"status_message"`
	StatusTS          Time                `json:"status_ts"`
	UserEmail         string              `json:"user_email"`
	UserUID           string              `json:"user_uid"`
	UserStatus        string              `json:"user_status" enum:"active"`
	Utility           string              `json:"utility"`
	MFA               Optional[MFA]       `json:"mfa" doc:"Meterkey's own: what the customer is asked for now. Null once the data request has ended."`
	Meters            *MeterList          `json:"meters,omitempty" doc:"Only with include=meters; next leads to the rest."`
}

// Signature is the customer's consent.
type Signature struct {
	Type     string `json:"type" enum:"text,checkbox" doc:"text: the customer wrote their name."`
	TS       Time   `json:"ts"`
	FullName string `json:"full_name"`
}

// Note says something about an authorization or a meter. Programs branch on its type.
type Note struct {
	Type string `json:"type"`
	Msg  string `json:"msg" doc:"For people; its wording changes."`
	TS   Time   `json:"ts"`
	ETA  *Time  `json:"eta,omitempty" doc:"When something is expected (type retrying)."`
}

// AuthorizationFiles are addresses of files that are made of an authorization's meters.
type AuthorizationFiles struct {
	MetersCSV string `json:"meters_csv" format:"uri"`
	MetersXML string `json:"meters_xml" format:"uri" doc:"Green Button (ESPI) UsagePoints."`
}

// Export is the address of one file.
type Export struct {
	Name string `json:"name"`
	Link string `json:"link" format:"uri"`
}

// AuthorizationList is a page of authorizations.
type AuthorizationList struct {
	Authorizations []Authorization `json:"authorizations" nullable:"false"`
	Next           *string         `json:"next" format:"uri"`
}

// AuthorizationChange is what may be changed of an authorization. Fields that are left out stay as they are.
type AuthorizationChange struct {
	Nickname   *string `json:"nickname" required:"false" maxLength:"200" pattern:"^[^\\x00-\\x1F\\x7F]*$" patternDescription:"one line of plain text"`
	IsArchived *bool   `json:"is_archived" required:"false"`

	_ struct{} `additionalProperties:"true"`
}

// Include says what else an authorization is answered with.
type Include struct {
	What              []string `query:"include" maxItems:"10" doc:"meters adds each authorization's meters."`
	ExpandMeterBlocks []string `query:"expand_meter_blocks" maxItems:"10" doc:"Taken and without effect: the block base is always there."`
}

func (i Include) meters() bool { return slices.Contains(i.What, "meters") }

type listAuthorizationsInput struct {
	Paging
	Include
	UIDs       []string `query:"uids" maxItems:"1000" doc:"Only these."`
	Forms      []string `query:"forms" maxItems:"1000" doc:"Only those that these forms led to."`
	Templates  []string `query:"templates" maxItems:"1000"`
	Users      []string `query:"users" maxItems:"1000" doc:"Only those of these users, of which your key knows one."`
	Referrals  []string `query:"referrals" maxItems:"1000" doc:"Only those with one of these referral codes."`
	Utility    string   `query:"utility" maxLength:"100"`
	IsArchived Flag     `query:"is_archived"`
	IsDeclined Flag     `query:"is_declined"`
	IsTest     Flag     `query:"is_test"`
	IsRevoked  Flag     `query:"is_revoked"`
	IsExpired  Flag     `query:"is_expired"`
}

type getAuthorizationInput struct {
	ByUID
	Include
}

type changeAuthorizationInput struct {
	ByUID
	Body Fields[AuthorizationChange]
}

func (a *API) registerAuthorizations() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Authorizations"}}
	}
	register(a, op("list-authorizations", http.MethodGet, "/authorizations", "List authorizations", "Newest first."), a.listAuthorizations)
	register(a, op("get-authorization", http.MethodGet, "/authorizations/{uid}", "Get an authorization", ""), a.getAuthorization)
	register(a, op("modify-authorization", http.MethodPost, "/authorizations/{uid}", "Modify an authorization", ""), a.changeAuthorization)
	register(a, op("revoke-authorization", http.MethodPost, "/authorizations/{uid}/revoke", "Revoke an authorization",
		"Calls its data request off, if that is still open, and deletes its meters."), a.revoke)
	remove := op("delete-authorization", http.MethodDelete, "/authorizations/{uid}", "Delete a test authorization",
		"Real authorizations are revoked instead.")
	remove.Errors = []int{http.StatusForbidden}
	register(a, remove, a.deleteAuthorization)
	a.registerMFA()
}

func (a *API) listAuthorizations(ctx context.Context, in *listAuthorizationsInput) (*answer[AuthorizationList], error) {
	list := AuthorizationList{Authorizations: []Authorization{}}
	if excludes(in.Templates, defaultTemplate) || excludes(in.Users, requesterOf(ctx)) {
		return &answer[AuthorizationList]{list}, nil
	}
	page, err := a.Store.ListAuthorizations(ctx, store.AuthorizationFilter{Requester: requesterOf(ctx), UIDs: in.UIDs,
		Forms: in.Forms, Referrals: in.Referrals, Utility: a.utilityID(in.Utility), Archived: in.IsArchived.pointer(),
		Declined: in.IsDeclined.pointer(), Test: in.IsTest.pointer(), Revoked: in.IsRevoked.pointer(),
		Expired: in.IsExpired.pointer(), After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, listError(err, in.After)
	}
	if list.Authorizations, err = a.authorizations(ctx, page.Items, in.Include); err != nil {
		return nil, err
	}
	list.Next = a.next(ctx, page.Next, in.Limit)
	return &answer[AuthorizationList]{list}, nil
}

// excludes tells whether a filter is there and does not name the one that exists.
func excludes(filter []string, only string) bool {
	return len(filter) > 0 && !slices.Contains(filter, only)
}

// authorizations are rows in the API's shape, with where their forms stand.
func (a *API) authorizations(ctx context.Context, rows []store.Authorization, with Include) ([]Authorization, error) {
	forms, err := a.formsOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	list := make([]Authorization, len(rows))
	for i, row := range rows {
		list[i] = a.authorization(ctx, row, forms[row.FormUID])
		if with.meters() {
			if list[i].Meters, err = a.metersOf(ctx, row.UID); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// formsOf reads the latest forms of authorizations, by uid.
func (a *API) formsOf(ctx context.Context, rows []store.Authorization) (map[string]store.Request, error) {
	forms := map[string]store.Request{}
	uids := converted(rows, func(row store.Authorization) string { return row.FormUID })
	for chunk := range slices.Chunk(uids, maxLimit) {
		page, err := a.Store.ListRequests(ctx, store.RequestFilter{Requester: requesterOf(ctx), UIDs: chunk, Limit: maxLimit})
		if err != nil {
			return nil, err
		}
		for _, form := range page.Items {
			forms[form.UID] = form
		}
	}
	return forms, nil
}

func (a *API) getAuthorization(ctx context.Context, in *getAuthorizationInput) (*answer[Authorization], error) {
	row, form, err := a.authorizationAndForm(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	body := a.authorization(ctx, row, form)
	if in.meters() {
		if body.Meters, err = a.metersOf(ctx, row.UID); err != nil {
			return nil, err
		}
	}
	return &answer[Authorization]{body}, nil
}

// authorizationAndForm reads one of the caller's authorizations with its latest form as it stands now. The form is empty
// when it was deleted.
func (a *API) authorizationAndForm(ctx context.Context, uid string) (store.Authorization, store.Request, error) {
	row, err := a.Store.Authorization(ctx, requesterOf(ctx), uid)
	if errors.Is(err, store.ErrNotFound) {
		return row, store.Request{}, notFound("authorization")
	}
	if err != nil {
		return row, store.Request{}, err
	}
	form, err := a.Store.Request(ctx, requesterOf(ctx), row.FormUID)
	if errors.Is(err, store.ErrNotFound) {
		return row, store.Request{}, nil
	}
	if err != nil {
		return row, store.Request{}, err
	}
	return row, a.fresh(ctx, form), nil
}

func (a *API) changeAuthorization(ctx context.Context, in *changeAuthorizationInput) (*answer[Authorization], error) {
	_, form, err := a.authorizationAndForm(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	change := store.AuthorizationChange{Nickname: in.Body.Value.Nickname, IsArchived: in.Body.Value.IsArchived}
	row, err := a.Store.UpdateAuthorization(ctx, requesterOf(ctx), in.UID, change)
	if err != nil {
		return nil, err
	}
	return &answer[Authorization]{a.authorization(ctx, row, form)}, nil
}

func (a *API) revoke(ctx context.Context, in *ByUID) (*answer[Authorization], error) {
	_, form, err := a.authorizationAndForm(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	if live(form) {
		if form, err = a.close(ctx, form); err != nil {
			return nil, err
		}
	}
	row, published, err := a.Store.Revoke(ctx, requesterOf(ctx), in.UID)
	if err != nil {
		return nil, err
	}
	a.Webhooks.Announce(ctx, published)
	return &answer[Authorization]{a.authorization(ctx, row, form)}, nil
}

func (a *API) deleteAuthorization(ctx context.Context, in *ByUID) (*answer[Success], error) {
	row, form, err := a.authorizationAndForm(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	if !row.IsTest {
		return nil, fail(http.StatusForbidden, "only tests can be deleted; revoke the authorization instead: that deletes its meters")
	}
	if live(form) {
		if _, err = a.close(ctx, form); err != nil {
			return nil, err
		}
	}
	if err := a.Store.DeleteTest(ctx, requesterOf(ctx), in.UID); err != nil {
		return nil, err
	}
	return &answer[Success]{Success{true}}, nil
}

// authorization is a row in the API's shape. Form is its latest form.
func (a *API) authorization(ctx context.Context, row store.Authorization, form store.Request) Authorization {
	requester := callerOf(ctx).requester
	files := a.filesOf(row.UID)
	return Authorization{
		UID: row.UID, Created: Time{row.Created}, CustomerEmail: row.CustomerEmail, CustomerSignature: signature(row.Consent),
		Declined: optionalTime(row.Declined), IsDeclined: row.Declined != nil, Expires: expires(row), IsExpired: row.IsExpired,
		Exports: files, ExportsList: []Export{{"meters_csv", files.MetersCSV}, {"meters_xml", files.MetersXML}},
		FormUID: row.FormUID, TemplateUID: defaultTemplate, Referrals: referrals(row.Referral), IsArchived: row.IsArchived,
		IsTest: row.IsTest, Notes: converted(row.Notes, note), Nickname: nullable(row.Nickname),
		Revoked: optionalTime(row.Revoked), IsRevoked: row.Revoked != nil,
		Scope:  Scope{Expires: row.Scope.Expires, OngoingEnd: row.Scope.OngoingEnd},
		Status: string(cmp.Or(row.Status, store.Pending)), StatusMessage: row.StatusMessage, StatusTS: Time{row.StatusTS},
		UserEmail: requester.Email, UserUID: requester.UID, UserStatus: "active", Utility: row.Utility, MFA: a.mfa(form),
	}
}

func signature(c *store.Consent) Optional[Signature] {
	switch {
	case c == nil:
		return Optional[Signature]{}
	case c.FullName == "":
		return some(Signature{Type: "checkbox", TS: Time{c.At}})
	}
	return some(Signature{Type: "text", TS: Time{c.At}, FullName: c.FullName})
}

func expires(row store.Authorization) string {
	if row.Expires == nil {
		return untilRevoked
	}
	return row.Expires.UTC().Format(timeFormat)
}

func referrals(code string) []string {
	if code == "" {
		return []string{}
	}
	return []string{code}
}

func note(n store.Note) Note {
	out := Note{Type: n.Type, Msg: n.Msg, TS: Time{n.TS}}
	if n.ETA != nil {
		out.ETA = &Time{*n.ETA}
	}
	return out
}
