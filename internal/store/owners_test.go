package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// Whatever a method is told to read or change for one requester, another's rows are not there, and stay as they are.
func testNobodyTouchesAnothersRows(t *testing.T, w *world) {
	w.requester(t, "zeta")
	l := newLife("theirs")
	a := w.connected(t, l)
	meters, err := w.AllMeters(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	hook, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://x.example", SecretSealed: "s", Enabled: true})
	require.NoError(t, err)
	ping, err := w.PingWebhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)
	key, secret, err := w.AddKey(t.Context(), "acme", "k", nil)
	require.NoError(t, err)
	kept, err := w.AddImport(t.Context(), store.Import{RequesterUID: "acme"}, []store.ImportRow{{Line: 2, Outcome: store.ImportOpen}})
	require.NoError(t, err)
	yes, text := true, "zeta's now"
	event, delivery := ping.Events[0].UID, ping.Deliveries[0]
	for name, try := range map[string]func() error{
		"request": func() error { _, err := w.Request(t.Context(), "zeta", "theirs"); return err },
		"update": func() error {
			_, err := w.UpdateRequest(t.Context(), "zeta", "theirs", store.RequestChange{Nickname: &text})
			return err
		},
		"delete":        func() error { return w.DeleteRequest(t.Context(), "zeta", "theirs") },
		"authorization": func() error { _, err := w.Authorization(t.Context(), "zeta", a.UID); return err },
		"rename": func() error {
			_, err := w.UpdateAuthorization(t.Context(), "zeta", a.UID, store.AuthorizationChange{Nickname: &text})
			return err
		},
		"revoke":      func() error { _, _, err := w.Revoke(t.Context(), "zeta", a.UID); return err },
		"delete test": func() error { return w.DeleteTest(t.Context(), "zeta", a.UID) },
		"renew": func() error {
			_, _, err := w.CreateRequest(t.Context(), store.Request{RequesterUID: "zeta", AuthorizationUID: a.UID})
			return err
		},
		"meter":   func() error { _, err := w.Meter(t.Context(), "zeta", meters[0].UID); return err },
		"archive": func() error { _, err := w.ArchiveMeter(t.Context(), "zeta", meters[0].UID, true); return err },
		"meters":  func() error { _, err := w.AllMeters(t.Context(), "zeta", a.UID); return err },
		"webhook": func() error { _, err := w.Webhook(t.Context(), "zeta", hook.UID); return err },
		"redirect": func() error {
			_, err := w.UpdateWebhook(t.Context(), "zeta", hook.UID, store.WebhookChange{URL: &text})
			return err
		},
		"unhook":    func() error { return w.DeleteWebhook(t.Context(), "zeta", hook.UID) },
		"ping":      func() error { _, err := w.PingWebhook(t.Context(), "zeta", hook.UID); return err },
		"event":     func() error { _, err := w.Event(t.Context(), "zeta", event); return err },
		"mark":      func() error { _, err := w.MarkDelivered(t.Context(), "zeta", event, true); return err },
		"again":     func() error { _, err := w.RedeliverEvent(t.Context(), "zeta", event); return err },
		"redeliver": func() error { _, err := w.Redeliver(t.Context(), "zeta", delivery); return err },
		"key":       func() error { return w.RevokeKey(t.Context(), "zeta", key.UID) },
		"import":    func() error { _, err := w.Import(t.Context(), "zeta", kept.UID); return err },
		"start":     func() error { return w.StartImport(t.Context(), "zeta", kept.UID, yes) },
		"after, requests": func() error {
			_, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "zeta", After: "theirs"})
			return err
		},
		"after, authorizations": func() error {
			_, err := w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "zeta", After: a.UID})
			return err
		},
		"after, meters": func() error {
			_, err := w.ListMeters(t.Context(), store.MeterFilter{Requester: "zeta", After: meters[0].UID})
			return err
		},
		"after, events": func() error {
			_, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "zeta", After: event})
			return err
		},
	} {
		require.ErrorIs(t, try(), store.ErrNotFound, name)
	}
	w.findsNothing(t, a, meters[0].UID, hook.UID)

	require.Equal(t, a, w.authorization(t, "theirs"))
	after, err := w.Webhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)
	require.Equal(t, hook, after)
	_, err = w.KeyOwner(t.Context(), secret)
	require.NoError(t, err)
	unread, err := w.Event(t.Context(), "acme", event)
	require.NoError(t, err)
	require.False(t, unread.IsDelivered)
	unstarted, err := w.Import(t.Context(), "acme", kept.UID)
	require.NoError(t, err)
	require.Nil(t, unstarted.Started)
}

