package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/workflows"
)

const secret = "a secret of sixteen letters or more"

// hook is a real receiver, a webhook that leads to it in a real database, and the workflow that delivers, with time that is
// skipped.
type hook struct {
	t        *testing.T
	store    *store.Store
	row      store.Webhook
	work     *activities.Webhooks
	receiver *httptest.Server
	logged   *observer.ObservedLogs

	mu       sync.Mutex
	statuses []int // of the answers, the last one repeats
	got      []*http.Request
	bodies   [][]byte
}

func newHook(t *testing.T, statuses ...int) *hook {
	t.Helper()
	h := &hook{t: t, statuses: statuses}
	h.receiver = httptest.NewServer(http.HandlerFunc(h.receive))
	t.Cleanup(h.receiver.Close)
	var err error
	h.store, err = store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "meterkey.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.store.Close()) })
	_, err = h.store.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme Solar"})
	require.NoError(t, err)
	key, err := portalkey.New(bytes.Repeat([]byte{7}, portalkey.Size))
	require.NoError(t, err)
	h.row, err = h.store.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: h.receiver.URL + "/in?a=1&b=2",
		SecretSealed: key.Seal("webhook secret", secret), Enabled: true})
	require.NoError(t, err)
	core, logged := observer.New(zap.InfoLevel)
	h.logged = logged
	h.work = &activities.Webhooks{Store: h.store, Key: key, Client: webhook.NewGuard(true).Client(), Log: zap.New(core)}
	return h
}

func (h *hook) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short fails the signature
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got, h.bodies = append(h.got, r), append(h.bodies, body)
	status := h.statuses[0]
	if len(h.statuses) > 1 {
		h.statuses = h.statuses[1:]
	}
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(status)
}

// event makes something happen and returns the delivery that tells of it.
func (h *hook) event() string {
	h.t.Helper()
	_, news, err := h.store.CreateRequest(h.t.Context(), store.Request{RequesterUID: "acme", Utility: "DEMO"})
	require.NoError(h.t, err)
	require.Len(h.t, news.Deliveries, 1)
	return news.Deliveries[0]
}

// run delivers with the workflow, and returns how that ended and how long it took.
func (h *hook) run(delivery string) (delivered bool, took time.Duration) {
	h.t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(3 * time.Minute)
	env.RegisterWorkflowWithOptions(workflows.WebhookDelivery, workflow.RegisterOptions{Name: workflows.WebhookWorkflowType})
	h.work.Register(env)
	began := env.Now()
	env.ExecuteWorkflow(workflows.WebhookWorkflowType, workflows.WebhookDeliveryInput{DeliveryUID: delivery})
	require.True(h.t, env.IsWorkflowCompleted())
	var result workflows.WebhookDeliveryResult
	require.NoError(h.t, env.GetWorkflowResult(&result))
	return result.Delivered, env.Now().Sub(began)
}

func (h *hook) delivery(uid string) store.Delivery {
	h.t.Helper()
	d, err := h.store.Delivery(h.t.Context(), uid)
	require.NoError(h.t, err)
	return d
}

func TestWebhook_ReceiversCanCheckTheSignature(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	uid := h.event()
	delivered, _ := h.run(uid)
	require.True(t, delivered)
	require.Len(t, h.got, 1)
	r, body := h.got[0], h.bodies[0]
	require.Equal(t, "/in?a=1&b=2", r.RequestURI)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.Equal(t, "Meterkey", r.Header.Get("User-Agent"))

	salt, signature := r.Header.Get("X-UtilityAPI-Webhook-Salt"), r.Header.Get("X-UtilityAPI-Webhook-Signature")
	require.Equal(t, webhook.Signature(secret, salt, body), signature, "over the bytes as they came")
	var compact, again bytes.Buffer
	require.NoError(t, json.Compact(&compact, body))
	require.NoError(t, json.Indent(&again, compact.Bytes(), "", "    "))
	require.Equal(t, webhook.Signature(secret, salt, again.Bytes()), signature, "over the bytes indented anew")

	var told struct {
		Events []struct {
			Type           string `json:"type"`
			DeliveryTarget string `json:"delivery_target"`
			FormUID        string `json:"form_uid"`
		}
		Next *string `json:"next"`
	}
	require.NoError(t, json.Unmarshal(body, &told))
	require.Len(t, told.Events, 1)
	require.Equal(t, "form_created", told.Events[0].Type)
	require.Equal(t, h.row.URL, told.Events[0].DeliveryTarget)
	require.NotEmpty(t, told.Events[0].FormUID)

	d := h.delivery(uid)
	require.Equal(t, store.DeliveryDelivered, d.Status)
	require.Equal(t, 1, d.Attempts)
	require.Equal(t, http.StatusOK, d.LastStatus)
	events, err := h.store.DeliveryEvents(t.Context(), uid)
	require.NoError(t, err)
	require.True(t, events[0].IsDelivered)
}

