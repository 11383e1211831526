package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

// EventList is a page of events.
type EventList struct {
	Events []webhook.Event `json:"events" nullable:"false"`
	Next   *string         `json:"next" format:"uri"`
}

// EventChange is what may be changed of an event.
type EventChange struct {
	IsDelivered *bool `json:"is_delivered" required:"false" doc:"true if left out."`

	_ struct{} `additionalProperties:"true"`
}

// Redelivered are the deliveries that were made anew.
type Redelivered struct {
	Success    bool     `json:"success"`
	Deliveries []string `json:"deliveries" nullable:"false" doc:"Uids of the new deliveries, one for each webhook."`
}

type listEventsInput struct {
	Paging
	IsDelivered Flag `query:"is_delivered" doc:"false lists what no webhook has taken."`
}

type changeEventInput struct {
	ByUID
	Body *Fields[EventChange]
}

func (a *API) registerEvents() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Events"}}
	}
	register(a, op("list-events", http.MethodGet, "/events", "List events", "Newest first: what a webhook has missed can be read here."), a.listEvents)
	register(a, op("get-event", http.MethodGet, "/events/{uid}", "Get an event", ""), a.getEvent)
	register(a, op("modify-event", http.MethodPost, "/events/{uid}", "Mark an event as delivered",
		"For events that were read instead of delivered. is_delivered false takes the mark away."), a.changeEvent)
	redeliver := op("redeliver-event", http.MethodPost, "/events/{uid}/redeliver", "Deliver an event again",
		"To each webhook that is turned on, at once, with the events that it was delivered together with.")
	redeliver.Errors = []int{http.StatusConflict}
	register(a, redeliver, a.redeliverEvent)
}

func (a *API) listEvents(ctx context.Context, in *listEventsInput) (*answer[EventList], error) {
	page, err := a.Store.ListEvents(ctx, store.EventFilter{Requester: requesterOf(ctx), Delivered: in.IsDelivered.pointer(),
		After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, listError(err, in.After)
	}
	return &answer[EventList]{EventList{converted(page.Items, webhook.EventOf), a.next(ctx, page.Next, in.Limit)}}, nil
}

func (a *API) getEvent(ctx context.Context, in *ByUID) (*answer[webhook.Event], error) {
	return eventAnswer(a.Store.Event(ctx, requesterOf(ctx), in.UID))
}

func (a *API) changeEvent(ctx context.Context, in *changeEventInput) (*answer[webhook.Event], error) {
	delivered := true
	if in.Body != nil && in.Body.Value.IsDelivered != nil {
		delivered = *in.Body.Value.IsDelivered
	}
	return eventAnswer(a.Store.MarkDelivered(ctx, requesterOf(ctx), in.UID, delivered))
}

func (a *API) redeliverEvent(ctx context.Context, in *ByUID) (*answer[Redelivered], error) {
	published, err := a.Store.RedeliverEvent(ctx, requesterOf(ctx), in.UID)
	if err != nil {
		return nil, missing("event", err)
	}
	if len(published.Deliveries) == 0 {
		return nil, fail(http.StatusConflict, "no webhook is turned on; add one with POST /webhooks")
	}
	a.Webhooks.Announce(ctx, published)
	return &answer[Redelivered]{Redelivered{true, published.Deliveries}}, nil
}

func eventAnswer(e store.Event, err error) (*answer[webhook.Event], error) {
	if err != nil {
		return nil, missing("event", err)
	}
	return &answer[webhook.Event]{webhook.EventOf(e)}, nil
}

// missing says what it was that the requester does not have.
func missing(what string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(what)
	}
	return err
}
