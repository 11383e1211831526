package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/portal/webhooks"
)

// hooked is a party whose portal delivers webhooks to a receiver that answers with status, which the test may change.
func hooked(t *testing.T) (p *party, url string, status *atomic.Int32) {
	t.Helper()
	status = new(atomic.Int32)
	status.Store(http.StatusOK)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(receiver.Close)
	delivering := webhooks.New(world.temporal, world.store, world.key, true, zap.NewNop())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- delivering.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return newParty(t, func(d *Deps) { d.Webhooks = delivering }), receiver.URL + "/in", status
}

// becomes waits until a webhook's delivery satisfies done.
func (p *party) becomes(hook, uid string, done func(Delivery) bool) Delivery {
	p.t.Helper()
	var seen Delivery
	require.Eventually(p.t, func() bool {
		for _, d := range get[DeliveryList](p, "/webhooks/"+hook+"/deliveries").Deliveries {
			if d.UID == uid {
				seen = d
			}
		}
		return seen.UID == uid && done(seen)
	}, within, 100*time.Millisecond)
	return seen
}

func isDelivered(d Delivery) bool { return d.Status == "delivered" }

func TestWebhooks_FromTheFirstPingToTheLastEvent(t *testing.T) {
	t.Parallel()
	p, url, status := hooked(t)
	require.Empty(t, get[WebhookList](p, "/webhooks").Webhooks)
	hook := post[Webhook](p, "/webhooks", `{"url": "`+url+`"}`)
	require.True(t, hook.Enabled)
	require.GreaterOrEqual(t, len(hook.Secret), 26)
	require.Equal(t, url, hook.URL)

	shown := get[Webhook](p, "/webhooks/"+hook.UID)
	require.Empty(t, shown.Secret, "it is shown once")
	require.Equal(t, []Webhook{shown}, get[WebhookList](p, "/webhooks").Webhooks)

	ping := post[Delivery](p, "/webhooks/"+hook.UID+"/ping", "")
	pinged := p.becomes(hook.UID, ping.UID, isDelivered)
	require.Equal(t, 1, pinged.Attempts)
	require.Equal(t, http.StatusOK, *pinged.LastStatus)
	require.NotNil(t, pinged.Finished.Value)

	status.Store(http.StatusInternalServerError)
	form := p.form()
	missed := get[EventList](p, "/events?is_delivered=false").Events
	require.Len(t, missed, 1)
	require.Equal(t, store.EventFormCreated, missed[0].Type)
	require.Equal(t, form.UID, missed[0].FormUID)
	require.Equal(t, url, *missed[0].DeliveryTarget)
	failing := get[DeliveryList](p, "/webhooks/"+hook.UID+"/deliveries?limit=1").Deliveries[0]
	failing = p.becomes(hook.UID, failing.UID, func(d Delivery) bool { return d.Attempts == 1 })
	require.Equal(t, "pending", failing.Status)
	require.Contains(t, failing.LastError, "500")

	status.Store(http.StatusOK)
	again := post[Delivery](p, "/deliveries/"+failing.UID+"/redeliver", "")
	require.NotEqual(t, failing.UID, again.UID)
	p.becomes(hook.UID, again.UID, isDelivered)
	require.True(t, get[webhook.Event](p, "/events/"+missed[0].UID).IsDelivered)
	twice := post[Redelivered](p, "/events/"+missed[0].UID+"/redeliver", "")
	require.Len(t, twice.Deliveries, 1)
	p.becomes(hook.UID, twice.Deliveries[0], isDelivered)

	require.True(t, decoded[Success](p, p.do(http.MethodDelete, "/webhooks/"+hook.UID, "")).Success)
	p.refused(http.StatusNotFound, http.MethodGet, "/webhooks/"+hook.UID, "")
	p.refused(http.StatusConflict, http.MethodPost, "/events/"+missed[0].UID+"/redeliver", "")
}

