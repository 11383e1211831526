package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

// Types of the application errors of webhook deliveries.
const (
	// ErrTypeNotTaken: the receiver did not answer with 200; it is tried again after an hour.
	ErrTypeNotTaken = "webhook_not_taken"
	// ErrTypeUndeliverable: the webhook is not there any more, or was turned off.
	ErrTypeUndeliverable = "webhook_undeliverable"
)

const (
	// maxAnswer is how much of an answer is read, in bytes: enough for the connection to be used again, and nobody needs it.
	maxAnswer = 64 << 10
	// noteWithin bounds the note of how an attempt went.
	noteWithin = 10 * time.Second
)

// Deliveries is the part of the store that webhook deliveries work with.
type deliveryStore interface {
	Delivery(ctx context.Context, uid string) (store.Delivery, error)
	DeliveryEvents(ctx context.Context, uid string) ([]store.Event, error)
	FinishAttempt(ctx context.Context, uid string, a store.Attempt) error
}

// Deliveries posts webhook deliveries to requesters' webhooks.
type Deliveries struct {
	Store deliveryStore
	Key   *portalkey.Key
	// Client is a guarded one (webhook.Guard).
	Client *http.Client
	Log    *zap.Logger
}

// Register registers what the task queue of webhooks serves.
func (w *Deliveries) Register(r worker.ActivityRegistry) {
	r.RegisterActivityWithOptions(w.Deliver, activity.RegisterOptions{Name: ActivityDeliver})
	r.RegisterActivityWithOptions(w.GiveUp, activity.RegisterOptions{Name: ActivityGiveUp})
}

// Deliver posts a delivery once. Only an answer with status 200 counts. What was taken before, by an attempt whose end did
// not get through, is not posted again as long as the database knows.
func (w *Deliveries) Deliver(ctx context.Context, in webhook.DeliveryInput) error {
	d, err := w.Store.Delivery(ctx, in.DeliveryUID)
	if errors.Is(err, store.ErrNotFound) {
		return undeliverable("it was deleted, or its webhook was")
	}
	if err != nil {
		return fmt.Errorf("reading the delivery: %w", err)
	}
	if d.Status != store.DeliveryPending {
		return nil
	}
	events, err := w.Store.DeliveryEvents(ctx, d.UID)
	if err != nil {
		return fmt.Errorf("reading the delivery's events: %w", err)
	}
	if !d.Webhook.Enabled && !ping(events) {
		return undeliverable("its webhook was turned off")
	}
	request, err := w.request(ctx, d.Webhook, events)
	if err != nil {
		return err
	}
	return w.attempt(ctx, d, request)
}

// ping tells whether the delivery tries the webhook out, which is done before it is turned on, too.
func ping(events []store.Event) bool { return len(events) == 1 && events[0].Type == store.EventPing }

func undeliverable(why string) error {
	return temporal.NewNonRetryableApplicationError("the delivery cannot be made: "+why, ErrTypeUndeliverable, nil)
}

func (w *Deliveries) request(ctx context.Context, to *store.Webhook, events []store.Event) (*http.Request, error) {
	body, err := webhook.Body(events, to.URL)
	if err != nil {
		return nil, err
	}
	secret, err := webhook.OpenSecret(w.Key, to.SecretSealed)
	if err != nil {
		return nil, fmt.Errorf("reading the webhook's secret: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, undeliverable("the webhook's address cannot be read")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Meterkey")
	webhook.Sign(request.Header, secret, body)
	return request, nil
}

// attempt posts, notes how it went, and says whether it is to be tried again.
func (w *Deliveries) attempt(ctx context.Context, d store.Delivery, request *http.Request) error {
	began := time.Now()
	a := w.post(request)
	if ctx.Err() != nil {
		return ctx.Err() // this portal stops: another one tries at once
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	if err := w.Store.FinishAttempt(noting, d.UID, a); err != nil {
		return fmt.Errorf("noting the attempt: %w", err)
	}
	w.Log.Info("webhook", zap.String("delivery", d.UID), zap.String("webhook", d.WebhookUID), zap.Int("events", d.EventCount),
		zap.Int("status", a.Status), zap.String("outcome", string(a.Outcome)), zap.Duration("took", time.Since(began)))
	if a.Outcome == store.DeliveryDelivered {
		return nil
	}
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("not taken: status %d", a.Status), ErrTypeNotTaken,
		temporal.ApplicationErrorOptions{NextRetryDelay: RetryEvery})
}

func (w *Deliveries) post(request *http.Request) store.Attempt {
	response, err := w.Client.Do(request)
	if err != nil {
		return store.Attempt{Outcome: store.DeliveryPending, Error: webhook.Explain(err)}
	}
	defer func() { _ = response.Body.Close() }() // its status is all that counts
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		return store.Attempt{Status: response.StatusCode, Outcome: store.DeliveryPending,
			Error: fmt.Sprintf("answered with status %d instead of 200", response.StatusCode)}
	}
	return store.Attempt{Status: response.StatusCode, Outcome: store.DeliveryDelivered}
}

// GiveUp notes that a delivery was tried for long enough. Its events can still be read, and delivered again.
func (w *Deliveries) GiveUp(ctx context.Context, in webhook.DeliveryInput) error {
	d, err := w.Store.Delivery(ctx, in.DeliveryUID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("reading the delivery: %w", err)
	case d.Status != store.DeliveryPending:
		return nil
	}
	err = w.Store.FinishAttempt(ctx, d.UID, store.Attempt{Status: d.LastStatus, Error: d.LastError, Outcome: store.DeliveryFailed})
	if err != nil {
		return fmt.Errorf("giving up %s: %w", d.UID, err)
	}
	return nil
}
