package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/portal/web"
)

func assets(t *testing.T) *web.Assets {
	t.Helper()
	a, err := web.NewAssets()
	require.NoError(t, err)
	return a
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil))
	return answer
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	address, err := assets(t).Address("meterkey.css")
	require.NoError(t, err)
	require.Regexp(t, `^/static/[0-9a-f]{16}/meterkey\.css$`, address)

	answer := get(web.Secure(assets(t)), address)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "public, max-age=31536000, immutable", answer.Header().Get("Cache-Control"))
	require.Contains(t, answer.Header().Get("Content-Type"), "text/css")
	require.Contains(t, answer.Body.String(), ":root")
}

func TestAssetsServeNothingElse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/static/", "/static/meterkey.css", "/static/0000000000000000/meterkey.css", "/static/x/../assets.go", "/static/x/vendor/"} {
		require.Equal(t, http.StatusNotFound, get(assets(t), path).Code, path)
	}
	_, err := assets(t).Address("none.css")
	require.ErrorContains(t, err, `"none.css"`)
}

// What others wrote is kept as they published it, each file with its licence; the manifest says which version it is.
func TestVendoredFilesAreTheManifests(t *testing.T) {
	t.Parallel()
	type entry struct{ Name, Version, From, File, SHA256, Licence string }
	var manifest []entry
	text, err := os.ReadFile("static/vendor/manifest.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &manifest))

	listed := map[string]bool{"manifest.json": true}
	for _, e := range manifest {
		content, err := os.ReadFile(filepath.Join("static/vendor", e.File))
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		require.Equal(t, hex.EncodeToString(sum[:]), e.SHA256, e.File)
		require.Regexp(t, `^\d+\.\d+\.\d+$`, e.Version, e.Name)
		licence, err := os.ReadFile(filepath.Join("static/vendor", e.Licence))
		require.NoError(t, err)
		require.NotEmpty(t, licence, e.Licence)
		listed[e.File], listed[e.Licence] = true, true
	}
	entries, err := os.ReadDir("static/vendor")
	require.NoError(t, err)
	for _, file := range entries {
		require.True(t, listed[file.Name()], "%s is not in the manifest", file.Name())
	}
}

func TestHeadersThatKeepPagesSafe(t *testing.T) {
	t.Parallel()
	answer := get(web.Secure(http.NotFoundHandler()), "/")
	policy := answer.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'self'")
	require.Contains(t, policy, "frame-ancestors 'none'")
	require.NotContains(t, policy, "unsafe")
	require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
	require.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "same-origin", answer.Header().Get("Referrer-Policy"))
}

func pages(t *testing.T, files fstest.MapFS) *web.Pages {
	t.Helper()
	p, err := web.NewPages(files, assets(t), nil)
	require.NoError(t, err)
	return p
}

var hello = fstest.MapFS{
	"_shared.html": {Data: []byte(`{{define "greeting"}}Hello {{.}}{{end}}`)},
	"hello.html":   {Data: []byte(`{{define "main"}}<h1>{{template "greeting" .Data}}</h1>{{end}}`)},
	"broken.html":  {Data: []byte(`{{define "main"}}{{.Data.Nothing}}{{end}}`)},
}

func TestPage(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	page := web.Page{Lang: "es", Title: "Hola", Live: "/live", Key: "k1", Refresh: 5, Data: "<you>",
		Flash: &web.Flash{Kind: web.Success, Text: "Done"}}
	require.NoError(t, pages(t, hello).Write(answer, http.StatusTeapot, "hello", page))

	require.Equal(t, http.StatusTeapot, answer.Code)
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	html := answer.Body.String()
	for _, want := range []string{`<html lang="es">`, "<title>Hola · Meterkey</title>", "Hello &lt;you&gt;", `sse-connect="/live"`,
		`data-key="k1"`, `<noscript><meta http-equiv="refresh" content="5"></noscript>`, `class="flash success" role="status">Done`} {
		require.Contains(t, html, want)
	}
	requireNothingInline(t, html)
}

// The content policy forbids what stands in the page itself; a browser would drop it without a word to us.
func requireNothingInline(t *testing.T, html string) {
	t.Helper()
	require.NotRegexp(t, `(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`, html)
}

func TestFragmentIsTheTitleAndTheContent(t *testing.T) {
	t.Parallel()
	text, err := pages(t, hello).Fragment("hello", web.Page{Title: "Hi", Data: "you"})
	require.NoError(t, err)
	require.Equal(t, "<title>Hi · Meterkey</title><h1>Hello you</h1>", strings.TrimSpace(text))
}

func TestErrorPage(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	page := web.Page{Data: web.ErrorText{Heading: "Not here", Text: "Look elsewhere.", Link: "/", LinkText: "Start"}}
	require.NoError(t, pages(t, nil).Write(answer, http.StatusNotFound, "error", page))
	require.Equal(t, http.StatusNotFound, answer.Code)
	require.Contains(t, answer.Body.String(), "<h1>Not here</h1>")
	require.Contains(t, answer.Body.String(), `href="/"`)
}

func TestPageThatCannotBeDrawnSendsNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"broken", "none"} {
		answer := httptest.NewRecorder()
		err := pages(t, hello).Write(answer, http.StatusOK, name, web.Page{Data: "text"})
		require.ErrorContains(t, err, name)
		require.Empty(t, answer.Body.String())
		require.Empty(t, answer.Header())
	}
	_, err := web.NewPages(fstest.MapFS{"bad.html": {Data: []byte("{{")}}, assets(t), nil)
	require.ErrorContains(t, err, "bad.html")
}

func TestStream(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	stream, err := web.NewStream(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	require.NoError(t, err)
	require.NoError(t, stream.Send(web.Event{Name: "page", ID: "v\n1", Data: "one\r\ntwo\rthree\nfour"}))
	require.NoError(t, stream.Send(web.Event{}))
	require.NoError(t, stream.Ping())

	require.True(t, answer.Flushed)
	require.Equal(t, "text/event-stream", answer.Header().Get("Content-Type"))
	require.Equal(t, "retry: 1000\n\n"+
		"id: v1\nevent: page\ndata: one\ndata: two\ndata: three\ndata: four\n\n"+
		"data: \n\n"+
		": ping\n\n", answer.Body.String())
}

func TestStreamEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	stream, err := web.NewStream(httptest.NewRecorder(), request)
	require.NoError(t, err)
	leave()
	require.ErrorIs(t, stream.Ping(), context.Canceled)
	require.ErrorIs(t, stream.Send(web.Event{Name: "page"}), context.Canceled)
}
