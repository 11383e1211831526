package customer_test

import (
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/utilities"
)

// patience is how long a page may take to show something, in milliseconds.
const patience = 60_000.0

func TestMain(m *testing.M) { testenv.Main(m) }

// window opens a browser window of the test's own.
func window(t *testing.T, o playwright.BrowserNewContextOptions) playwright.BrowserContext {
	t.Helper()
	w, err := testenv.Browser(t).NewContext(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	w.SetDefaultTimeout(patience)
	return w
}

// deps are those of the gallery.
func deps(t *testing.T) customer.Deps {
	t.Helper()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	assets, err := web.NewAssets()
	require.NoError(t, err)
	return customer.Deps{Utilities: catalog, Assets: assets, Log: zaptest.NewLogger(t)}
}
