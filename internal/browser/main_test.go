package browser

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	patience = 3 * time.Minute       // for what must happen
	glance   = 20 * time.Millisecond // between two looks
)

func TestMain(m *testing.M) {
	if role := os.Getenv("BROWSER_TEST_ROLE"); role != "" {
		os.Exit(play(role))
	}
	os.Exit(run(m))
}

// run is the tests and then a look for browsers that they left behind.
func run(m *testing.M) int {
	root, err := os.MkdirTemp("", "browser-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(root) //nolint:errcheck // the system clears what is left
	if err := os.Setenv("TMPDIR", root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := endShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if left := processes("user-data-dir=" + root); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "the tests left browsers behind:", left)
		for _, p := range left {
			fmt.Fprintln(os.Stderr, "ending", p.pid, unix.Kill(p.pid, unix.SIGKILL))
		}
		return 1
	}
	return code
}

// process is one line of ps.
type process struct {
	pid, parent, group int
	command            string
}

// processes lists those whose command line contains the text, zombies apart.
func processes(text string) []process {
	out, err := exec.CommandContext(context.Background(), "ps", "-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,args=").Output()
	if err != nil {
		panic(err)
	}
	var found []process
	for line := range strings.Lines(string(out)) {
		var p process
		var state string
		if n, _ := fmt.Sscan(line, &p.pid, &p.parent, &p.group, &state); n < 4 || state[0] == 'Z' {
			continue
		}
		if p.command = strings.TrimSpace(line); strings.Contains(p.command, text) {
			found = append(found, p)
		}
	}
	return found
}

// noInternet keeps Chromium from reaching anything but the tests' own servers.
func noInternet() []string {
	return []string{"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"}
}

func testOptions(tb testing.TB) Options {
	tb.Helper()
	return Options{Dir: tb.TempDir(), Args: noInternet(), Capacity: 4}
}

// openHost opens a host and shuts it down after the test.
func openHost(tb testing.TB, o Options) *Host {
	tb.Helper()
	h, err := Open(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(tb, h.Shutdown(ctx))
	})
	return h
}

// shared is one host for all tests that need nothing of their own: to open one takes a second.
var shared = sync.OnceValues(func() (*Host, error) {
	sharedIsOpen.Store(true)
	dir, err := os.MkdirTemp("", "shared-")
	if err != nil {
		return nil, err
	}
	return Open(context.Background(), Options{Dir: dir, Args: noInternet(), Capacity: 40})
})

// sharedIsOpen says whether any test wanted it: fuzzing does not.
var sharedIsOpen atomic.Bool

func sharedHost(t *testing.T) *Host {
	t.Helper()
	h, err := shared()
	require.NoError(t, err)
	return h
}

func endShared() error {
	if !sharedIsOpen.Load() {
		return nil
	}
	h, err := shared()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return h.Shutdown(ctx)
}

func openWindow(tb testing.TB, h *Host, owner string) *Window {
	tb.Helper()
	w, err := h.OpenWindow(tb.Context(), owner, time.Now().Add(10*time.Minute))
	require.NoError(tb, err)
	return w
}

// claimed tells what the host says of the window.
func claimed(tb testing.TB, w *Window) bool {
	tb.Helper()
	open := w.host.Windows()
	i := slices.IndexFunc(open, func(info Info) bool { return info.ID == w.ID() })
	require.GreaterOrEqual(tb, i, 0)
	return open[i].Claimed
}

// serve serves HTML by path.
func serve(tb testing.TB, pages map[string]string) string {
	tb.Helper()
	mux := http.NewServeMux()
	for path, html := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, html) // the test sees what arrives
		})
	}
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "received "+r.FormValue("code")) //nolint:gosec // what the test itself has sent
	})
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	return server.URL
}

const form = `<!doctype html><title>form</title><form method="post" action="/sent"><input id="code" name="code"><button>Send</button></form>`

func visit(tb testing.TB, w *Window, url string) {
	tb.Helper()
	_, err := w.Page().Goto(url)
	require.NoError(tb, err)
}

func evaluate(tb testing.TB, w *Window, script string) any {
	tb.Helper()
	value, err := w.Page().Evaluate(script)
	require.NoError(tb, err)
	return value
}

func text(tb testing.TB, page playwright.Page) string {
	tb.Helper()
	value, err := page.Locator("body").InnerText()
	require.NoError(tb, err)
	return value
}

// eventually waits for the condition, with a limit that is never met when all is well.
func eventually(tb testing.TB, condition func() bool, why string) {
	tb.Helper()
	require.Eventually(tb, condition, patience, glance, why)
}

func requireDone(tb testing.TB, w *Window, reason error) {
	tb.Helper()
	select {
	case <-w.Done():
	case <-time.After(patience):
		tb.Fatal("window is not done")
	}
	require.ErrorIs(tb, w.Err(), reason)
}

func chromiumPID(tb testing.TB, h *Host) int {
	tb.Helper()
	r, err := h.chromium.recall()
	require.NoError(tb, err)
	require.True(tb, r.alive())
	return r.PID
}

func windowFile(h *Host, w *Window, name string) string {
	return filepath.Join(h.options.Dir, "windows", w.ID(), name)
}
