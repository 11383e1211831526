package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// TestIdempotency_WhileTheFirstIsAnswered: whoever repeats a call too early is told to wait, and nothing is made twice.
func TestIdempotency_WhileTheFirstIsAnswered(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	body := `{"utility": "DEMO"}`
	form := post[Form](p, "/forms", body, "Idempotency-Key", "first")
	kept, mine, err := world.store.ReserveKey(t.Context(), store.Idempotency{RequesterUID: p.uid, Key: "first"})
	require.NoError(t, err)
	require.False(t, mine)
	// Another portal works on the second key.
	_, mine, err = world.store.ReserveKey(t.Context(), store.Idempotency{RequesterUID: p.uid, Key: "second", Endpoint: kept.Endpoint, RequestHash: kept.RequestHash})
	require.NoError(t, err)
	require.True(t, mine)
	e := p.refused(http.StatusConflict, http.MethodPost, "/forms", body, "Idempotency-Key", "second")
	require.Equal(t, "conflict", e.Code)
	require.Equal(t, "1", p.last.Header.Get("Retry-After"))
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", body+" ", "Idempotency-Key", "second")
	require.Len(t, get[FormList](p, "/forms").Forms, 1)
	require.NoError(t, world.store.ReleaseKey(t.Context(), p.uid, "second"))
	require.NotEqual(t, form.UID, post[Form](p, "/forms", body, "Idempotency-Key", "second").UID)
}

// TestIdempotency_AnswersAsThen: the first answer is given again though the form has changed or gone since.
func TestIdempotency_AnswersAsThen(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	body := `{"utility": "DEMO", "nickname": "then"}`
	first := p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k")
	uid := strictly[Form](t, first).UID
	post[Form](p, "/forms/"+uid, `{"nickname": "now"}`)
	require.Equal(t, string(first), string(p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k")))
	decoded[Success](p, p.do(http.MethodDelete, "/forms/"+uid, ""))
	require.Equal(t, string(first), string(p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k")))
	require.Empty(t, get[FormList](p, "/forms").Forms, "the form was made anew")
}

// TestIdempotency_OfCallsThatFail: a call that made nothing gives its key back, whatever was wrong with it.
func TestIdempotency_OfCallsThatFail(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{"no JSON": {"{", 400}, "too long": {`{"nickname": "` + strings.Repeat("a", maxBody) + `"}`, 413}, "a wrong field": {`{"utility": 1}`, 422},
		"a slip": {`{"utilty": "DEMO"}`, 422}, "no such authorization": {`{"authorization_uid": "nothing"}`, 422}} {
		key := []string{"Idempotency-Key", name}
		p.refused(c.status, http.MethodPost, "/forms", c.body, key...)
		require.Empty(t, p.last.Header.Get("Idempotent-Replayed"))
		p.refused(c.status, http.MethodPost, "/forms", c.body, key...)
		require.Empty(t, p.last.Header.Get("Idempotent-Replayed"), "%s: a failure was kept", name)
		_, mine, err := world.store.ReserveKey(t.Context(), store.Idempotency{RequesterUID: p.uid, Key: name})
		require.NoError(t, err)
		require.True(t, mine, "%s keeps its key", name)
	}
	require.Empty(t, get[FormList](p, "/forms").Forms)
}

// TestIdempotency_OfAFormThatWasNeverSent: its key makes that form or none, for whom and for what it was made.
func TestIdempotency_OfAFormThatWasNeverSent(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	first, second := p.recorded(manyMeters(1)...), p.recorded(manyMeters(1)...)
	dead := p.with(func(d *Deps) { d.Requests = unreachable(t) })
	renew := func(uid string) string { return `{"authorization_uid": "` + uid + `"}` }
	dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms", renew(first.UID), "Idempotency-Key", "k")
	e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", renew(second.UID), "Idempotency-Key", "k")
	require.Contains(t, e.Description, "used for another form")
	form := post[Form](p, "/forms", renew(first.UID), "Idempotency-Key", "k")
	require.Equal(t, first.UID, *form.AuthorizationUID)
	require.Len(t, get[FormList](p, "/forms").Forms, 3)

	dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms", "{}", "Idempotency-Key", "gone")
	stranded := get[FormList](p, "/forms?limit=1").Forms[0].UID
	decoded[Success](p, p.do(http.MethodDelete, "/forms/"+stranded, ""))
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", "{}", "Idempotency-Key", "gone")
}

// TestWebhooks_OffGetNothing: events are kept for whoever reads them, and nothing is sent to a webhook that is off.
func TestWebhooks_OffGetNothing(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	off := post[Webhook](p, "/webhooks", `{"url": "https://8.8.8.8/off", "enabled": false}`)
	p.course()
	require.Empty(t, get[DeliveryList](p, "/webhooks/"+off.UID+"/deliveries").Deliveries)
	event := get[EventList](p, "/events").Events[0]
	require.Nil(t, event.DeliveryTarget)
	require.False(t, event.IsDelivered)
	p.refused(http.StatusConflict, http.MethodPost, "/events/"+event.UID+"/redeliver", "")

	post[Webhook](p, "/webhooks/"+off.UID, `{"enabled": true}`)
	require.Len(t, post[Redelivered](p, "/events/"+event.UID+"/redeliver", "").Deliveries, 1)
	again := get[DeliveryList](p, "/webhooks/"+off.UID+"/deliveries").Deliveries
	require.Len(t, again, 1)
	require.Equal(t, 1, again[0].EventCount)
	require.Nil(t, again[0].LastStatus)
	require.Nil(t, again[0].Finished.Value)

	for range 3 {
		post[Delivery](p, "/webhooks/"+off.UID+"/ping", "")
	}
	newest := get[DeliveryList](p, "/webhooks/"+off.UID+"/deliveries?limit=2").Deliveries
	require.Len(t, newest, 2)
	require.False(t, newest[0].Created.Before(newest[1].Created.Time), "newest first")
	require.Contains(t, p.refused(http.StatusBadRequest, http.MethodGet, "/webhooks/"+off.UID+"/deliveries?limit=1001", "").Fields, "limit")

	decoded[Success](p, p.do(http.MethodDelete, "/webhooks/"+off.UID, ""))
	p.refused(http.StatusNotFound, http.MethodGet, "/webhooks/"+off.UID+"/deliveries", "")
	p.refused(http.StatusNotFound, http.MethodPost, "/deliveries/"+newest[0].UID+"/redeliver", "")
	require.Len(t, get[EventList](p, "/events?limit=1000").Events, 4, "events stay")
}

// TestWebhooks_SecretsAreShownOnce: in no list, no later answer and no event.
func TestWebhooks_SecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	hook := post[Webhook](p, "/webhooks", `{"url": "https://8.8.8.8/in", "secret": "a-secret-to-be-found"}`)
	post[Webhook](p, "/webhooks/"+hook.UID, `{"enabled": false}`)
	post[Delivery](p, "/webhooks/"+hook.UID+"/ping", "")
	shown := p.everything() + string(p.do(http.MethodGet, "/webhooks/"+hook.UID, "")) + string(p.do(http.MethodGet, "/webhooks/"+hook.UID+"/deliveries", ""))
	require.NotContains(t, shown, "a-secret-to-be-found")
	row, err := world.store.Webhook(t.Context(), p.uid, hook.UID)
	require.NoError(t, err)
	require.NotContains(t, row.SecretSealed, "a-secret-to-be-found", "it is stored in the clear")
	require.NotContains(t, shown, row.SecretSealed)
}