func TestWebhook_OnlyStatus200Counts(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusInternalServerError, http.StatusAccepted, http.StatusNoContent, http.StatusFound, http.StatusOK)
	uid := h.event()
	delivered, took := h.run(uid)
	require.True(t, delivered)
	require.Equal(t, 4*time.Hour, took.Round(time.Minute), "an hour after each")
	require.Len(t, h.got, 5)
	salts := map[string]bool{}
	for _, r := range h.got {
		require.Equal(t, "/in", r.URL.Path, "no redirect is followed")
		salts[r.Header.Get(webhook.HeaderSalt)] = true
	}
	require.Len(t, salts, 5, "a salt for each attempt")
	require.Equal(t, 5, h.delivery(uid).Attempts)
	require.Empty(t, h.delivery(uid).LastError)
}

func TestWebhook_GivesUpAfter72Hours(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusServiceUnavailable)
	uid := h.event()
	delivered, took := h.run(uid)
	require.False(t, delivered)
	require.Equal(t, 72*time.Hour, took.Truncate(time.Hour))
	d := h.delivery(uid)
	require.Equal(t, store.DeliveryFailed, d.Status)
	require.Equal(t, 73, d.Attempts)
	require.Equal(t, http.StatusServiceUnavailable, d.LastStatus)
	require.Contains(t, d.LastError, "answered with status 503 instead of 200")
	events, err := h.store.DeliveryEvents(t.Context(), uid)
	require.NoError(t, err)
	require.False(t, events[0].IsDelivered, "it can still be found as missed")
}

func TestWebhook_SlowReceiverIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	_, err := h.store.UpdateWebhook(t.Context(), "acme", h.row.UID, store.WebhookChange{URL: &slow.URL})
	require.NoError(t, err)
	h.work.Client.Timeout = 50 * time.Millisecond
	uid := h.event()
	err = h.once(uid)
	require.ErrorContains(t, err, "not taken")
	require.Contains(t, h.delivery(uid).LastError, "no answer within")
	require.Equal(t, store.DeliveryPending, h.delivery(uid).Status)
}

// once makes one attempt.
func (h *hook) once(uid string) error {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(h.work.Deliver)
	_, err := env.ExecuteActivity(h.work.Deliver, workflows.WebhookDeliveryInput{DeliveryUID: uid})
	return err
}

func TestWebhook_GoesNowhereInside(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	h.work.Client = webhook.NewGuard(false).Client()
	named := strings.Replace(h.receiver.URL, "127.0.0.1", "localhost", 1) // a name that means a loopback address
	_, err := h.store.UpdateWebhook(t.Context(), "acme", h.row.UID, store.WebhookChange{URL: &named})
	require.NoError(t, err)
	uid := h.event()
	require.Error(t, h.once(uid))
	require.Empty(t, h.got)
	require.Contains(t, h.delivery(uid).LastError, "private or reserved")
}

func TestWebhook_DeliveredIsNotPostedAgain(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	uid := h.event()
	require.NoError(t, h.once(uid))
	require.NoError(t, h.once(uid))
	require.Len(t, h.got, 1)
}

func TestWebhook_TurnedOffOrDeleted(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	off := false
	first, second := h.event(), h.event()
	_, err := h.store.UpdateWebhook(t.Context(), "acme", h.row.UID, store.WebhookChange{Enabled: &off})
	require.NoError(t, err)
	delivered, took := h.run(first)
	require.False(t, delivered)
	require.Less(t, took, time.Minute)
	require.Equal(t, store.DeliveryFailed, h.delivery(first).Status)

	ping, err := h.store.PingWebhook(t.Context(), "acme", h.row.UID)
	require.NoError(t, err)
	delivered, _ = h.run(ping.Deliveries[0])
	require.True(t, delivered, "a ping tries out what is not turned on yet")

	require.NoError(t, h.store.DeleteWebhook(t.Context(), "acme", h.row.UID))
	delivered, _ = h.run(second)
	require.False(t, delivered)
	require.Len(t, h.got, 1)
}

// forgetful fails to note the first attempts.
type forgetful struct {
	*store.Store
	faults int
}

func (f *forgetful) FinishAttempt(ctx context.Context, uid string, a store.Attempt) error {
	if f.faults--; f.faults >= 0 {
		return errors.New("the database is down")
	}
	return f.Store.FinishAttempt(ctx, uid, a)
}

func TestWebhook_FaultsOfOursAreMendedSoon(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	h.work.Store = &forgetful{h.store, 2}
	uid := h.event()
	delivered, took := h.run(uid)
	require.True(t, delivered)
	require.Less(t, took, time.Minute)
	require.Len(t, h.got, 3, "rather twice than never")
	require.Equal(t, 1, h.delivery(uid).Attempts)
}

func TestWebhook_AnotherKeyOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	other, err := portalkey.New(bytes.Repeat([]byte{8}, portalkey.Size))
	require.NoError(t, err)
	h.work.Key = other
	require.ErrorContains(t, h.once(h.event()), "reading the webhook's secret")
	require.Empty(t, h.got)
}

func TestWebhook_LogsNoSecret(t *testing.T) {
	t.Parallel()
	h := newHook(t, http.StatusOK)
	h.run(h.event())
	lines := h.logged.All()
	require.Len(t, lines, 1)
	require.Equal(t, "webhook", lines[0].Message)
	text, err := json.Marshal(lines[0].ContextMap())
	require.NoError(t, err)
	require.NotContains(t, string(text), secret)
	require.NotContains(t, string(text), "/in?a=1")
}
