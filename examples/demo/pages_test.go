package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/sandbox/devenv"
)

// asks is a visitor whose API answers so.
func asks(t *testing.T, answer http.HandlerFunc) (*visitor, *devenv.Customer, *[]string) {
	t.Helper()
	api := httptest.NewServer(answer)
	t.Cleanup(api.Close)
	said := &[]string{}
	return &visitor{Access: devenv.Access{PortalURL: api.URL, Key: "mk_practice"}}, &devenv.Customer{ID: "demo-1", Utility: "CONED", Acted: time.Now(),
		Say: func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) }}, said
}

func TestAskTakesIDAndLinkFromTheAPI(t *testing.T) {
	t.Parallel()
	v, c, said := asks(t, func(w http.ResponseWriter, r *http.Request) {
		var form map[string]string
		if err := json.NewDecoder(r.Body).Decode(&form); err != nil {
			t.Error(err)
		}
		if r.Method+" "+r.URL.Path != "POST /api/v2/forms" || r.Header.Get("Authorization") != "Bearer mk_practice" || form["utility"] != "CONED" {
			t.Errorf("%s %s %v", r.Method, r.URL, form)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"uid": "f7k2", "url": "http://127.0.0.1/r/f7k2.1.x"}`)
	})
	r := row{route: route{ask: v.ask}, id: c.ID}
	require.NoError(t, r.send(t.Context(), c))
	require.Equal(t, "f7k2", r.id, "notices and history go by the API's id")
	require.Equal(t, "f7k2", c.ID)
	require.Equal(t, "http://127.0.0.1/r/f7k2.1.x", v.url)
	require.Equal(t, []string{"data request sent through the API"}, *said)
}

func TestAskSaysWhatTheAPIRefused(t *testing.T) {
	t.Parallel()
	v, c, said := asks(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"title": "unauthorized"}`)
	})
	r := row{route: route{ask: v.ask}, id: c.ID}
	require.ErrorContains(t, r.send(t.Context(), c), `/api/v2/forms: 401 Unauthorized {"title": "unauthorized"}`)
	require.Equal(t, "demo-1", r.id)
	require.Empty(t, *said)
}

func TestMetersAreAwaitedUntilTheAPIHasThem(t *testing.T) {
	t.Parallel()
	answers := []string{
		`{"authorizations": []}`,
		`{"authorizations": [{"meters": {"meters": []}}]}`,
		`{"authorizations": [{"meters": {"meters": [{"uid": "1"}, {"uid": "2"}]}}]}`,
	}
	var asked atomic.Int32
	v, c, said := asks(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != "/api/v2/authorizations?include=meters&forms=demo-1" {
			t.Error(r.URL)
		}
		fmt.Fprint(w, answers[min(int(asked.Add(1)), len(answers))-1])
	})
	require.NoError(t, v.awaitMeters(t.Context(), c))
	require.EqualValues(t, 3, asked.Load())
	require.Positive(t, c.Meters)
	require.Regexp(t, `^meter list in the API after \d+\.\d s: 2$`, (*said)[0])
}

func TestMetersThatNeverComeEndWithTheRow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int32
	v, c, said := asks(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"authorizations": []}`)
		if asked.Add(1) == 2 {
			cancel()
		}
	})
	require.ErrorIs(t, v.awaitMeters(ctx, c), context.Canceled)
	require.Empty(t, *said)
	require.Zero(t, c.Meters)

	v, c, _ = asks(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	require.ErrorContains(t, v.awaitMeters(t.Context(), c), "500 Internal Server Error", "an API that fails is not waited for")
}