// findsNothing: the lists of zeta, who has nothing, hold nothing whatever they are asked for.
func (w *world) findsNothing(t *testing.T, a store.Authorization, meter, hook string) {
	t.Helper()
	requests, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "zeta", UIDs: []string{a.FormUID}})
	require.NoError(t, err)
	require.Empty(t, requests.Items)
	requests, err = w.ListRequests(t.Context(), store.RequestFilter{Requester: "zeta", Search: "jane"})
	require.NoError(t, err)
	require.Empty(t, requests.Items)
	authorizations, err := w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "zeta", UIDs: []string{a.UID}, Referrals: []string{a.Referral}})
	require.NoError(t, err)
	require.Empty(t, authorizations.Items)
	meters, err := w.ListMeters(t.Context(), store.MeterFilter{Requester: "zeta", UIDs: []string{meter}, Authorizations: []string{a.UID}})
	require.NoError(t, err)
	require.Empty(t, meters.Items)
	deliveries, err := w.Deliveries(t.Context(), "zeta", hook, 10)
	require.NoError(t, err)
	require.Empty(t, deliveries)
	last, err := w.LastChange(t.Context(), "zeta")
	require.NoError(t, err)
	require.Zero(t, last)
}

// Events are delivered anew together with those they came with, to every webhook that is on, as nothing new.
func testRedeliverEvent(t *testing.T, w *world) {
	w.requester(t, "acme")
	first, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://one.example", Enabled: true})
	require.NoError(t, err)
	second, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://two.example"})
	require.NoError(t, err)
	l := newLife("again")
	published := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn))
	require.Len(t, published.Events, 2)
	require.Equal(t, "https://one.example", published.Events[0].DeliveryTarget)
	require.Len(t, published.Deliveries, 1)

	again, err := w.RedeliverEvent(t.Context(), "acme", published.Events[1].UID)
	require.NoError(t, err)
	require.Empty(t, again.Events)
	require.Len(t, again.Deliveries, 1)
	events, err := w.DeliveryEvents(t.Context(), again.Deliveries[0])
	require.NoError(t, err)
	require.Equal(t, published.Events, events)

	on, off := true, false
	_, err = w.UpdateWebhook(t.Context(), "acme", second.UID, store.WebhookChange{Enabled: &on})
	require.NoError(t, err)
	again, err = w.RedeliverEvent(t.Context(), "acme", published.Events[0].UID)
	require.NoError(t, err)
	require.Len(t, again.Deliveries, 2)
	for _, uid := range []string{first.UID, second.UID} {
		_, err = w.UpdateWebhook(t.Context(), "acme", uid, store.WebhookChange{Enabled: &off})
		require.NoError(t, err)
	}
	again, err = w.RedeliverEvent(t.Context(), "acme", published.Events[0].UID)
	require.NoError(t, err)
	require.Empty(t, again.Deliveries, "nobody is there to deliver to")
	_, err = w.DeliveryEvents(t.Context(), "none")
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A list goes on after a row that was deleted since, for its owner alone.
func testPageAfterADeletedRequest(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.requester(t, "zeta")
	for i := range 4 {
		_, _, err := w.CreateRequest(t.Context(), store.Request{UID: fmt.Sprintf("d-%d", i), RequesterUID: "acme"})
		require.NoError(t, err)
	}
	var seen []string
	page := w.list(t, store.RequestFilter{Limit: 1})
	for {
		seen = append(seen, uids(page)...)
		require.NoError(t, w.DeleteRequest(t.Context(), "acme", page.Items[0].UID))
		if page.Next == "" {
			break
		}
		page = w.list(t, store.RequestFilter{Limit: 1, After: page.Next})
	}
	require.Equal(t, []string{"d-3", "d-2", "d-1", "d-0"}, seen)
	_, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "zeta", After: "d-1"})
	require.ErrorIs(t, err, store.ErrNotFound)
}