func TestWebhooks_Change(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	hook := post[Webhook](p, "/webhooks", `{"url": "https://8.8.8.8/in", "secret": "a-secret-of-our-own", "enabled": false}`)
	require.Equal(t, "a-secret-of-our-own", hook.Secret)
	require.False(t, hook.Enabled)
	changed := post[Webhook](p, "/webhooks/"+hook.UID, `{"url": "https://8.8.4.4/in", "enabled": true}`)
	require.Equal(t, "https://8.8.4.4/in", changed.URL)
	require.True(t, changed.Enabled)
	require.Empty(t, changed.Secret)
	renewed := post[Webhook](p, "/webhooks/"+hook.UID, `{"secret": ""}`)
	require.NotEmpty(t, renewed.Secret)
	require.NotEqual(t, hook.Secret, renewed.Secret)
	require.Equal(t, changed.URL, renewed.URL)
	row, err := world.store.Webhook(t.Context(), p.uid, hook.UID)
	require.NoError(t, err)
	opened, err := webhook.OpenSecret(world.key, row.SecretSealed)
	require.NoError(t, err)
	require.Equal(t, renewed.Secret, opened)
}

func TestWebhooks_BadInputNamesTheField(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(d *Deps) { d.Webhooks = webhooks.New(world.temporal, world.store, world.key, false, zap.NewNop()) })
	hook := post[Webhook](p, "/webhooks", `{"url": "https://8.8.8.8/in"}`)
	for body, field := range map[string]string{
		`{}`:                                                 "url",
		`{"url": ""}`:                                        "url",
		`{"url": "hooks.acme.example"}`:                      "url",
		`{"url": "http://127.0.0.1:1/"}`:                     "url",
		`{"url": "http://localhost/"}`:                       "url",
		`{"url": "http://169.254.169.254/"}`:                 "url",
		`{"url": "https://u:p@8.8.8.8/"}`:                    "url",
		`{"url": "https://8.8.8.8/", "secret": "too short"}`: "secret",
		`{"url": "https://8.8.8.8/", "enable": true}`:        "enable",
		`{"url": "https://8.8.8.8/", "secret": "` + strings.Repeat("x", 201) + `"}`: "secret",
	} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/webhooks", body)
		require.Contains(t, e.Fields, field, "%s", body)
		if strings.Contains(body, `{"url": "http`) && field == "url" {
			p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/webhooks/"+hook.UID, body)
		}
	}
	require.Len(t, get[WebhookList](p, "/webhooks").Webhooks, 1)
	require.Equal(t, "https://8.8.8.8/in", get[Webhook](p, "/webhooks/"+hook.UID).URL)
}

func TestWebhooks_AreOnesOwn(t *testing.T) {
	t.Parallel()
	p, other := newParty(t), newParty(t)
	hook := post[Webhook](p, "/webhooks", `{"url": "https://8.8.8.8/in"}`)
	delivery := post[Delivery](p, "/webhooks/"+hook.UID+"/ping", "")
	event := get[EventList](p, "/events").Events[0]
	require.Equal(t, store.EventPing, event.Type)
	for _, call := range [][2]string{
		{http.MethodGet, "/webhooks/" + hook.UID}, {http.MethodPost, "/webhooks/" + hook.UID}, {http.MethodDelete, "/webhooks/" + hook.UID},
		{http.MethodPost, "/webhooks/" + hook.UID + "/ping"}, {http.MethodGet, "/webhooks/" + hook.UID + "/deliveries"},
		{http.MethodPost, "/deliveries/" + delivery.UID + "/redeliver"},
		{http.MethodGet, "/events/" + event.UID}, {http.MethodPost, "/events/" + event.UID}, {http.MethodPost, "/events/" + event.UID + "/redeliver"},
	} {
		body := ""
		if call[0] == http.MethodPost && call[1] == "/webhooks/"+hook.UID {
			body = `{"enabled": false}`
		}
		e := other.refused(http.StatusNotFound, call[0], call[1], body)
		require.Contains(t, e.Description, "there is no such")
	}
	require.Empty(t, get[EventList](other, "/events").Events)
}

