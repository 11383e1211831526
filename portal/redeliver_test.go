package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// redelivers has a serving portal deliver, by command, what its requester's backend was given before.
func redelivers(t *testing.T, temporal *devenv.Temporal) {
	got := make(chan string, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- string(body)
	}))
	defer backend.Close()
	s := serve(t, temporal, "MK_RECIPIENT="+recipient(t), "MK_WEBHOOKS_PRIVATE=true")
	s.ready(t)
	s.says(t, "", "requester", "add", "acme")
	key, err := portalkey.LoadOrCreate(filepath.Join(s.dir, "portal.key"))
	require.NoError(t, err)
	_, sealed, err := webhook.NewSecret(key, "")
	require.NoError(t, err)
	db := s.database(t)
	hook, err := db.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: backend.URL, SecretSealed: sealed, Enabled: true})
	require.NoError(t, err)
	ping, err := db.PingWebhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)

	said := s.says(t, "", "redeliver", ping.Deliveries[0])
	prefix := "delivery " + ping.Deliveries[0] + " goes to " + backend.URL + " again as "
	require.True(t, strings.HasPrefix(said, prefix), said)
	require.Contains(t, receive(t, got), ping.Events[0].UID)
	again := strings.TrimSpace(strings.TrimPrefix(said, prefix))
	require.Eventually(t, func() bool {
		delivery, err := db.Delivery(t.Context(), again)
		return err == nil && delivery.Status == store.DeliveryDelivered
	}, 3*time.Minute, 10*time.Millisecond, "it is noted under the id that the command printed")

	require.Contains(t, s.fails(t, "", "redeliver", "no-such-delivery"), "reading delivery no-such-delivery: ")
	require.NoError(t, s.stop())
}

func receive(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case body := <-got:
		return body
	case <-time.After(time.Minute):
		t.Fatal("nothing was delivered")
		return ""
	}
}

// standsBeside has two portals serve one home, as behind a balancer.
func standsBeside(t *testing.T, temporal *devenv.Temporal) {
	to := recipient(t)
	first := serve(t, temporal, "MK_RECIPIENT="+to)
	first.ready(t)
	second := serve(t, temporal, "MK_RECIPIENT="+to, "MK_HOME="+first.dir)
	second.ready(t)
	first.says(t, "", "requester", "add", "acme")
	open := strings.TrimSpace(first.says(t, "", "key", "add", "--requester", "acme"))
	require.NoError(t, first.stop())
	status, _ := second.api(t, open)
	require.Equal(t, http.StatusOK, status, "the other one goes on, and knows what the first was told")

	owner, err := first.database(t).KeyOwner(t.Context(), open)
	require.NoError(t, err)
	second.says(t, "", "key", "revoke", owner.UID, "--requester", "acme")
	status, body := second.api(t, open)
	require.Equal(t, http.StatusUnauthorized, status, "a revoked key opens nothing from that moment on: %s", body)
	require.NoError(t, second.stop())
}

// api asks the API for the requester's data requests.
func (s serving) api(t *testing.T, key string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v2/forms", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	answer, err := (&http.Client{Timeout: 3 * time.Minute}).Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode, string(text)
}
