package webhook_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

// TestSignature_PublishedVector is the example in the tests of EDDIE, an independent receiver of such webhooks.
func TestSignature_PublishedVector(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	require.NoError(t, json.Indent(&body, []byte(`{"json":"object"}`), "", "    "))
	require.Equal(t, "6cd59ee8461872a3e0deea0d6428b5cdad5049452b4914ad66ed1cc1081b5e7d", webhook.Signature("secret", "salt", body.Bytes()))
	require.NotEqual(t, webhook.Signature("secret", "salt", []byte(`{"json":"object"}`)), webhook.Signature("secret", "salt", body.Bytes()))
}

func TestSign_EachTimeWithAnotherSalt(t *testing.T) {
	t.Parallel()
	first, second := http.Header{}, http.Header{}
	webhook.Sign(first, "a secret", []byte("{}"))
	webhook.Sign(second, "a secret", []byte("{}"))
	require.NotEqual(t, first.Get("X-UtilityAPI-Webhook-Salt"), second.Get("X-UtilityAPI-Webhook-Salt"))
	require.Equal(t, webhook.Signature("a secret", first.Get("X-UtilityAPI-Webhook-Salt"), []byte("{}")), first.Get("X-UtilityAPI-Webhook-Signature"))
}

func TestBody_IsExactly(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 5, 653422000, time.UTC)
	body, err := webhook.Body([]store.Event{
		{UID: "e1", Type: store.EventAuthorizationCreated, TS: at, AuthorizationUID: "a1", FormUID: "f1"},
		{UID: "e2", Type: store.EventMeterCreated, TS: at.Add(time.Microsecond), AuthorizationUID: "a1", MeterUID: "m1"},
	}, "https://hooks.acme.example/in?a=1&b=<2>")
	require.NoError(t, err)
	want := `{
    "events": [
        {
            "uid": "e1",
            "type": "authorization_created",
            "ts": "2026-11-23T09:00:05.653422+00:00",
            "delivery_method": "webhook",
            "delivery_target": "https://hooks.acme.example/in?a=1&b=<2>",
            "is_delivered": false,
            "authorization_uid": "a1",
            "form_uid": "f1"
        },
        {
            "uid": "e2",
            "type": "meter_created",
            "ts": "2026-11-23T09:00:05.653423+00:00",
            "delivery_method": "webhook",
            "delivery_target": "https://hooks.acme.example/in?a=1&b=<2>",
            "is_delivered": false,
            "authorization_uid": "a1",
            "meter_uid": "m1"
        }
    ],
    "next": null
}`
	require.Equal(t, []byte(want), body, "to the byte")
}

// TestBody_IndentedAnewIsTheSame: EDDIE parses a body and indents it by four blanks before it hashes.
func TestBody_IndentedAnewIsTheSame(t *testing.T) {
	t.Parallel()
	body, err := webhook.Body([]store.Event{{UID: "e1", Type: store.EventPing, TS: time.Unix(0, 0)}}, "https://a.example/?x=1&y=é")
	require.NoError(t, err)
	var compact, again bytes.Buffer
	require.NoError(t, json.Compact(&compact, body))
	require.NoError(t, json.Indent(&again, compact.Bytes(), "", "    "))
	require.Equal(t, string(body), again.String())
}

func TestBody_NoEventsIsNoNull(t *testing.T) {
	t.Parallel()
	body, err := webhook.Body(nil, "https://a.example")
	require.NoError(t, err)
	want := "{\n    \"events\": [],\n    \"next\": null\n}"
	require.Equal(t, []byte(want), body)
}

