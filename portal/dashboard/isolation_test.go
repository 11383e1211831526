package dashboard

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// Another requester's things do not exist: on every route with a uid in it, in every page that lists, in every file.
func TestNobodySeesAnothersThings(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	seeded := f.seed()
	theirs := f.signedIn(rivalsEmail)
	hook, err := f.store.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://hooks.acme.example/", SecretSealed: "sealed", Enabled: true})
	require.NoError(t, err)
	news, err := f.store.PingWebhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)
	key, _, err := f.store.AddKey(t.Context(), "acme", "Ledger", nil)
	require.NoError(t, err)
	kept, err := f.store.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: "customers.csv"},
		[]store.ImportRow{{Line: 2, Email: "import@example.com", Outcome: store.ImportReady}})
	require.NoError(t, err)
	own := map[string]string{"requests": seeded.connected, "keys": key.UID, "webhooks": hook.UID, "imports": kept.UID}
	for _, route := range routes(t) {
		method, path, _ := strings.Cut(route, " ")
		if !strings.Contains(path, "{uid}") {
			continue
		}
		for _, action := range []string{"resend", "cancel", "revoke", "archive"} {
			section := strings.Split(path, "/")[2]
			address := strings.NewReplacer("{uid}", own[section], "{delivery}", news.Deliveries[0], "{action}", action).Replace(path)
			a := theirs.get(address)
			if method == http.MethodPost {
				a = theirs.post(address, url.Values{"challenge": {"c-1"}, "code": {"1"}})
			}
			require.Equal(t, http.StatusNotFound, a.status, "%s %s", method, address)
			require.NotContains(t, a.body, "acme")
		}
	}
	for _, path := range []string{"/dashboard/requests", "/dashboard/requests?q=ana", "/dashboard/requests?after=" + seeded.connected, "/dashboard/imports", "/dashboard/keys", "/dashboard/webhooks", "/dashboard/numbers"} {
		body := theirs.get(path).body
		for _, secret := range []string{"ana.garcia", "Ana García", "customers.csv", "Ledger", "hooks.acme.example", "Acme"} {
			require.NotContains(t, body, secret, path)
		}
	}
	require.Contains(t, theirs.get("/dashboard/requests").body, "secret@example.net")
	unchanged(t, f, seeded, hook)
}

// unchanged: what was asked for had no effect.
func unchanged(t *testing.T, f *fixture, seeded seeded, hook store.Webhook) {
	t.Helper()
	request, err := f.store.Request(t.Context(), "acme", seeded.connected)
	require.NoError(t, err)
	require.False(t, request.IsArchived)
	meters, err := f.store.AllMeters(t.Context(), "acme", request.AuthorizationUID)
	require.NoError(t, err)
	require.Len(t, meters, 5)
	after, err := f.store.Webhook(t.Context(), "acme", hook.UID)
	require.NoError(t, err)
	require.True(t, after.Enabled)
	keys, err := f.store.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Nil(t, keys[0].Revoked)
	require.Empty(t, f.hooks.delivered)
}

// routes are all addresses that the package serves, read from its source, so that a new one is never forgotten.
func routes(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	constants := map[string]string{"listPath": listPath, "importsPath": importsPath, "keysPath": keysPath, "webhooksPath": webhooksPath,
		"signInPath": signInPath, "accountPath": accountPath}
	handled := regexp.MustCompile(`mux\.Handle(?:Func)?\("(GET|POST) "?(?:\+(\w+))?(?:\+")?([^",\n]*)"?,`)
	var all []string
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		for _, match := range handled.FindAllStringSubmatch(string(text), -1) {
			all = append(all, match[1]+" "+constants[match[2]]+match[3])
		}
	}
	require.Contains(t, all, "POST /dashboard/requests/{uid}/{action}")
	require.Contains(t, all, "GET /dashboard/webhooks/{uid}")
	require.Greater(t, len(all), 35)
	return all
}
