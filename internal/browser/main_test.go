package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	patience = 30 * time.Second      // for what must happen
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
	defer os.RemoveAll(root)
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
	out, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,args=").Output()
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

func testOptions(t testing.TB) Options {
	dir, err := os.MkdirTemp("", "host-")
	require.NoError(t, err)
	return Options{Dir: dir, Args: noInternet(), Capacity: 4}
}

// openHost opens a host and shuts it down after the test.
func openHost(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, h.Shutdown(ctx))
	})
	return h
}

// shared is one host for all tests that need nothing of their own: to open one takes a second.
var shared = sync.OnceValues(func() (*Host, error) {
	dir, err := os.MkdirTemp("", "shared-")
	if err != nil {
		return nil, err
	}
	return Open(context.Background(), Options{Dir: dir, Args: noInternet(), Capacity: 40})
})

func sharedHost(t *testing.T) *Host {
	t.Helper()
	h, err := shared()
	require.NoError(t, err)
	return h
}

// endShared opens the shared host if no test has.
func endShared() error {
	h, err := shared()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return h.Shutdown(ctx)
}

func openWindow(t testing.TB, h *Host, owner string) *Window {
	t.Helper()
	w, err := h.OpenWindow(t.Context(), owner, time.Now().Add(10*time.Minute))
	require.NoError(t, err)
	return w
}

// claimed tells what the host says of the window.
func claimed(t testing.TB, w *Window) bool {
	t.Helper()
	open := w.host.Windows()
	i := slices.IndexFunc(open, func(info Info) bool { return info.ID == w.ID() })
	require.GreaterOrEqual(t, i, 0)
	return open[i].Claimed
}

// serve serves HTML by path.
func serve(t testing.TB, pages map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, html := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, html)
		})
	}
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "received %s", r.FormValue("code"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

const form = `<!doctype html><title>form</title><form method="post" action="/sent"><input id="code" name="code"><button>Send</button></form>`

func visit(t testing.TB, w *Window, url string) {
	t.Helper()
	_, err := w.Page().Goto(url)
	require.NoError(t, err)
}

func evaluate(t testing.TB, w *Window, script string) any {
	t.Helper()
	value, err := w.Page().Evaluate(script)
	require.NoError(t, err)
	return value
}

func text(t testing.TB, page playwright.Page) string {
	t.Helper()
	value, err := page.Locator("body").InnerText()
	require.NoError(t, err)
	return value
}

// eventually waits for the condition, with a limit that is never met when all is well.
func eventually(t testing.TB, condition func() bool, why string) {
	t.Helper()
	require.Eventually(t, condition, patience, glance, why)
}

func requireDone(t testing.TB, w *Window, reason error) {
	t.Helper()
	select {
	case <-w.Done():
	case <-time.After(patience):
		t.Fatal("window is not done")
	}
	require.ErrorIs(t, w.Err(), reason)
}

func chromiumPID(t testing.TB, h *Host) int {
	t.Helper()
	r, err := h.chromium.recall()
	require.NoError(t, err)
	require.True(t, r.alive())
	return r.PID
}

func windowFile(h *Host, w *Window, name string) string {
	return filepath.Join(h.options.Dir, "windows", w.ID(), name)
}
