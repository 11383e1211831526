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
	t.Run("EVERSOURCE", func(t *testing.T) { eversourceInChromium(t, srv, browser) })
	t.Run("HECO", func(t *testing.T) { hecoInChromium(t, srv, browser) })
	t.Run("PSEG", func(t *testing.T) { psegInChromium(t, srv, browser) })
	t.Run("SCE", func(t *testing.T) { sceInChromium(t, srv, browser) })
	t.Run("SDGE", func(t *testing.T) { sdgeInChromium(t, srv, browser) })
	t.Run("Exelon", func(t *testing.T) { exelonInChromium(t, srv, browser) })
}
