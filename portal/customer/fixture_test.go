package customer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// fixture is what all tests of flows share: Temporal, a worker with its browser, practice sites, the database that the worker
// records to, and the customer's pages.
type fixture struct {
	*devenv.Environment
	requests *sdk.Client
	store    *store.Store
	key      *portalkey.Key
	deps     customer.Deps
	pages    *customer.Handler
	server   *httptest.Server
	log      *observer.ObservedLogs
	dir      string
	counted  sync.Map // of *atomic.Int64
}

// sharedFixture begins when the first test needs it.
var sharedFixture = sync.OnceValues(beginFixture)

// begun is the fixture as far as it has begun, to be ended.
var begun = &fixture{}

func beginFixture() (*fixture, error) {
	testenv.AtEnd(endFixture)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	w := begun
	var err error
	if w.dir, err = os.MkdirTemp("", "meterkey-customer-"); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", w.dir, "../../worker")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the worker: %w: %s", err, said)
	}
	w.Environment, err = devenv.Up(ctx, devenv.Options{Bin: w.dir, Dir: filepath.Join(w.dir, "home"),
		Practice: practice.Options{FormDelay: 50 * time.Millisecond, ResendAfter: time.Millisecond}})
	if err != nil {
		return nil, err
	}
	if _, err = w.StartWorker(ctx, "a"); err != nil {
		return nil, err
	}
	if w.requests, err = w.Client(ctx); err != nil {
		return nil, err
	}
	return w, w.serve(ctx)
}

// serve serves the customer's pages as a portal would.
func (w *fixture) serve(ctx context.Context) error {
	var err error
	if w.store, err = store.Open(ctx, store.Options{File: w.DatabaseFile()}); err != nil {
		return err
	}
	if w.key, err = portalkey.LoadOrCreate(filepath.Join(w.dir, "home", "portal.key")); err != nil {
		return err
	}
	catalog, err := utilities.Load("")
	if err != nil {
		return err
	}
	assets, err := web.NewAssets()
	if err != nil {
		return err
	}
	core, seen := observer.New(zapcore.DebugLevel)
	w.log = seen
	w.deps = customer.Deps{Store: w.store, Requests: w.requests, Utilities: catalog, Key: w.key, Assets: assets, Log: zap.New(core)}
	if w.pages, err = customer.New(w.deps); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(customer.Prefix, w.listen(http.NewCrossOriginProtection().Handler(w.pages)))
	mux.Handle(web.AssetPrefix, assets)
	w.server = httptest.NewServer(mux)
	return nil
}

// listen counts the forms that arrive, and what was told of customers' presence once it was noted.
func (w *fixture) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		token, below, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, customer.Prefix), "/")
		presence := below == "presence"
		if r.Method == http.MethodPost && !presence {
			w.count(token + " /" + below)
		}
		next.ServeHTTP(answer, r)
		if presence {
			w.count(token + " " + r.PostFormValue("state"))
		}
	})
}

func (w *fixture) count(what string) {
	n, _ := w.counted.LoadOrStore(what, &atomic.Int64{})
	n.(*atomic.Int64).Add(1) //nolint:errcheck // nothing else is in it
}

// heard is how often something was counted for a link.
func (w *fixture) heard(link, what string) int64 {
	n, ok := w.counted.Load(link[strings.LastIndex(link, "/")+1:] + " " + what)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load() //nolint:errcheck // nothing else is in it
}

func endFixture(ctx context.Context) error {
	w := begun
	var failed []error
	if w.server != nil {
		w.server.CloseClientConnections()
		w.server.Close()
	}
	if w.store != nil {
		failed = append(failed, w.store.Close())
	}
	if w.Environment != nil {
		failed = append(failed, w.Down(ctx))
	}
	if w.dir != "" {
		failed = append(failed, os.RemoveAll(w.dir))
	}
	return errors.Join(failed...)
}

// guest is a customer at their own browser, with a link, an account at a practice utility and a phone.
type guest struct {
	*testing.T
	w       *fixture
	request meterkey.Request
	account devenv.Customer
	link    string
	window  playwright.BrowserContext
	page    playwright.Page
}

// invited sends a data request and opens a window for its customer, who has an account of this kind.
func invited(t *testing.T, utility, kind string, change ...func(*meterkey.Request, *playwright.BrowserNewContextOptions)) *guest {
	t.Helper()
	w, err := sharedFixture()
	require.NoError(t, err)
	id := strings.ToLower(strings.NewReplacer("/", "-", " ", "-").Replace(strings.TrimPrefix(t.Name(), "Test"))) + "-" + store.NewUID()
	g := &guest{T: t, w: w, request: meterkey.Request{RequestID: id, Requester: "acme-solar", RequesterName: "Acme Solar", Utility: utility}}
	options := playwright.BrowserNewContextOptions{Locale: playwright.String("en-US"), ReducedMotion: playwright.ReducedMotionReduce}
	for _, c := range change {
		c(&g.request, &options)
	}
	g.account = devenv.Customer{Environment: w.Environment, Client: w.requests, ID: id, Utility: utility, User: kind + "." + id + "@example.com",
		Say: func(string, ...any) {}}
	require.NoError(t, w.requests.Start(t.Context(), g.request))
	g.link = g.linkNow()
	require.Eventually(t, func() bool {
		_, err := w.store.RequestByID(t.Context(), id)
		return err == nil
	}, 30*time.Second, 20*time.Millisecond, "the request is recorded")
	g.window = window(t, options)
	g.page = g.tab()
	g.opens(g.page)
	return g
}

