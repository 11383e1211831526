package practice_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// patience is how long a page or a browser may take, in milliseconds.
const patience = 180_000.0

// start serves practice sites with delays fit for tests. The changes adjust the options first.
func start(t *testing.T, changes ...func(*practice.Options)) *practice.Server {
	t.Helper()
	opts := practice.Options{
		FormDelay: 30 * time.Millisecond, SlowDelay: 400 * time.Millisecond, ResendAfter: 50 * time.Millisecond,
	}
	for _, change := range changes {
		change(&opts)
	}
	srv, err := practice.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		require.NoError(t, srv.Close(ctx))
	})
	return srv
}

// launch starts one Chromium for the test.
func launch(t *testing.T) playwright.Browser {
	t.Helper()
	pw, err := playwright.Run(&playwright.RunOptions{DriverDirectory: driver(t), SkipInstallBrowsers: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pw.Stop()) })
	args := []string{"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"}
	browser, err := pw.Chromium.Launch(playwright.BrowserTypeLaunchOptions{ExecutablePath: playwright.String(chromium(t)), Args: args,
		ChromiumSandbox: playwright.Bool(os.Geteuid() != 0), Timeout: playwright.Float(patience)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, browser.Close()) })
	return browser
}

func driver(t *testing.T) string {
	t.Helper()
	if os.Getenv("PLAYWRIGHT_NODEJS_PATH") == "" {
		node, err := exec.LookPath("node")
		require.NoError(t, err)
		t.Setenv("PLAYWRIGHT_NODEJS_PATH", node)
	}
	if named := os.Getenv("PLAYWRIGHT_DRIVER_PATH"); named != "" {
		return named
	}
	here, err := filepath.Abs("../../.tools/playwright")
	require.NoError(t, err)
	return here
}

func chromium(t *testing.T) string {
	t.Helper()
	places := []string{os.Getenv("MK_CHROMIUM"), "/usr/lib/chromium/chromium-headless-shell"}
	found, err := filepath.Glob("../../.tools/browsers/*/*/*headless?shell")
	require.NoError(t, err)
	for _, place := range append(places, found...) {
		if _, err := os.Stat(place); place != "" && err == nil {
			return place
		}
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Fail(t, "no Chromium", "name one in MK_CHROMIUM")
	return ""
}

// person is somebody with a browser window, an account and a practice phone.
type person struct {
	*testing.T
	srv           *practice.Server
	page          playwright.Page
	utility, user string
}

// sits opens a window of its own for a user of a utility.
func sits(t *testing.T, srv *practice.Server, browser playwright.Browser, utility, user string) *person {
	t.Helper()
	window, err := browser.NewContext()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, window.Close()) })
	window.SetDefaultTimeout(patience)
	page, err := window.NewPage()
	require.NoError(t, err)
	page.OnPageError(func(err error) { t.Errorf("the page's script failed: %v", err) })
	return &person{T: t, srv: srv, page: page, utility: utility, user: user}
}

// opens goes to a real address on the practice site that stands for it.
func (p *person) opens(real string) {
	p.Helper()
	_, err := p.page.Goto(practiceAddress(p.srv, real))
	require.NoError(p, err)
}

func practiceAddress(srv *practice.Server, real string) string {
	for origin, here := range srv.Origins() {
		if rest, found := strings.CutPrefix(real, origin); found {
			return here + rest
		}
	}
	return real
}

// types puts text into a field and leaves it.
func (p *person) types(selector, text string) {
	p.Helper()
	field := p.page.Locator(selector).First()
	require.NoError(p, field.Fill(text), selector)
	require.NoError(p, field.Blur(), selector)
}

// keys does the same with real keys, one by one.
func (p *person) keys(selector, text string) {
	p.Helper()
	field := p.page.Locator(selector).First()
	require.NoError(p, field.PressSequentially(text), selector)
	require.NoError(p, field.Blur(), selector)
}

func (p *person) clicks(selector string) {
	p.Helper()
	require.NoError(p, p.page.Locator(selector).First().Click(), selector)
}

// sees waits until something is visible, and gives its text.
func (p *person) sees(selector string) string {
	p.Helper()
	require.NoError(p, p.page.Locator(selector).First().WaitFor(), selector)
	text, err := p.page.Locator(selector).First().InnerText()
	require.NoError(p, err, selector)
	return text
}

// arrives waits until the window is at an address that ends like this, and the page there is complete. The page is asked
// for the latter: the driver's own wait for it can miss the event on a busy machine, and then waits for ever.
func (p *person) arrives(glob string) {
	p.Helper()
	committed := playwright.PageWaitForURLOptions{WaitUntil: playwright.WaitUntilStateCommit}
	require.NoError(p, p.page.WaitForURL(glob, committed), "at %s", p.page.URL())
	require.Eventually(p, func() bool {
		state, err := p.page.Evaluate("document.readyState")
		return err == nil && state == "complete"
	}, 3*time.Minute, 20*time.Millisecond, "at %s", p.page.URL())
}

// code waits for the nth message on the practice phone and gives its code.
func (p *person) code(nth int) string {
	p.Helper()
	var inbox []practice.Message
	require.Eventually(p, func() bool {
		ask(p.T, p.srv, http.MethodGet, "/inbox/"+p.utility+"/"+p.user, "", &inbox)
		return len(inbox) >= nth
	}, 3*time.Minute, 20*time.Millisecond, "no message %d", nth)
	return inbox[nth-1].Code
}

func (p *person) ledger() practice.Ledger {
	p.Helper()
	var ledger practice.Ledger
	ask(p.T, p.srv, http.MethodGet, "/ledger/"+p.utility+"/"+p.user, "", &ledger)
	return ledger
}

func (p *person) meters() []practice.Meter {
	p.Helper()
	var list []practice.Meter
	ask(p.T, p.srv, http.MethodGet, "/accounts/"+p.utility+"/"+p.user, "", &list)
	return list
}

// column reads one column of a table.
func (p *person) column(selector string) []string {
	p.Helper()
	require.NoError(p, p.page.Locator(selector).First().WaitFor(), selector)
	texts, err := p.page.Locator(selector).AllInnerTexts()
	require.NoError(p, err)
	return texts
}

// each gives one field of all meters.
func each(list []practice.Meter, field func(practice.Meter) string) []string {
	values := []string{}
	for _, m := range list {
		values = append(values, field(m))
	}
	return values
}

// ask calls a control endpoint and reads its JSON answer; it gives the HTTP status.
func ask(t *testing.T, srv *practice.Server, method, path, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	if into != nil {
		require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
	}
	return answer.StatusCode
}
