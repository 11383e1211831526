package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

// Webhook is an address that events are posted to.
type Webhook struct {
	UID     string `json:"uid"`
	URL     string `json:"url" format:"uri"`
	Enabled bool   `json:"enabled" doc:"Only webhooks that are enabled get events; a ping goes to any."`
	Created Time   `json:"created"`
	// Secret is shown when it is made or set, never again.
	Secret string `json:"secret,omitempty" doc:"What deliveries are signed with. It is shown once: when the webhook is created, or its secret set."`
}

// WebhookList is the list of a requester's webhooks.
type WebhookList struct {
	Webhooks []Webhook `json:"webhooks" nullable:"false"`
	Next     *string   `json:"next" format:"uri"`
}

// NewWebhook is what a webhook is created with.
type NewWebhook struct {
	URL     string  `json:"url" minLength:"1" maxLength:"2000" doc:"Begins with https:// or http://. Private and loopback addresses are refused, unless the operator allows them."`
	Secret  *string `json:"secret" required:"false" maxLength:"200" doc:"16 to 200 visible ASCII characters; one is made if left out."`
	Enabled *bool   `json:"enabled" required:"false" doc:"true if left out."`

	_ struct{} `additionalProperties:"true"`
}

// WebhookChange is what may be changed of a webhook. Fields that are left out stay as they are.
type WebhookChange struct {
	URL     *string `json:"url" required:"false" maxLength:"2000"`
	Secret  *string `json:"secret" required:"false" maxLength:"200" doc:"A new secret; an empty text has one made. Deliveries are signed with it from now on."`
	Enabled *bool   `json:"enabled" required:"false"`

	_ struct{} `additionalProperties:"true"`
}

// Delivery is one body that is posted to one webhook.
type Delivery struct {
	UID        string         `json:"uid"`
	WebhookUID string         `json:"webhook_uid"`
	Status     string         `json:"status" enum:"pending,delivered,failed"`
	EventCount int            `json:"event_count" doc:"How many events it carries, at most 1,000."`
	Attempts   int            `json:"attempts" doc:"How often it was posted."`
	LastStatus *int           `json:"last_status" doc:"The HTTP status of the last answer, null without one."`
	LastError  string         `json:"last_error" doc:"What went wrong last, for people."`
	Created    Time           `json:"created"`
	Finished   Optional[Time] `json:"finished" doc:"When it was delivered or given up; null while it is tried."`
}

// DeliveryList are a webhook's latest deliveries.
type DeliveryList struct {
	Deliveries []Delivery `json:"deliveries" nullable:"false"`
	Next       *string    `json:"next" format:"uri"`
}

type createWebhookInput struct{ Body Fields[NewWebhook] }

type changeWebhookInput struct {
	ByUID
	Body Fields[WebhookChange]
}

type listDeliveriesInput struct {
	ByUID
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most, the newest ones."`
}

func (a *API) registerWebhooks() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"Webhooks"}}
	}
	register(a, op("list-webhooks", http.MethodGet, "/webhooks", "List webhooks", "All of them, newest first."), a.listWebhooks)
	register(a, op("create-webhook", http.MethodPost, "/webhooks", "Create a webhook", "The answer shows its secret, for the only time."), a.createWebhook)
	register(a, op("get-webhook", http.MethodGet, "/webhooks/{uid}", "Get a webhook", ""), a.getWebhook)
	register(a, op("modify-webhook", http.MethodPost, "/webhooks/{uid}", "Modify a webhook", ""), a.changeWebhook)
	register(a, op("delete-webhook", http.MethodDelete, "/webhooks/{uid}", "Delete a webhook", "Its deliveries are deleted with it; events stay."), a.deleteWebhook)
	register(a, op("ping-webhook", http.MethodPost, "/webhooks/{uid}/ping", "Send a ping", "An event of the type ping, to try the receiver."), a.pingWebhook)
	register(a, op("list-deliveries", http.MethodGet, "/webhooks/{uid}/deliveries", "List a webhook's deliveries", "Newest first."), a.listDeliveries)
	register(a, op("redeliver", http.MethodPost, "/deliveries/{uid}/redeliver", "Deliver again",
		"At once, as a new delivery of the same events to the same webhook. One that is still being tried ends."), a.redeliver)
}