func TestEvents_ListMarkAndPage(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for range 3 {
		p.form()
	}
	first := get[EventList](p, "/events?limit=2")
	require.Len(t, first.Events, 2)
	require.Nil(t, first.Events[0].DeliveryTarget, "there is no webhook")
	rest := get[EventList](p, *first.Next)
	require.Len(t, rest.Events, 1)
	require.Nil(t, rest.Next)
	require.Greater(t, first.Events[0].TS, rest.Events[0].TS, "newest first")
	_, err := time.Parse("2006-01-02T15:04:05.000000-07:00", first.Events[0].TS)
	require.NoError(t, err)

	uid := rest.Events[0].UID
	require.True(t, post[webhook.Event](p, "/events/"+uid, "").IsDelivered)
	require.Len(t, get[EventList](p, "/events?is_delivered=false").Events, 2)
	require.Equal(t, uid, get[EventList](p, "/events?is_delivered=true").Events[0].UID)
	require.False(t, post[webhook.Event](p, "/events/"+uid, `{"is_delivered": false}`).IsDelivered)
	p.refused(http.StatusBadRequest, http.MethodGet, "/events?is_delivered=perhaps", "")
	p.refused(http.StatusBadRequest, http.MethodGet, "/events?after=nothing", "")
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/events/"+uid, `{"is_delivered": "yes"}`)
}

func TestTestSubmit_NeedsPracticeUtilities(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	e := p.refused(http.StatusBadRequest, http.MethodPost, "/forms/"+form.UID+"/test-submit", `{"scenario": "residential"}`)
	require.Contains(t, e.Description, "MK_PRACTICE_URL")
	p.refused(http.StatusNotFound, http.MethodPost, "/forms/nothing/test-submit", `{"scenario": "residential"}`)
}

func TestTestSubmit_BadInputStartsNothing(t *testing.T) {
	t.Parallel()
	sites := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id": "DEMO", "kinds": ["plain"]}]`)) // whoever cannot read it fails
	}))
	t.Cleanup(sites.Close)
	p := newParty(t, func(d *Deps) {
		d.TestSubmit = testsubmit.New(world.temporal, nil, world.requests, world.catalog, sites.URL)
	})
	form := p.form()
	for body, field := range map[string]string{
		`{}`:                         "scenario",
		`{"scenario": "no such"}`:    "scenario",
		`{"scenario": 7}`:            "scenario",
		`{"senario": "residential"}`: "scenario",
		`{"scenario": "residential", "utility": "NOWHERE"}`: "utility",
		`{"scenario": "residential", "utility": "CONED"}`:   "utility", // has no practice site here
	} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms/"+form.UID+"/test-submit", body)
		require.Contains(t, e.Fields, field, "%s", body)
	}
	require.Len(t, get[FormList](p, "/forms").Forms, 1)
	sites.Close()
	e := p.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms/"+form.UID+"/test-submit", `{"scenario": "residential"}`)
	require.Contains(t, e.Description, "practice utilities do not answer")
}

func TestTestScenarios_AreListed(t *testing.T) {
	t.Parallel()
	list := get[TestScenarioList](newParty(t), "/test-scenarios")
	require.Len(t, list.Scenarios, len(testsubmit.Scenarios()))
	require.Equal(t, "residential", list.Scenarios[0].Name)
}

// FuzzWebhook: whatever is posted, the API answers in its envelope or with a webhook, and registers no loopback address.
func FuzzWebhook(f *testing.F) {
	for _, seed := range []string{`{"url": "https://8.8.8.8"}`, `{"url": "http://127.0.0.1"}`, `{"url": 1}`, `[]`, `{"url": "http://[::1]/", "secret": null}`, "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields Fields[NewWebhook]
		if fields.UnmarshalJSON(body) != nil {
			return
		}
		if strings.Contains(fields.Value.URL, "//127.") {
			require.Error(t, webhook.NewGuard(false).Check(t.Context(), fields.Value.URL))
		}
	})
}

// FuzzTestSubmission: whatever is posted, reading it neither panics nor invents a scenario.
func FuzzTestSubmission(f *testing.F) {
	for _, seed := range []string{`{"scenario": "residential"}`, `{"senario": ""}`, `{"utility": null}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields Fields[TestSubmission]
		if fields.UnmarshalJSON(body) == nil && fields.Value.Scenario != "" {
			require.Contains(t, strings.ToLower(string(body)), "scenario")
		}
	})
}
