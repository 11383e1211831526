package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/testsubmit"
)

func webhooksPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("webhooks.md")
	require.NoError(t, err)
	return string(text)
}

func TestWebhooksHasEveryEvent(t *testing.T) {
	t.Parallel()
	documented := rows(section(t, webhooksPage(t), "Events"))
	all := []store.EventType{store.EventPing, store.EventFormCreated, store.EventAuthorizationCreated, store.EventAuthorizationDeclined,
		store.EventAuthorizationRenewed, store.EventAuthorizationUpdateStarted, store.EventAuthorizationUpdateDelayed,
		store.EventAuthorizationUpdateRetrying, store.EventAuthorizationUpdateProgress, store.EventAuthorizationUpdateFinished,
		store.EventAuthorizationUpdateErrored, store.EventAuthorizationExpiringSoon, store.EventAuthorizationExpired,
		store.EventAuthorizationRevoked, store.EventMeterCreated}
	require.Len(t, documented, len(all))
	for i, event := range all {
		require.True(t, strings.HasPrefix(documented[i], fmt.Sprintf("| `%s` | ", event)), documented[i])
	}
}

func TestWebhooksHasEveryScenario(t *testing.T) {
	t.Parallel()
	var want []string
	for _, s := range testsubmit.Scenarios() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s | %d |", s.Name, s.Means, s.Status, s.Reason, s.Meters))
	}
	require.Equal(t, strings.Join(want, "\n"), strings.Join(rows(section(t, webhooksPage(t), "Test scenarios")), "\n"))
}

func TestWebhooksExampleSignatureIsRight(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	require.NoError(t, json.Indent(&body, []byte(`{"json":"object"}`), "", "    "))
	require.Contains(t, section(t, webhooksPage(t), "The signature"), "`"+webhook.Signature("secret", "salt", body.Bytes())+"`")
}
