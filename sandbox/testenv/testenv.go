// Package testenv is what the tests of a package share: a Chromium, a Temporal server, and the end of both after the last
// test. Each starts when it is first asked for.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

const (
	startLimit = 2 * time.Minute
	endLimit   = time.Minute
)

// ends are what AtEnd was told.
var ends struct {
	mu  sync.Mutex
	all []func(context.Context) error
}

// Main is the whole of a TestMain: it sets up what all tests need, runs them, and ends what they share.
func Main(m *testing.M, setUp ...func(context.Context) error) {
	code, err := run(m, setUp)
	if err = errors.Join(err, endAll()); err != nil {
		fmt.Fprintln(os.Stderr, "what the tests share:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, setUp []func(context.Context) error) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for _, f := range setUp {
		if err := f(ctx); err != nil {
			return 1, fmt.Errorf("setting it up: %w", err)
		}
	}
	return m.Run(), nil
}

// AtEnd has something ended after the last test. What began last ends first.
func AtEnd(end func(context.Context) error) {
	ends.mu.Lock()
	defer ends.mu.Unlock()
	ends.all = append(ends.all, end)
}

func endAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	ends.mu.Lock()
	defer ends.mu.Unlock()
	var err error
	for i := len(ends.all) - 1; i >= 0; i-- {
		err = errors.Join(err, ends.all[i](ctx))
	}
	return err
}

// Browser is one Chromium for all tests, which reaches nothing but this machine. Each test opens contexts of its own.
func Browser(t testing.TB) playwright.Browser {
	t.Helper()
	b, err := chromium()
	require.NoError(t, err)
	return b
}

var chromium = sync.OnceValues(func() (playwright.Browser, error) {
	executable, err := browser.FindChromium()
	if err != nil {
		return nil, err
	}
	pw, err := playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true})
	if err != nil {
		return nil, err
	}
	AtEnd(func(context.Context) error { return pw.Stop() })
	b, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath: &executable, ChromiumSandbox: playwright.Bool(os.Geteuid() != 0),
		Args: []string{"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"},
	})
	if err == nil {
		AtEnd(func(context.Context) error { return b.Close() })
	}
	return b, err
})

// Temporal is one development server for all tests.
var Temporal = sync.OnceValues(func() (*devenv.Temporal, error) {
	dir, err := os.MkdirTemp("", "meterkey-test-")
	if err != nil {
		return nil, err
	}
	AtEnd(func(context.Context) error { return os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	server, err := devenv.StartTemporal(ctx, devenv.TemporalOptions{Dir: dir})
	if err == nil {
		AtEnd(server.Stop)
	}
	return server, err
})
