package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/requests"
)

// action is something that a requester's people can do with a request, after being asked whether they mean it.
type action struct {
	Name, Label string
	Look        string // the button's class
	heading     string
	text        string
	done        string // see doneText
	fits        func(r store.Request, revoked bool) bool
	run         func(h *dashboard, ctx context.Context, p person, r store.Request) error
}

func actions() []action {
	return []action{
		{Name: "resend", Label: "Resend", heading: "Send the request to the customer again?", done: "resent",
			text: "The customer gets a new e-mail with a new link, and seven more days. The old link stops working.",
			fits: func(r store.Request, _ bool) bool { return isStarted(r) && !atWork(r.Status) || stranded(r) },
			run:  (*dashboard).resend},
		{Name: "cancel", Label: "Cancel", Look: "plain", heading: "Call the request off?", done: "canceled",
			text: "The customer is told that there is nothing more to do. A sign-in that is under way is ended.",
			fits: func(r store.Request, _ bool) bool { return isStarted(r) && !r.Status.Terminal() },
			run:  (*dashboard).cancel},
		{Name: "revoke", Label: "Revoke", Look: "plain", heading: "Revoke the permission?", done: "revoked",
			text: "The meters are deleted, here and in the API. This cannot be undone; the customer can only be asked anew.",
			fits: func(r store.Request, revoked bool) bool {
				return r.Status == meterkey.Connected && r.AuthorizationUID != "" && !revoked
			},
			run: (*dashboard).revoke},
		{Name: "archive", Label: "Archive", Look: "plain", heading: "Archive the request?", done: "archived",
			text: "It leaves the list and the counts, nothing else changes. The list’s filter Archived shows it.",
			fits: func(r store.Request, _ bool) bool { return !r.IsArchived },
			run:  archive(true)},
		{Name: "unarchive", Label: "Take out of the archive", Look: "plain", heading: "Put the request back into the list?", done: "unarchived",
			text: "It is listed and counted again.",
			fits: func(r store.Request, _ bool) bool { return r.IsArchived },
			run:  archive(false)},
	}
}

// atWork tells whether the utility's site is being worked with: a request that is sent again then would be lost in the
// middle of it.
func atWork(s meterkey.Status) bool { return !s.Terminal() && s.WaitingOn() == meterkey.Utility }

// isStarted tells whether the request's workflow has been heard of.
func isStarted(r store.Request) bool { return !r.LinkedAt.IsZero() }

// stranded tells whether a request was stored but, it seems, never started: sending it again starts it.
func stranded(r store.Request) bool { return !isStarted(r) && time.Since(r.Created) > time.Minute }

func actionsFor(r store.Request, revoked bool) []action {
	var fitting []action
	for _, a := range actions() {
		if !a.fits(r, revoked) {
			continue
		}
		if r.Status == meterkey.Connected {
			a.Look = "plain" // nothing needs to be done
		}
		fitting = append(fitting, a)
	}
	return fitting
}

func (h *dashboard) resend(ctx context.Context, p person, r store.Request) error {
	return temporalError(h.Requests.Resend(ctx, requests.WorkflowInput(p.requester, r)))
}

func (h *dashboard) cancel(ctx context.Context, _ person, r store.Request) error {
	return temporalError(h.Requests.Cancel(ctx, r.UID))
}

func (h *dashboard) revoke(ctx context.Context, p person, r store.Request) error {
	_, news, err := h.Store.Revoke(ctx, p.requester.UID, r.AuthorizationUID)
	if err == nil {
		h.Webhooks.Deliver(ctx, news.Deliveries...)
	}
	return err
}

func archive(archived bool) func(*dashboard, context.Context, person, store.Request) error {
	return func(h *dashboard, ctx context.Context, p person, r store.Request) error {
		_, err := h.Store.UpdateRequest(ctx, p.requester.UID, r.UID, store.RequestChange{IsArchived: &archived})
		return err
	}
}

// fitting finds the request and the action that an address names. store.ErrNotFound also when the request has moved on
// so that the action fits no more.
func (h *dashboard) fitting(r *http.Request, p person) (store.Request, action, error) {
	request, err := h.Store.Request(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return request, action{}, err
	}
	revoked := false
	if request.AuthorizationUID != "" {
		authorization, err := h.Store.Authorization(r.Context(), p.requester.UID, request.AuthorizationUID)
		if err != nil {
			return request, action{}, err
		}
		revoked = authorization.Revoked != nil
	}
	for _, a := range actionsFor(request, revoked) {
		if a.Name == r.PathValue("action") {
			return request, a, nil
		}
	}
	return request, action{}, store.ErrNotFound
}

// confirmPage asks whether something is meant.
type confirmPage struct {
	Heading, Text, Label string
	Action, Back         string
	Danger               bool
}

func (h *dashboard) confirmAction(w http.ResponseWriter, r *http.Request, p person) error {
	request, a, err := h.fitting(r, p)
	if err != nil {
		return err
	}
	address := listPath + "/" + request.UID
	return h.write(w, r, &p, page{name: "confirm", title: a.heading, body: confirmPage{Heading: a.heading,
		Text: h.row(request).Title + ": " + a.text, Label: a.Label, Action: address + "/" + a.Name, Back: address,
		Danger: a.Name == "revoke" || a.Name == "cancel"}})
}

func (h *dashboard) act(w http.ResponseWriter, r *http.Request, p person) error {
	request, a, err := h.fitting(r, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), temporalTimeout)
	defer cancel()
	if err := a.run(h, ctx, p, request); err != nil {
		return err
	}
	done(w, r, listPath+"/"+request.UID, a.done)
	return nil
}
