package utilities_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
)

// rehearsal is one account of one practice site, met in a page of its own.
type rehearsal struct {
	*testing.T
	url     string
	utility *utilities.Utility
	user    string
	visit   *utilities.Visit
	page    playwright.Page
}

func (r *rehearsal) ask(path string, into any) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url+path, nil)
	require.NoError(r, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(r, err)
	defer func() { require.NoError(r, response.Body.Close()) }()
	require.Equal(r, http.StatusOK, response.StatusCode, path)
	require.NoError(r, json.NewDecoder(response.Body).Decode(into))
}

// code waits for the latest code on the account's practice phone.
func (r *rehearsal) code() string {
	r.Helper()
	var code string
	require.Eventually(r, func() bool {
		var messages []practice.Message
		r.ask("/inbox.json?utility="+r.utility.ID+"&user="+url.QueryEscape(r.user), &messages)
		if len(messages) > 0 {
			code = messages[len(messages)-1].Code
		}
		return code != ""
	}, 10*time.Second, 50*time.Millisecond)
	return code
}

func TestPracticeSites(t *testing.T) {
	server, err := practice.Start(t.Context(), practice.Options{FormDelay: 100 * time.Millisecond, SlowDelay: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	catalog, err := utilities.Load("")
	require.NoError(t, err)

	var sites []struct {
		ID    string
		Kinds []practice.Kind
	}
	(&rehearsal{T: t, url: server.URL()}).ask("/utilities", &sites)
	require.Len(t, sites, 12)
	only := os.Getenv("ONLY")
	for _, site := range sites {
		for _, kind := range site.Kinds {
			if only != "" && !strings.HasPrefix(site.ID+"/"+string(kind), only) {
				continue
			}
			t.Run(site.ID+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				u, err := catalog.Find(site.ID)
				require.NoError(t, err)
				copied := *u
				u = &copied
				u.Flow.RenderWait = 8 * time.Second
				page := utilities.NewPage(t)
				user := string(kind) + "." + strings.ToLower(site.ID) + "@example.com"
				v := u.Visit(func() playwright.Page { return page }, utilities.VisitOptions{Origins: server.Origins(), Log: zaptest.NewLogger(t, zaptest.Level(zap.InfoLevel))})
				t.Cleanup(v.Close)
				r := &rehearsal{T: t, url: server.URL(), utility: u, user: user, visit: v, page: page}
				r.run(kind)
			})
		}
	}
}

func (r *rehearsal) run(kind practice.Kind) {
	start := time.Now()
	sight, err := r.visit.SignIn(r.Context(), utilities.Credentials{Username: r.user, Password: practice.Password})
	require.NoError(r, err)
	r.Logf("after %v: %s %+v", time.Since(start), sight.Page, sight.Challenge)
	if sight.Evidence != nil {
		r.Logf("%s\n%s", sight.Evidence.URL, sight.Evidence.Outline)
	}
	if sight.Page == utilities.SignedIn {
		start := time.Now()
		meters, sight, err := r.visit.Meters(r.Context())
		require.NoError(r, err)
		r.Logf("after %v: %s %d meters %+v", time.Since(start), sight.Page, len(meters), meters[:min(2, len(meters))])
		if sight.Evidence != nil {
			r.Logf("%s\n%s", sight.Evidence.URL, sight.Evidence.Outline)
		}
		var want []practice.Meter
		r.ask("/accounts/"+r.utility.ID+"/"+url.PathEscape(r.user), &want)
		r.Logf("want %d %+v", len(want), want[:min(2, len(want))])
	}
}
