package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func (w *world) webhook(t *testing.T, enabled bool) store.Webhook {
	t.Helper()
	hook, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://acme.example/hook", SecretSealed: "sealed", Enabled: enabled})
	require.NoError(t, err)
	return hook
}

func testWebhooks(t *testing.T, w *world) {
	w.requester(t, "acme")
	hook := w.webhook(t, true)
	read, err := w.Webhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)
	require.Equal(t, hook, read)
	off, address := false, "https://acme.example/other"
	changed, err := w.UpdateWebhook(t.Context(), "acme", hook.UID, store.WebhookChange{Enabled: &off, URL: &address})
	require.NoError(t, err)
	require.Equal(t, "sealed", changed.SecretSealed)
	second := w.webhook(t, true)
	all, err := w.Webhooks(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, []store.Webhook{second, changed}, all)

	_, err = w.UpdateWebhook(t.Context(), "zeta", hook.UID, store.WebhookChange{})
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, w.DeleteWebhook(t.Context(), "zeta", hook.UID), store.ErrNotFound)
	_, err = w.PingWebhook(t.Context(), "zeta", hook.UID)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "nobody"})
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A webhook's events are delivered, noted, seen on the events, and delivered again on demand.
func testDeliveries(t *testing.T, w *world) {
	w.requester(t, "acme")
	hook, off := w.webhook(t, true), w.webhook(t, false)
	l := newLife("deliver")
	published := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn))
	require.Len(t, published.Deliveries, 1, "one body with both events, to the one webhook that is enabled")
	uid := published.Deliveries[0]
	delivery, err := w.Delivery(t.Context(), uid)
	require.NoError(t, err)
	require.Equal(t, &hook, delivery.Webhook)
	require.Equal(t, 2, delivery.EventCount)
	events, err := w.DeliveryEvents(t.Context(), uid)
	require.NoError(t, err)
	require.Equal(t, published.Events, events)
	require.Equal(t, hook.URL, events[0].DeliveryTarget)

	due, err := w.DueDeliveries(t.Context(), delivery.Created, 10)
	require.NoError(t, err)
	require.Empty(t, due, "not before its time")
	due, err = w.DueDeliveries(t.Context(), w.clock.next(), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, hook.URL, due[0].Webhook.URL)
	require.NoError(t, w.MarkStarted(t.Context(), uid))
	due, err = w.DueDeliveries(t.Context(), w.clock.next(), 10)
	require.NoError(t, err)
	require.Empty(t, due)

	require.NoError(t, w.FinishAttempt(t.Context(), uid, store.Attempt{Status: 500, Error: "500", Outcome: store.DeliveryPending}))
	yes, no := true, false
	missed, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Delivered: &no})
	require.NoError(t, err)
	require.Len(t, missed.Items, 2)
	require.NoError(t, w.FinishAttempt(t.Context(), uid, store.Attempt{Status: 200, Outcome: store.DeliveryDelivered}))
	delivered, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Delivered: &yes})
	require.NoError(t, err)
	require.Len(t, delivered.Items, 2)
	require.NoError(t, w.FinishAttempt(t.Context(), uid, store.Attempt{Error: "too late", Outcome: store.DeliveryPending}))
	delivery, err = w.Delivery(t.Context(), uid)
	require.NoError(t, err)
	require.Equal(t, 2, delivery.Attempts)
	require.Equal(t, store.DeliveryDelivered, delivery.Status)
	require.NotNil(t, delivery.Finished)

	again, err := w.Redeliver(t.Context(), "acme", uid)
	require.NoError(t, err)
	require.NotEqual(t, uid, again.UID)
	same, err := w.DeliveryEvents(t.Context(), again.UID)
	require.NoError(t, err)
	require.Equal(t, delivered.Items[1].UID, same[0].UID)
	_, err = w.Redeliver(t.Context(), "zeta", uid)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, w.FinishAttempt(t.Context(), "none", store.Attempt{}), store.ErrNotFound)

	ping, err := w.PingWebhook(t.Context(), "acme", off.UID)
	require.NoError(t, err)
	require.Equal(t, []store.EventType{store.EventPing}, kinds(ping))
	of := func(webhook string) int {
		latest, err := w.Deliveries(t.Context(), "acme", webhook, 10)
		require.NoError(t, err)
		return len(latest)
	}
	require.Equal(t, []int{1, 2, 3}, []int{of(off.UID), of(hook.UID), of("")})
	require.NoError(t, w.DeleteWebhook(t.Context(), "acme", hook.UID))
	require.Equal(t, 1, of(""))
}

func testEvents(t *testing.T, w *world) {
	l := newLife("events")
	record(t, w.Store, l.projection())
	published := record(t, w.Store, l.to(meterkey.SigningIn))
	page, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1})
	require.NoError(t, err)
	require.Equal(t, published.Events[1], page.Items[0], "newest first")
	page, err = w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", After: page.Next})
	require.NoError(t, err)
	require.Equal(t, published.Events[:1], page.Items)
	require.Empty(t, page.Next)

	read, err := w.Event(t.Context(), "acme", published.Events[0].UID)
	require.NoError(t, err)
	require.Equal(t, published.Events[0], read)
	marked, err := w.MarkDelivered(t.Context(), "acme", read.UID, true)
	require.NoError(t, err)
	require.True(t, marked.IsDelivered)
	_, err = w.MarkDelivered(t.Context(), "zeta", read.UID, true)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.ListEvents(t.Context(), store.EventFilter{})
	require.ErrorIs(t, err, store.ErrInvalid)
}
