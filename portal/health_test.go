package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is an address on this machine, on the given host, where a server answers so.
func answering(t *testing.T, host string, answer http.HandlerFunc) (port string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	require.NoError(t, err)
	server := &http.Server{Handler: answer, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	_, port, err = net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

func TestHealth_SaysWhatThePortalAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		body       string
		says, want string
	}{
		{http.StatusOK, "{\"status\":\"ok\"}\n", "{\"status\":\"ok\"}\n", ""},
		{http.StatusServiceUnavailable, "{\"database\":\"does not answer\",\"status\":\"unwell\"}\n", "",
			`the portal is not well: {"database":"does not answer","status":"unwell"}`},
		{http.StatusNotFound, "404 page not found\n", "", "the portal is not well: 404 page not found"},
		{http.StatusBadGateway, strings.Repeat("x", 1<<20), "", "the portal is not well: " + strings.Repeat("x", 1<<10)},
	} {
		port := answering(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		said, err := newHome(t, "MK_PORTAL_LISTEN=127.0.0.1:"+port).run(t.Context(), "", "health")
		require.Equal(t, c.says, said)
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, c.want)
	}
}

func TestHealth_AsksWhereThePortalListens(t *testing.T) {
	t.Parallel()
	well := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") }
	for _, c := range []struct{ listens, on string }{
		{"127.0.0.1", "127.0.0.1"}, {"127.0.0.2", "127.0.0.2"}, {"localhost", "127.0.0.1"}, {"::1", "::1"},
		{"", "127.0.0.1"}, {"0.0.0.0", "127.0.0.1"}, {"::", "127.0.0.1"},
	} {
		port := answering(t, c.on, well)
		require.Equal(t, "well", newHome(t, "MK_PORTAL_LISTEN="+net.JoinHostPort(c.listens, port)).says(t, "", "health"), c.listens)
	}
}

func TestHealth_IsBounded(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	port := answering(t, "127.0.0.1", func(http.ResponseWriter, *http.Request) { <-released })
	defer close(released)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	_, err := newHome(t, "MK_PORTAL_LISTEN=127.0.0.1:"+port).run(ctx, "", "health")
	require.ErrorContains(t, err, "asking the portal: Get \"http://127.0.0.1:"+port+"/healthz\": ")
	require.ErrorContains(t, err, "Client.Timeout exceeded")
	require.NoError(t, ctx.Err())
}

func TestHealth_NeedsNoDatabase(t *testing.T) {
	t.Parallel()
	h := newHome(t, "MK_DATABASE_FILE=/proc/nowhere/x.db", "MK_PORTAL_LISTEN=127.0.0.1:"+
		answering(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") }))
	require.Equal(t, "well", h.says(t, "", "health"))
	require.NoDirExists(t, h.dir)
}
