package practice_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// client is a browser without a screen: it keeps cookies, follows no redirect and finds *.localhost on this machine.
type client struct {
	*testing.T
	srv *practice.Server
	*http.Client
}

func newClient(t *testing.T, srv *practice.Server) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	address := strings.TrimPrefix(srv.URL(), "http://")
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{t, srv, &http.Client{Transport: transport, Jar: jar, CheckRedirect: stay}}
}

// answer is what came back.
type answer struct {
	status   int
	body     string
	location string
	origin   string // of the host that answered
	header   http.Header
}

// into reads a JSON answer.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.body), v), a.body)
}

// asks sends a request to a real address on the site that stands for it.
func (c *client) asks(method, real, contentType, body string, header ...string) answer {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, practiceAddress(c.srv, real), strings.NewReader(body))
	require.NoError(c, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	got, err := c.Do(req)
	require.NoError(c, err)
	defer func() { require.NoError(c, got.Body.Close()) }()
	text, err := io.ReadAll(got.Body)
	require.NoError(c, err)
	return answer{got.StatusCode, string(text), got.Header.Get("Location"), "http://" + req.URL.Host, got.Header}
}

func (c *client) gets(real string, header ...string) answer {
	c.Helper()
	return c.asks(http.MethodGet, real, "", "", header...)
}

// fills posts a form.
func (c *client) fills(real string, fields ...string) answer {
	c.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return c.asks(http.MethodPost, real, "application/x-www-form-urlencoded", form.Encode())
}

// posts sends JSON.
func (c *client) posts(real, body string, header ...string) answer {
	c.Helper()
	return c.asks(http.MethodPost, real, "application/json", body, header...)
}

const demo = "https://demo.meterkey.example"

func (c *client) signsIn(user, password string) answer {
	c.Helper()
	return c.fills(demo+"/sign-in", "username", user, "password", password)
}

// ledgerOf and inboxOf read what the control endpoints tell of an account.
func ledgerOf(t *testing.T, srv *practice.Server, utility, user string) practice.Ledger {
	t.Helper()
	var ledger practice.Ledger
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodGet, "/ledger/"+utility+"/"+user, "", &ledger))
	return ledger
}

func inboxOf(t *testing.T, srv *practice.Server, utility, user string) []practice.Message {
	t.Helper()
	var inbox []practice.Message
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodGet, "/inbox/"+utility+"/"+user, "", &inbox))
	return inbox
}

func metersOf(t *testing.T, srv *practice.Server, utility, user string) []practice.Meter {
	t.Helper()
	var list []practice.Meter
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodGet, "/accounts/"+utility+"/"+user, "", &list))
	return list
}
