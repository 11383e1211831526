package customer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/utilities"
)

func testDeps(t testing.TB) Deps {
	t.Helper()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	assets, err := web.NewAssets()
	require.NoError(t, err)
	return Deps{Utilities: catalog, Assets: assets, Log: zaptest.NewLogger(t)}
}

func testPreviews(t *testing.T) []preview {
	t.Helper()
	all, err := previews(testDeps(t).Utilities)
	require.NoError(t, err)
	return all
}

func read(t *testing.T, h http.Handler, address string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
	return answer
}

func TestEveryPreviewIsDrawn(t *testing.T) {
	t.Parallel()
	gallery, err := Gallery(testDeps(t))
	require.NoError(t, err)
	for _, s := range testPreviews(t) {
		for _, lang := range languages() {
			answer := read(t, gallery, GalleryPrefix+lang+"/"+s.name)
			require.Equal(t, s.status, answer.Code, s.name)
			html := answer.Body.String()
			require.Contains(t, html, `<html lang="`+lang+`">`, s.name)
			require.Equal(t, 1, strings.Count(html, "<h1"), "%s has one heading", s.name)
			require.NotContains(t, html, "no value", s.name)
			require.NotContains(t, html, "%!", s.name)
		}
	}
}

func TestGalleryLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	gallery, err := Gallery(testDeps(t))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, read(t, gallery, GalleryPrefix).Code)
	require.Equal(t, http.StatusNotFound, read(t, gallery, GalleryPrefix+"en/none").Code)
	require.Equal(t, http.StatusNotFound, read(t, gallery, GalleryPrefix+"fr/code").Code)
	require.Equal(t, GalleryPrefix, read(t, gallery, GalleryPrefix+"en/code/decline").Header().Get("Location"))
	require.Equal(t, GalleryPrefix+"es/code", read(t, gallery, GalleryPrefix+"en/code?lang=es").Header().Get("Location"))
}
