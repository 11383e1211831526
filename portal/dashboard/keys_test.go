package dashboard

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

func TestAKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	require.Contains(t, v.post("/dashboard/keys", url.Values{"name": {" "}}).body, "The name is missing")
	page := v.post("/dashboard/keys", url.Values{"name": {"Ledger"}}).body
	key := regexp.MustCompile(`mk_[a-z0-9]{40,}`).FindString(page)
	require.NotEmpty(t, key)
	owner, err := f.store.KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "acme", owner.RequesterUID)
	again := v.get("/dashboard/keys").body
	require.NotContains(t, again, key)
	require.Contains(t, again, owner.Prefix)
	require.Contains(t, again, "just now", "it was used a moment ago")

	address := "/dashboard/keys/" + owner.UID + "/revoke"
	require.Contains(t, v.get(address).body, "Revoke the key “Ledger”?")
	require.Equal(t, http.StatusSeeOther, v.post(address, nil).status)
	_, err = f.store.KeyOwner(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Equal(t, http.StatusNotFound, v.get(address).status, "it is revoked already")
	require.Contains(t, v.get("/dashboard/keys?done=key-revoked").body, "Revoked")
}

func TestKeysSayWhetherTheyWork(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, c := range []struct {
		expires *time.Time
		says    string
	}{{&past, ">Expired<"}, {&future, ">Works<"}} {
		require.NotContains(t, v.get("/dashboard/keys").body, c.says)
		_, _, err := f.store.AddKey(t.Context(), "acme", "Ledger", c.expires)
		require.NoError(t, err)
		require.Contains(t, v.get("/dashboard/keys").body, c.says)
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	refused := v.post("/dashboard/webhooks", url.Values{"url": {"https://10.0.0.1/hook"}})
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.body, "This address is private")
	require.Contains(t, refused.body, `value="https://10.0.0.1/hook"`, "what was typed is still there")
	page := v.post("/dashboard/webhooks", url.Values{"url": {"https://hooks.acme.example/meterkey"}}).body
	require.Contains(t, page, "shown-once")
	require.NotContains(t, v.get("/dashboard/webhooks").body, "shown-once")
	hooks, err := f.store.Webhooks(t.Context(), "acme")
	require.NoError(t, err)
	require.Len(t, hooks, 1)
	require.Equal(t, "sealed", hooks[0].SecretSealed)

	address := "/dashboard/webhooks/" + hooks[0].UID
	require.Contains(t, v.post(address+"/ping", nil).location(), "done=pinged")
	require.Len(t, f.hooks.delivered, 1)
	require.NoError(t, f.store.FinishAttempt(t.Context(), f.hooks.delivered[0], store.Attempt{Status: 500, Error: "it answered 500", Outcome: store.DeliveryFailed}))
	shown := v.get(address).body
	for _, says := range []string{"Given up", "500", "it answered 500"} {
		require.Contains(t, shown, says)
	}
	require.Contains(t, v.get("/dashboard/webhooks").body, "Given up")
	require.Contains(t, v.post(address+"/deliveries/"+f.hooks.delivered[0], nil).location(), address+"?done=redelivered")
	require.Len(t, f.hooks.delivered, 2)
	require.Contains(t, v.get(address).body, "On its way")

	require.Contains(t, v.post(address+"/disable", nil).location(), "done=webhook-off")
	require.Contains(t, v.get(address+"?done=webhook-off").body, "The webhook is switched off.")
	require.Contains(t, v.get(address).body, "Switch it on")
	require.Contains(t, v.post(address+"/enable", nil).location(), "done=webhook-on")
	require.Contains(t, v.get(address+"/delete").body, "Delete the webhook?")
	require.Equal(t, http.StatusSeeOther, v.post(address+"/delete", nil).status)
	require.Equal(t, http.StatusNotFound, v.get(address).status)
}

func TestEveryDoneHasWords(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		require.NotEmpty(t, doneText(a.done), a.Name)
	}
	for _, code := range []string{"sent", "code", "late", "password", "key-revoked", "webhook-on", "webhook-off", "webhook-deleted", "pinged", "redelivered"} {
		require.True(t, strings.HasSuffix(doneText(code), "."), code)
	}
	require.Empty(t, doneText("<script>"))
}

// The pages of keys and webhooks with something in them, as people see them.
func TestKeysAndWebhooksAsPeopleSeeThem(t *testing.T) {
	f := newFixture(t, options{})
	s := f.open(t, desktop, patsEmail)
	s.visit("/dashboard/keys")
	s.fill("Name", "CRM")
	s.press("Make the key")
	s.see("text=shown this once")
	s.accessible()
	s.picture("key-made")
	s.visit("/dashboard/webhooks")
	s.fill("Address", "https://hooks.acme.example/meterkey")
	s.press("Add the webhook")
	s.see("text=The secret of")
	s.accessible()
	s.follow("https://hooks.acme.example/meterkey")
	s.press("Send a ping")
	s.see("text=A ping is on its way")
	s.see("text=On its way")
	s.accessible()
	s.picture("webhook")
	require.NoError(t, s.SetViewportSize(phone.Width, phone.Height))
	s.fits()
	s.picture("webhook-phone")
}
