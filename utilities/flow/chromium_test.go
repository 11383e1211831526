package flow

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// chromium is the one browser that all tests share; each page has a context of its own.
var chromium = sync.OnceValues(func() (playwright.Browser, error) {
	chromiumRuns.Store(true)
	pw, err := playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true, Verbose: false})
	if err != nil {
		return nil, err
	}
	path, err := chromiumPath()
	if err != nil {
		return nil, err
	}
	args := []string{`--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1`}
	return pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath: playwright.String(path), Args: args, ChromiumSandbox: playwright.Bool(os.Geteuid() != 0), Timeout: playwright.Float(180_000),
	})
})

// chromiumRuns says whether any test wanted it: fuzzing does not.
var chromiumRuns atomic.Bool

func chromiumPath() (string, error) {
	for _, path := range []string{
		os.Getenv("MK_CHROMIUM"), "/usr/lib/chromium/chromium-headless-shell", "/usr/lib/chromium/chromium", "/usr/bin/chromium-browser",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
	} {
		if _, err := os.Stat(path); path != "" && err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium found: name one in MK_CHROMIUM")
}

// pages bounds how many pages are open at the same time.
var pages = make(chan struct{}, 2)

// NewPage opens a page in a context of its own, closed at the test's end.
func NewPage(t *testing.T) playwright.Page {
	t.Helper()
	pages <- struct{}{}
	t.Cleanup(func() { <-pages })
	browser, err := chromium()
	require.NoError(t, err)
	context, err := browser.NewContext()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, context.Close()) })
	page, err := context.NewPage()
	require.NoError(t, err)
	return page
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := endChromium(); err != nil && code == 0 {
		code = 1
	}
	os.Exit(code)
}

func endChromium() error {
	if !chromiumRuns.Load() {
		return nil
	}
	browser, err := chromium()
	if err != nil {
		return nil //nolint:nilerr // the tests that wanted it have said so
	}
	return browser.Close()
}