// linkNow is the link that counts now.
func (g *guest) linkNow() string {
	g.Helper()
	state, err := g.w.requests.State(g.Context(), g.request.RequestID)
	require.NoError(g, err)
	return g.w.server.URL + customer.Prefix + g.w.key.LinkToken(g.request.RequestID, state.LinkedAt)
}

func (g *guest) tab() playwright.Page {
	g.Helper()
	page, err := g.window.NewPage()
	require.NoError(g, err)
	page.OnPageError(func(err error) { g.Errorf("the page's script failed: %v", err) })
	return page
}

func (g *guest) opens(page playwright.Page) {
	g.Helper()
	_, err := page.Goto(g.link)
	require.NoError(g, err)
}

// sees waits for the page's heading.
func (g *guest) sees(heading string) {
	g.Helper()
	g.seesOn(g.page, heading)
}

func (g *guest) seesOn(page playwright.Page, heading string) {
	g.Helper()
	err := page.Locator("h1", playwright.PageLocatorOptions{HasText: heading}).WaitFor()
	if err != nil {
		text, _ := page.Locator("main").InnerText() // only to say more
		require.NoError(g, err, "waiting for %q, the page says: %s", heading, text)
	}
}

// says gives the text of what stands in the page.
func (g *guest) says(selector string) string {
	g.Helper()
	text, err := g.page.Locator(selector).First().InnerText()
	require.NoError(g, err)
	return text
}

func (g *guest) presses(button string) {
	g.Helper()
	require.NoError(g, g.page.GetByRole("button", playwright.PageGetByRoleOptions{Name: button, Exact: playwright.Bool(true)}).Click(), button)
}

func (g *guest) follows(link string) {
	g.Helper()
	require.NoError(g, g.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: link}).Click(), link)
}

func (g *guest) agrees() {
	g.Helper()
	require.NoError(g, g.page.Locator("input[name=agree]").Check())
	g.presses("Agree and continue")
	g.sees("Sign in to")
}

func (g *guest) fillsIn(password string) {
	g.Helper()
	require.NoError(g, g.page.Locator("#username").Fill(g.account.User))
	require.NoError(g, g.page.Locator("#password").Fill(password))
}

// signsIn agrees and signs in.
func (g *guest) signsIn() {
	g.Helper()
	g.agrees()
	g.fillsIn(devenv.PracticePassword)
	g.presses("Sign in")
}

// phone waits for the nth message on the practice phone.
func (g *guest) phone(nth int) string {
	g.Helper()
	ctx, cancel := context.WithTimeout(g.Context(), time.Minute)
	defer cancel()
	code, _, err := g.account.ReadCode(ctx, nth-1)
	require.NoError(g, err)
	return code
}

func (g *guest) types(code string) {
	g.Helper()
	require.NoError(g, g.page.Locator("#code").Fill(code))
	g.presses("Confirm")
}

// ledger is what the practice site counted.
func (g *guest) ledger() practice.Ledger {
	g.Helper()
	var l practice.Ledger
	require.NoError(g, g.account.Get(g.Context(), "/ledger/"+g.account.Utility+"/"+g.account.User, &l))
	return l
}

// state waits until the request stands there.
func (g *guest) state(status meterkey.Status) meterkey.State {
	g.Helper()
	ctx, cancel := context.WithTimeout(g.Context(), time.Minute)
	defer cancel()
	s, err := g.w.requests.Wait(ctx, g.request.RequestID, func(s meterkey.State) bool { return s.Status == status })
	require.NoError(g, err)
	return s
}

// connected sees the last page, and that the site was gone through as often as this.
func (g *guest) connected(logins, codes int) {
	g.Helper()
	g.sees("account is connected")
	l := g.ledger()
	require.Equal(g, [2]int{logins, codes}, [2]int{l.Logins, l.CodesSubmitted}, "logins and codes that were submitted at the site")
}

// asked lets a guest have no utility named, or other wishes.
func withoutUtility(r *meterkey.Request, _ *playwright.BrowserNewContextOptions) { r.Utility = "" }

func withoutScripts(_ *meterkey.Request, o *playwright.BrowserNewContextOptions) {
	o.JavaScriptEnabled = playwright.Bool(false)
}

func inSpanish(_ *meterkey.Request, o *playwright.BrowserNewContextOptions) {
	o.Locale = playwright.String("es-MX")
}

func onAPhone(_ *meterkey.Request, o *playwright.BrowserNewContextOptions) {
	o.Viewport, o.HasTouch, o.IsMobile = &playwright.Size{Width: 390, Height: 844}, playwright.Bool(true), playwright.Bool(true)
}

func storeChange(disabled *bool) store.RequestChange { return store.RequestChange{Disabled: disabled} }

func toText(value any) string { return fmt.Sprint(value) }