func TestCheck_Addresses(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"":                                     "begins with https://",
		"hooks.acme.example":                   "begins with https://",
		"ftp://hooks.acme.example/":            "begins with https://",
		"https:///path":                        "begins with https://",
		"https://[::1":                         "begins with https://",
		"https://user:word@hooks.acme.example": "no password",
		"https://8.8.8.8/#part":                "must not hold a #",
		"https://8.8.8.8/" + strings.Repeat("a", 2000): "longer than 2000",
		"http://127.0.0.1:8400/":                       "private or reserved",
		"http://127.9.9.9/":                            "private or reserved",
		"http://localhost/":                            "private or reserved", // a name that means a loopback address
		"http://[::1]/":                                "private or reserved",
		"http://0.0.0.0/":                              "private or reserved",
		"http://[::]/":                                 "private or reserved",
		"http://10.1.2.3/":                             "private or reserved",
		"http://172.16.0.1/":                           "private or reserved",
		"http://192.168.1.1/":                          "private or reserved",
		"http://[fd00::1]/":                            "private or reserved",
		"http://169.254.169.254/latest/meta-data/":     "private or reserved",
		"http://[fe80::1]/":                            "private or reserved",
		"http://[fd00:ec2::254]/":                      "private or reserved",
		"http://100.64.0.1/":                           "private or reserved",
		"http://100.100.100.200/":                      "private or reserved",
		"http://224.0.0.1/":                            "private or reserved",
		"http://[ff02::1]/":                            "private or reserved",
		"http://255.255.255.255/":                      "private or reserved",
		"http://[::ffff:127.0.0.1]/":                   "private or reserved",
		"http://[::ffff:10.0.0.1]/":                    "private or reserved",
		"http://[64:ff9b::7f00:1]/":                    "private or reserved",
		"http://[2002:7f00:1::]/":                      "private or reserved",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			err := webhook.NewGuard(false).Check(t.Context(), address)
			require.ErrorIs(t, err, webhook.ErrRefused)
			require.ErrorContains(t, err, says)
		})
	}
	for _, address := range []string{"https://8.8.8.8/in", "http://8.8.4.4:8080", "https://[2606:4700::1111]/in?x=1", "https://[::ffff:8.8.8.8]/"} {
		require.NoError(t, webhook.NewGuard(false).Check(t.Context(), address), address)
	}
	require.NoError(t, webhook.NewGuard(true).Check(t.Context(), "http://127.0.0.1:9000/in"))
	require.ErrorIs(t, webhook.NewGuard(true).Check(t.Context(), "127.0.0.1:9000"), webhook.ErrRefused)
}

// TestClient_LooksWhenItConnects: what a name means is checked when a connection is made, whatever it meant before.
func TestClient_LooksWhenItConnects(t *testing.T) {
	t.Parallel()
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		_, err := post(t, webhook.NewGuard(false).Client(), "http://"+host+":"+port)
		require.Error(t, err, host)
		require.Contains(t, webhook.Explain(err), "private or reserved")
		require.NotContains(t, webhook.Explain(err), "127.0.0.1", "what names mean here is nobody's business")
	}
	require.False(t, reached)
	status, err := post(t, webhook.NewGuard(true).Client(), "http://localhost:"+port)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.True(t, reached)
}

func TestClient_FollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	status, err := post(t, webhook.NewGuard(true).Client(), server.URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, status)
	require.Equal(t, []string{"/"}, paths)
}

func TestClient_WaitsNotForEver(t *testing.T) {
	t.Parallel()
	client := webhook.NewGuard(true).Client()
	require.Equal(t, 10*time.Second, client.Timeout)
	client.Timeout = 50 * time.Millisecond
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	_, err := post(t, client, server.URL)
	require.Contains(t, webhook.Explain(err), "no answer within")
}

func TestExplain_LeavesOutTheAddress(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = post(t, webhook.NewGuard(true).Client(), "http://"+listener.Addr().String()+"/in?key=sesame")
	require.Contains(t, webhook.Explain(err), "connection refused")
	require.NotContains(t, webhook.Explain(err), "sesame")
}

// post returns the status of the answer.
func post(t *testing.T, client *http.Client, address string) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("{}"))
	require.NoError(t, err)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func newKey(t *testing.T) *portalkey.Key {
	t.Helper()
	key, err := portalkey.New(bytes.Repeat([]byte{7}, portalkey.Size))
	require.NoError(t, err)
	return key
}

func TestNewSecret_IsKeptSealed(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for _, given := range []string{"", "a-secret-of-our-own"} {
		secret, sealed, err := webhook.NewSecret(key, given)
		require.NoError(t, err)
		require.NotContains(t, sealed, secret)
		opened, err := webhook.OpenSecret(key, sealed)
		require.NoError(t, err)
		require.Equal(t, secret, opened)
		if given != "" {
			require.Equal(t, given, secret)
		} else {
			require.GreaterOrEqual(t, len(secret), 26)
		}
	}
}

func TestNewSecret_RefusesWhatIsEasyToGuessOrToMistype(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"short", strings.Repeat("x", 201), "sixteen letters and blanks", "sixteen\nletters-and", "sixteen-léttres-"} {
		_, _, err := webhook.NewSecret(newKey(t), secret)
		require.ErrorIs(t, err, webhook.ErrSecret)
	}
}

// FuzzCheck: whatever a requester writes, Check answers without panic, and lets no loopback address pass.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"https://8.8.8.8", "http://127.0.0.1:80/x", "http://[::1%25lo]/", "http://0x7f.1/", "://", "https://8.8.8.8@127.0.0.1/"} {
		f.Add(seed)
	}
	guard := webhook.NewGuard(false)
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err == nil && net.ParseIP(u.Hostname()) == nil {
			return // names would be looked up
		}
		if guard.Check(t.Context(), address) == nil {
			require.False(t, net.ParseIP(u.Hostname()).IsLoopback(), address)
		}
	})
}
