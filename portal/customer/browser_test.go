package customer_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/utilities"
)

// patience is how long a page or a browser may take, in milliseconds.
const patience = 180_000.0

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := errors.Join(closeBrowser(), endWorld()); err != nil {
		fmt.Fprintln(os.Stderr, "ending what the tests used:", err)
		code = 1
	}
	os.Exit(code)
}

// theBrowser is one Chromium for all tests; each has windows of its own in it. It starts when the first test needs it.
var theBrowser = sync.OnceValues(openBrowser)

// opened is what theBrowser opened, to be closed.
var opened struct {
	playwright *playwright.Playwright
	browser    playwright.Browser
}

func openBrowser() (playwright.Browser, error) {
	if os.Getenv("PLAYWRIGHT_NODEJS_PATH") == "" {
		node, err := exec.LookPath("node")
		if err != nil {
			return nil, err
		}
		if err := os.Setenv("PLAYWRIGHT_NODEJS_PATH", node); err != nil {
			return nil, err
		}
	}
	var err error
	opened.playwright, err = playwright.Run(&playwright.RunOptions{DriverDirectory: driver(), SkipInstallBrowsers: true})
	if err != nil {
		return nil, err
	}
	args := []string{"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"}
	opened.browser, err = opened.playwright.Chromium.Launch(playwright.BrowserTypeLaunchOptions{ExecutablePath: playwright.String(chromium()), Args: args,
		ChromiumSandbox: playwright.Bool(os.Geteuid() != 0), Timeout: playwright.Float(patience)})
	return opened.browser, err
}

func closeBrowser() error {
	var failed []error
	if opened.browser != nil {
		failed = append(failed, opened.browser.Close())
	}
	if opened.playwright != nil {
		failed = append(failed, opened.playwright.Stop())
	}
	return errors.Join(failed...)
}

func driver() string {
	if named := os.Getenv("PLAYWRIGHT_DRIVER_PATH"); named != "" {
		return named
	}
	return "../../.tools/playwright"
}

// chromium finds a browser; without one, Playwright says what is missing.
func chromium() string {
	places := []string{os.Getenv("MK_CHROMIUM"), "/usr/lib/chromium/chromium-headless-shell"}
	found, err := filepath.Glob("../../.tools/browsers/*/*/*headless?shell")
	if err != nil {
		return ""
	}
	for _, place := range append(places, found...) {
		if _, err := os.Stat(place); place != "" && err == nil {
			return place
		}
	}
	return ""
}

// window opens a browser window of the test's own.
func window(t *testing.T, o playwright.BrowserNewContextOptions) playwright.BrowserContext {
	t.Helper()
	browser, err := theBrowser()
	require.NoError(t, err)
	w, err := browser.NewContext(o)
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
