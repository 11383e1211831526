package practice_test

import (
	"net/http"
	"net/http/cookiejar"
	"testing"

	"github.com/stretchr/testify/require"
)

func jar(t *testing.T) http.CookieJar {
	t.Helper()
	kept, err := cookiejar.New(nil)
	require.NoError(t, err)
	return kept
}

// One browser serves all sites: starting it costs more than the drives.
func TestSitesInChromium(t *testing.T) {
	srv := start(t)
	browser := launch(t)
	t.Run("DEMO", func(t *testing.T) { demoInChromium(t, srv, browser) })
	t.Run("CONED", func(t *testing.T) { conedInChromium(t, srv, browser) })
	t.Run("Exelon", func(t *testing.T) { exelonInChromium(t, srv, browser) })
}
