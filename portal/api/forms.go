package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/utilities"
)

// Form is a data request: what a customer is asked for, and by which link.
type Form struct {
	UID              string  `json:"uid"`
	Created          Time    `json:"created"`
	Updated          Time    `json:"updated"`
	TemplateUID      string  `json:"template_uid"`
	AuthorizationUID *string `json:"authorization_uid" doc:"The authorization that the form led to or is to renew; null before there is one."`
	IsArchived       bool    `json:"is_archived"`
	Disabled         bool    `json:"disabled" doc:"The form is closed: its link says that the request was called off."`
	UserEmail        string  `json:"user_email"`
	UserUID          string  `json:"user_uid"`
	URL              string  `json:"url" doc:"The customer's page. Empty for the moment in which no worker has taken the form up yet."`
	CustomerEmail    string  `json:"customer_email" doc:"Where notices to the customer go; empty for none."`
	Utility          string  `json:"utility" doc:"Id of the utility; empty lets the customer choose."`
	Scope            Scope   `json:"scope"`
	CustomerName     string  `json:"customer_name" doc:"Meterkey's own."`
	Nickname         string  `json:"nickname" doc:"Meterkey's own: your name for the form."`
	IsTest           bool    `json:"is_test" doc:"Meterkey's own: the form runs at a practice utility."`
	Status           string  `json:"status" doc:"Meterkey's own: where the data request stands." enum:",awaiting_login,signing_in,awaiting_choice,awaiting_code,submitting_code,awaiting_mfa_off,fetching_meters,connected,declined,canceled,expired,failed"`
	Reason           string  `json:"reason" doc:"Meterkey's own: why the customer was sent back, or why it failed."`
}

// Scope bounds what the customer is asked for.
type Scope struct {
	Expires    string `json:"expires,omitempty" doc:"When the authorization ends: an ISO 8601 time, or until_revoked."`
	OngoingEnd string `json:"ongoing_end,omitempty" format:"date-time" doc:"Kept for you; Meterkey reads the meter list once."`
}

// FormList is a page of forms.
type FormList struct {
	Forms []Form  `json:"forms" nullable:"false"`
	Next  *string `json:"next" format:"uri"`
}

// NewForm is what a form may be created with. All of it is optional.
type NewForm struct {
	TemplateUID      *string `json:"template_uid" required:"false" maxLength:"64" doc:"default is the only one."`
	AuthorizationUID *string `json:"authorization_uid" required:"false" maxLength:"64" doc:"Ask the customer of this authorization again. If its form is still open, it is sent again and answered with, under a new link."`
	CustomerEmail    *string `json:"customer_email" required:"false" maxLength:"254" doc:"Where the sign-in link and later notices are sent. Without it Meterkey writes to nobody: pass the url on yourself."`
	CustomerName     *string `json:"customer_name" required:"false" maxLength:"200" pattern:"^[^\\x00-\\x1F\\x7F]*$" patternDescription:"one line of plain text"`
	Nickname         *string `json:"nickname" required:"false" maxLength:"200" pattern:"^[^\\x00-\\x1F\\x7F]*$" patternDescription:"one line of plain text" doc:"Your own name for the form."`
	Utility          *string `json:"utility" required:"false" maxLength:"100" doc:"Id, name or another name of the customer's utility. Without it the customer chooses."`
	Scope            *Scope  `json:"scope" required:"false"`

	_ struct{} `additionalProperties:"true"`
}

// FormChange is what may be changed of a form. Fields that are left out stay as they are.
type FormChange struct {
	Disabled      *bool   `json:"disabled" required:"false" doc:"true calls the request off; false sends it to the customer again, under a new link."`
	IsArchived    *bool   `json:"is_archived" required:"false"`
	Nickname      *string `json:"nickname" required:"false" maxLength:"200" pattern:"^[^\\x00-\\x1F\\x7F]*$" patternDescription:"one line of plain text"`
	CustomerEmail *string `json:"customer_email" required:"false" maxLength:"254" doc:"Only while the form is closed."`
	CustomerName  *string `json:"customer_name" required:"false" maxLength:"200" pattern:"^[^\\x00-\\x1F\\x7F]*$" patternDescription:"one line of plain text"`
	Utility       *string `json:"utility" required:"false" maxLength:"100" doc:"Only while the form is closed."`

	_ struct{} `additionalProperties:"true"`
}

