package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	require.NoError(t, run(t.Context(), []string{server.URL + "/healthz"}))
	require.ErrorContains(t, run(t.Context(), []string{server.URL}), "503 Service Unavailable")
	server.Close()
	require.ErrorContains(t, run(t.Context(), []string{server.URL + "/healthz"}), "connection refused")
	require.ErrorContains(t, run(t.Context(), nil), "one address is needed, not 0")
	require.ErrorContains(t, run(t.Context(), []string{":"}), "reading the address")
}