func (a *API) listWebhooks(ctx context.Context, _ *struct{}) (*answer[WebhookList], error) {
	all, err := a.Store.Webhooks(ctx, requesterOf(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[WebhookList]{WebhookList{Webhooks: converted(all, webhookShown)}}, nil
}

func (a *API) createWebhook(ctx context.Context, in *createWebhookInput) (*answer[Webhook], error) {
	fields := in.Body.Value
	if err := a.checkTarget(ctx, fields.URL); err != nil {
		return nil, err
	}
	secret, sealed, err := a.secret(text(fields.Secret))
	if err != nil {
		return nil, err
	}
	row := store.Webhook{RequesterUID: requesterOf(ctx), URL: fields.URL, SecretSealed: sealed, Enabled: fields.Enabled == nil || *fields.Enabled}
	row, err = a.Store.AddWebhook(ctx, row)
	return webhookAnswer(row, secret, err)
}

func (a *API) getWebhook(ctx context.Context, in *ByUID) (*answer[Webhook], error) {
	row, err := a.Store.Webhook(ctx, requesterOf(ctx), in.UID)
	return webhookAnswer(row, "", err)
}

func (a *API) changeWebhook(ctx context.Context, in *changeWebhookInput) (*answer[Webhook], error) {
	fields, secret := in.Body.Value, ""
	change := store.WebhookChange{URL: fields.URL, Enabled: fields.Enabled}
	if fields.URL != nil {
		if err := a.checkTarget(ctx, *fields.URL); err != nil {
			return nil, err
		}
	}
	if fields.Secret != nil {
		shown, sealed, err := a.secret(*fields.Secret)
		if err != nil {
			return nil, err
		}
		secret, change.SecretSealed = shown, &sealed
	}
	row, err := a.Store.UpdateWebhook(ctx, requesterOf(ctx), in.UID, change)
	return webhookAnswer(row, secret, err)
}

func (a *API) deleteWebhook(ctx context.Context, in *ByUID) (*answer[Success], error) {
	if err := a.Store.DeleteWebhook(ctx, requesterOf(ctx), in.UID); err != nil {
		return nil, missing("webhook", err)
	}
	return &answer[Success]{Success{true}}, nil
}

func (a *API) pingWebhook(ctx context.Context, in *ByUID) (*answer[Delivery], error) {
	published, err := a.Store.PingWebhook(ctx, requesterOf(ctx), in.UID)
	if err != nil {
		return nil, missing("webhook", err)
	}
	a.Webhooks.Announce(ctx, published)
	row, err := a.Store.Delivery(ctx, published.Deliveries[0])
	return deliveryAnswer(row, err)
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*answer[DeliveryList], error) {
	if _, err := a.Store.Webhook(ctx, requesterOf(ctx), in.UID); err != nil {
		return nil, missing("webhook", err)
	}
	latest, err := a.Store.Deliveries(ctx, requesterOf(ctx), in.UID, in.Limit)
	if err != nil {
		return nil, err
	}
	return &answer[DeliveryList]{DeliveryList{Deliveries: converted(latest, deliveryShown)}}, nil
}

func (a *API) redeliver(ctx context.Context, in *ByUID) (*answer[Delivery], error) {
	return deliveryAnswer(a.Webhooks.Redeliver(ctx, requesterOf(ctx), in.UID))
}

// checkTarget lets only addresses pass that webhooks may go to.
func (a *API) checkTarget(ctx context.Context, address string) error {
	err := a.Webhooks.Check(ctx, address)
	if errors.Is(err, webhook.ErrRefused) {
		return wrongField("url", "%s", strings.TrimPrefix(err.Error(), webhook.ErrRefused.Error()+": "))
	}
	return err
}

func (a *API) secret(given string) (shown, sealed string, err error) {
	shown, sealed, err = a.Webhooks.Secret(given)
	if errors.Is(err, webhook.ErrSecret) {
		return "", "", wrongField("secret", "%s", err)
	}
	return shown, sealed, err
}

func webhookShown(w store.Webhook) Webhook {
	return Webhook{UID: w.UID, URL: w.URL, Enabled: w.Enabled, Created: Time{w.Created}}
}

func webhookAnswer(row store.Webhook, secret string, err error) (*answer[Webhook], error) {
	if err != nil {
		return nil, missing("webhook", err)
	}
	shown := webhookShown(row)
	shown.Secret = secret
	return &answer[Webhook]{shown}, nil
}

func deliveryShown(d store.Delivery) Delivery {
	shown := Delivery{UID: d.UID, WebhookUID: d.WebhookUID, Status: string(d.Status), EventCount: d.EventCount, Attempts: d.Attempts,
		LastError: d.LastError, Created: Time{d.Created}, Finished: optionalTime(d.Finished)}
	if d.LastStatus != 0 {
		shown.LastStatus = &d.LastStatus
	}
	return shown
}

func deliveryAnswer(row store.Delivery, err error) (*answer[Delivery], error) {
	if err != nil {
		return nil, missing("delivery", err)
	}
	return &answer[Delivery]{deliveryShown(row)}, nil
}