type listFormsInput struct {
	Paging
	UIDs       []string `query:"uids" maxItems:"1000" doc:"Only these."`
	Templates  []string `query:"templates" maxItems:"1000" doc:"Only forms of these templates."`
	Utility    string   `query:"utility" maxLength:"100" doc:"Only forms at this utility."`
	Statuses   []string `query:"statuses" maxItems:"20" doc:"Only forms at these statuses."`
	IsArchived Flag     `query:"is_archived"`
	IsTest     Flag     `query:"is_test"`
}

type createFormInput struct {
	Body *Fields[NewForm]
}

type changeFormInput struct {
	ByUID
	Body Fields[FormChange]
}

func (a *API) registerForms() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Forms"}}
	}
	register(a, op("list-forms", http.MethodGet, "/forms", "List forms", "Newest first."), a.listForms)
	register(a, a.once(op("create-form", http.MethodPost, "/forms", "Create a form",
		"Starts a data request and sends the customer its link, if customer_email is given.")), a.createForm)
	register(a, op("get-form", http.MethodGet, "/forms/{uid}", "Get a form", ""), a.getForm)
	register(a, conflicting(op("modify-form", http.MethodPost, "/forms/{uid}", "Modify a form", "")), a.changeForm)
	register(a, op("delete-form", http.MethodDelete, "/forms/{uid}", "Delete a form",
		"Calls the request off, if it is still open, and forgets it. Its authorization stays."), a.deleteForm)
}