// Texts that no table can hold, and texts made to break out of a statement, are looked for and not found.
func testOddTextsAreLookedFor(t *testing.T, w *world) {
	w.requester(t, "acme")
	for _, odd := range []string{"\xff\xfe", "\x00", "' OR '1'='1", "%", "\\", "?0", "🏠", "$1"} {
		_, err := w.Request(t.Context(), "acme", odd)
		require.ErrorIs(t, err, store.ErrNotFound, "%q", odd)
		_, err = w.Meter(t.Context(), odd, odd)
		require.ErrorIs(t, err, store.ErrNotFound, "%q", odd)
		_, err = w.KeyOwner(t.Context(), odd)
		require.ErrorIs(t, err, store.ErrNotFound, "%q", odd)
		_, err = w.CheckPassword(t.Context(), odd, odd)
		require.ErrorIs(t, err, store.ErrWrongPassword, "%q", odd)
		_, err = w.SessionUser(t.Context(), odd)
		require.ErrorIs(t, err, store.ErrNotFound, "%q", odd)
		require.Empty(t, w.list(t, store.RequestFilter{UIDs: []string{odd}, Utility: odd, Template: odd, Authorization: odd}).Items)
		page, err := w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "acme", Forms: []string{odd}, Referrals: []string{odd}, Utility: odd})
		require.NoError(t, err, "%q", odd)
		require.Empty(t, page.Items)
	}
}

// A request that was made for practice and then for a real utility is no test any more, whatever is recorded of it.
func testIsTestIsTheRequesters(t *testing.T, w *world) {
	w.requester(t, "acme")
	_, _, err := w.CreateRequest(t.Context(), store.Request{UID: "turned", RequesterUID: "acme", Utility: "DEMO", IsTest: true})
	require.NoError(t, err)
	real, utility := false, "CONED"
	changed, err := w.UpdateRequest(t.Context(), "acme", "turned", store.RequestChange{IsTest: &real, Utility: &utility})
	require.NoError(t, err)
	require.False(t, changed.IsTest)
	a := w.connected(t, newLife("turned"))
	require.False(t, a.IsTest)
	require.ErrorIs(t, w.DeleteTest(t.Context(), "acme", a.UID), store.ErrConflict)
	funnel, err := w.Funnel(t.Context(), store.Span{Requester: "acme"})
	require.NoError(t, err)
	require.Equal(t, 1, funnel.Connected)
}

// What has served its time is forgotten, and nothing else.
func testSweep(t *testing.T, w *world) {
	w.requester(t, "acme")
	jane, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "jane@example.com"}, "correct horse")
	require.NoError(t, err)
	short, err := w.StartSession(t.Context(), jane.UID, time.Hour)
	require.NoError(t, err)
	long, err := w.StartSession(t.Context(), jane.UID, 72*time.Hour)
	require.NoError(t, err)
	l := newLife("visited")
	record(t, w.Store, l.projection())
	old := store.Idempotency{RequesterUID: "acme", Key: "old"}
	_, _, err = w.ReserveKey(t.Context(), old)
	require.NoError(t, err)
	require.NoError(t, w.AnswerKey(t.Context(), "acme", "old", 200, []byte("{}")))
	w.clock.advance(23 * time.Hour)
	require.NoError(t, w.Sweep(t.Context(), w.clock.next()))
	_, mine, err := w.ReserveKey(t.Context(), old)
	require.NoError(t, err)
	require.False(t, mine, "an answer is kept for a day")
	require.ErrorIs(t, w.KeepSession(t.Context(), short, time.Hour), store.ErrNotFound)
	w.clock.advance(2 * time.Hour)
	require.NoError(t, w.Sweep(t.Context(), w.clock.next()))
	_, mine, err = w.ReserveKey(t.Context(), old)
	require.NoError(t, err)
	require.True(t, mine)
	_, err = w.SessionUser(t.Context(), long)
	require.NoError(t, err)
	_, err = w.RequestByID(t.Context(), "visited")
	require.NoError(t, err)
}
