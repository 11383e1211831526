package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/browser"
)

// chromium is the one browser that all tests share; each page has a context of its own.
var chromium = sync.OnceValues(func() (playwright.Browser, error) {
	executable, err := browser.FindChromium()
	if err != nil {
		return nil, err
	}
	pw, err := playwright.Run(&playwright.RunOptions{SkipInstallBrowsers: true})
	if err != nil {
		return nil, err
	}
	b, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{ExecutablePath: &executable, ChromiumSandbox: playwright.Bool(os.Geteuid() != 0),
		Timeout: playwright.Float(float64(stepLimit.Milliseconds())),
		Args:    []string{`--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`}})
	ends = append(ends, func(context.Context) error { return errors.Join(b.Close(), pw.Stop()) })
	return b, err
})

// axe is the accessibility engine.
var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", ".tools", "axe", "node_modules", "axe-core", "axe.min.js"))
	return string(text), err
})

// stepLimit bounds each step at a page, far above what any takes.
const stepLimit = 3 * time.Minute

// The widths at which pages are looked at.
var (
	phone   = playwright.Size{Width: 390, Height: 844}
	desktop = playwright.Size{Width: 1280, Height: 860}
)

// sight is a person at a browser.
type sight struct {
	playwright.Page
	t *testing.T
	w *world
}

// open opens a browser of this size in which the person is signed in, unless email is empty.
func (w *world) open(t *testing.T, size playwright.Size, email string, adapt ...func(*playwright.BrowserNewContextOptions)) *sight {
	t.Helper()
	b, err := chromium()
	require.NoError(t, err)
	o := playwright.BrowserNewContextOptions{Viewport: &size, Locale: playwright.String("en-GB"), TimezoneId: playwright.String("America/New_York"),
		BaseURL: playwright.String(w.server.URL), DeviceScaleFactor: playwright.Float(1)}
	for _, change := range adapt {
		change(&o)
	}
	window, err := b.NewContext(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, window.Close()) })
	window.SetDefaultTimeout(float64(stepLimit.Milliseconds()))
	page, err := window.NewPage()
	require.NoError(t, err)
	page.OnPageError(func(err error) { t.Errorf("a script failed on %s: %v", page.URL(), err) })
	page.OnConsole(func(m playwright.ConsoleMessage) {
		if strings.Contains(m.Text(), "Content Security Policy") {
			t.Errorf("%s breaks its own policy: %s", page.URL(), m.Text())
		}
	})
	s := &sight{page, t, w}
	if email != "" {
		s.visit("/dashboard/sign-in")
		s.fill("E-mail", email)
		s.fill("Password", rightPassword)
		s.press("Sign in")
		s.see("h1:has-text('Data requests')")
	}
	return s
}

func unscripted(o *playwright.BrowserNewContextOptions) { o.JavaScriptEnabled = playwright.Bool(false) }

func dark(o *playwright.BrowserNewContextOptions) { o.ColorScheme = playwright.ColorSchemeDark }

func (s *sight) visit(path string) {
	s.t.Helper()
	// Live pages never fall silent.
	_, err := s.Goto(path, playwright.PageGotoOptions{WaitUntil: playwright.WaitUntilStateDomcontentloaded})
	require.NoError(s.t, err)
}

func (s *sight) fill(label, text string) {
	s.t.Helper()
	require.NoError(s.t, s.GetByLabel(label, playwright.PageGetByLabelOptions{Exact: playwright.Bool(true)}).Fill(text))
}

func (s *sight) press(name string) {
	s.t.Helper()
	require.NoError(s.t, s.GetByRole("button", playwright.PageGetByRoleOptions{Name: name, Exact: playwright.Bool(true)}).Click())
}

func (s *sight) follow(name string) {
	s.t.Helper()
	require.NoError(s.t, s.GetByRole("link", playwright.PageGetByRoleOptions{Name: name}).First().Click())
}

func (s *sight) see(selector string) {
	s.t.Helper()
	require.NoError(s.t, s.Locator(selector).First().WaitFor(), "waiting for %s on %s", selector, s.URL())
}

func (s *sight) gone(selector string) {
	s.t.Helper()
	require.NoError(s.t, s.Locator(selector).First().WaitFor(playwright.LocatorWaitForOptions{State: playwright.WaitForSelectorStateDetached}))
}

// violation is something that axe-core found.
type violation struct {
	ID, Help string
	Nodes    []string
}

// violations runs axe-core on the page, with all its rules.
func (s *sight) violations() []violation {
	s.t.Helper()
	engine, err := axe()
	require.NoError(s.t, err, "run `make setup`")
	_, err = s.Evaluate(engine)
	require.NoError(s.t, err)
	text, err := s.Evaluate(`() => axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, help: v.help, nodes: v.nodes.map((n) => n.html + " " + n.failureSummary)}))))`)
	require.NoError(s.t, err)
	var found []violation
	require.NoError(s.t, json.Unmarshal([]byte(fmt.Sprint(text)), &found))
	return found
}

func (s *sight) accessible() {
	s.t.Helper()
	require.Empty(s.t, s.violations(), "on %s", s.URL())
}

// fits tells that nothing makes the page scroll sideways.
func (s *sight) fits() {
	s.t.Helper()
	over, err := s.Evaluate(`() => document.documentElement.scrollWidth - document.documentElement.clientWidth`)
	require.NoError(s.t, err)
	require.Zero(s.t, over, "%s is wider than the window", s.URL())
}

// pictureHeight is where pictures of long pages end.
const pictureHeight = 1500

// picture keeps what the page looks like in the folder that MK_PICTURES names.
func (s *sight) picture(name string) {
	s.t.Helper()
	folder := os.Getenv("MK_PICTURES")
	if folder == "" {
		return
	}
	height, err := s.Evaluate(fmt.Sprintf(`() => Math.min(document.documentElement.scrollHeight, %d)`, pictureHeight))
	require.NoError(s.t, err)
	shown, ok := height.(int)
	require.True(s.t, ok)
	size := s.ViewportSize()
	_, err = s.Screenshot(playwright.PageScreenshotOptions{Path: playwright.String(filepath.Join(folder, "dashboard-"+name+".png")), FullPage: playwright.Bool(true),
		Clip: &playwright.Rect{Width: float64(size.Width), Height: float64(shown)}})
	require.NoError(s.t, err)
}