func (a *API) listForms(ctx context.Context, in *listFormsInput) (*answer[FormList], error) {
	list := FormList{Forms: []Form{}}
	if len(in.Templates) > 0 && !slices.Contains(in.Templates, defaultTemplate) {
		return &answer[FormList]{list}, nil
	}
	page, err := a.Store.ListRequests(ctx, store.RequestFilter{Requester: requesterOf(ctx), UIDs: in.UIDs,
		Utility: a.utilityID(in.Utility), Statuses: converted(in.Statuses, func(s string) meterkey.Status { return meterkey.Status(s) }),
		Archived: in.IsArchived.pointer(), Test: in.IsTest.pointer(), After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, listError(err, in.After)
	}
	list.Forms = converted(page.Items, func(r store.Request) Form { return a.form(ctx, r) })
	list.Next = a.next(ctx, page.Next, in.Limit)
	return &answer[FormList]{list}, nil
}

func (a *API) getForm(ctx context.Context, in *ByUID) (*answer[Form], error) {
	row, err := a.request(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	if !begun(row) && !row.Disabled {
		if err := a.start(ctx, row); err != nil {
			return nil, err
		}
	}
	return &answer[Form]{a.form(ctx, a.fresh(ctx, row))}, nil
}

func (a *API) changeForm(ctx context.Context, in *changeFormInput) (*answer[Form], error) {
	row, err := a.request(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	row = a.fresh(ctx, row)
	change, err := a.formChange(in.Body.Value, row)
	if err != nil {
		return nil, err
	}
	disabled := in.Body.Value.Disabled
	opens := disabled != nil && !*disabled && row.Disabled
	if opens {
		change.Disabled = nil // it stays closed until it is sent, so that a call that failed can be repeated
	}
	if row, err = a.update(ctx, row, change); err != nil {
		return nil, err
	}
	switch {
	case opens:
		row, err = a.open(ctx, row)
	case disabled != nil && *disabled:
		row, err = a.close(ctx, row)
	}
	if err != nil {
		return nil, err
	}
	return &answer[Form]{a.form(ctx, row)}, nil
}

// formChange is the change for the store. What the running request was started with cannot be changed under it.
func (a *API) formChange(c FormChange, row store.Request) (store.RequestChange, error) {
	change := store.RequestChange{Nickname: c.Nickname, CustomerName: c.CustomerName, IsArchived: c.IsArchived, Disabled: c.Disabled}
	if c.CustomerEmail != nil {
		email := strings.TrimSpace(*c.CustomerEmail)
		if err := checkEmail(email); err != nil {
			return change, err
		}
		change.CustomerEmail = &email
	}
	if c.Utility != nil {
		utility, err := a.knownUtility(*c.Utility)
		if err != nil {
			return change, err
		}
		change.Utility, change.IsTest = &utility, testAt(utility, row)
	}
	for _, field := range []struct {
		name    string
		changes bool
	}{
		{"customer_email", change.CustomerEmail != nil && *change.CustomerEmail != row.CustomerEmail},
		{"utility", change.Utility != nil && *change.Utility != row.Utility},
	} {
		if field.changes && live(row) {
			return change, fail(http.StatusConflict, "%s: the form is open; set disabled to true first, change it, then set disabled to false", field.name)
		}
	}
	return change, nil
}

// testAt tells whether a form is a test once it is for this utility. One that was a test only because of its utility
// becomes real with a real one: else the customer's login would be typed into a practice site.
func testAt(utility string, row store.Request) *bool {
	isTest := utility == utilities.Demo || row.IsTest && row.Utility != utilities.Demo
	return &isTest
}

// update changes what the requester owns, and keeps what is known of the workflow since the row was written.
func (a *API) update(ctx context.Context, known store.Request, change store.RequestChange) (store.Request, error) {
	row, err := a.Store.UpdateRequest(ctx, known.RequesterUID, known.UID, change)
	return row.WithState(known.State()), err
}

// open sends a closed form to the customer again.
func (a *API) open(ctx context.Context, row store.Request) (store.Request, error) {
	row, err := a.resend(ctx, row)
	if err != nil {
		return row, err
	}
	disabled := false
	return a.update(ctx, row, store.RequestChange{Disabled: &disabled})
}

// close calls a form off and waits until that is done. Closing it again changes nothing.
func (a *API) close(ctx context.Context, row store.Request) (store.Request, error) {
	if err := a.cancel(ctx, row.UID); err != nil {
		return row, err
	}
	return a.settled(ctx, row, func(s meterkey.State) bool { return s.Status.Terminal() }), nil
}

func (a *API) deleteForm(ctx context.Context, in *ByUID) (*answer[Success], error) {
	row, err := a.request(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	if err := a.cancel(ctx, row.UID); err != nil {
		return nil, err
	}
	if err := a.Store.DeleteRequest(ctx, requesterOf(ctx), row.UID); err != nil {
		return nil, err
	}
	return &answer[Success]{Success{true}}, nil
}

// request reads one of the caller's requests.
func (a *API) request(ctx context.Context, uid string) (store.Request, error) {
	row, err := a.Store.Request(ctx, requesterOf(ctx), uid)
	if errors.Is(err, store.ErrNotFound) {
		return row, notFound("form")
	}
	return row, err
}

// form is a request in the API's shape.
func (a *API) form(ctx context.Context, r store.Request) Form {
	requester := callerOf(ctx).requester
	return Form{UID: r.UID, Created: Time{r.Created}, Updated: Time{r.Updated}, TemplateUID: defaultTemplate,
		AuthorizationUID: nullable(r.AuthorizationUID), IsArchived: r.IsArchived, Disabled: r.Disabled,
		UserEmail: requester.Email, UserUID: requester.UID, URL: a.customersPage(r.UID, r.LinkedAt),
		CustomerEmail: r.CustomerEmail, Utility: r.Utility, Scope: Scope{Expires: r.Scope.Expires, OngoingEnd: r.Scope.OngoingEnd},
		CustomerName: r.CustomerName, Nickname: r.Nickname, IsTest: r.IsTest, Status: string(r.Status), Reason: string(r.Reason)}
}

// customersPage is the address of the customer's page, empty before the workflow said since when the link counts.
func (a *API) customersPage(uid string, linkedAt time.Time) string {
	if linkedAt.IsZero() {
		return ""
	}
	return a.Key.Link(a.PortalURL, uid, linkedAt)
}

// nullable is null for an empty text.
func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
