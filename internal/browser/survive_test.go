package browser

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestHalfTypedFormSurvivesKill(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": form})
	o := testOptions(t)
	s := startSecond(t, "half-typed", o.Dir, url)
	s.kill(t)

	h := openHost(t, o)
	w, err := h.Window(t.Context(), s.line)
	require.NoError(t, err)
	require.NoError(t, w.Check(t.Context()))
	require.True(t, w.Begun("type-code"))
	require.ErrorIs(t, w.BeginOnce("type-code"), ErrBegun)
	require.Equal(t, "123", evaluate(t, w, `() => document.querySelector("#code").value`))
	require.Equal(t, "session=s1", evaluate(t, w, `() => document.cookie`))
	require.Equal(t, 3, evaluate(t, w, `() => window.tries`))

	require.NoError(t, w.Page().Locator("#code").PressSequentially("456"))
	require.NoError(t, w.Page().Locator("button").Click())
	require.NoError(t, w.Page().GetByText("received").WaitFor())
	require.Equal(t, "received 123456", text(t, w.Page()))
}

// TestLifetimesGoOnInTheNextProcess by a clock that all processes share and that nobody sets.
func TestLifetimesGoOnInTheNextProcess(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	before := uptime()
	s := startSecond(t, "half-typed", o.Dir, serve(t, map[string]string{"/": form}))
	after := uptime()
	s.kill(t)
	left := driverFiles(t, o.Dir)
	require.Len(t, left, 1, "its driver was killed with it")

	h := openHost(t, o)
	require.NoDirExists(t, left[0])
	w, err := h.Window(t.Context(), s.line)
	require.NoError(t, err)
	end := uptime() + w.Remaining()
	require.Greater(t, end, before+10*time.Minute)
	require.Less(t, end, after+10*time.Minute)
	require.NoError(t, w.ExpireIn(-time.Hour))
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
	require.ErrorContains(t, w.Err(), "it has expired")
}

func TestDisconnectLeavesWindowsOpen(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": form})
	o := testOptions(t)
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	w := openWindow(t, first, "someone")
	visit(t, w, url)
	require.NoError(t, w.Note("utility", "DEMO"))
	require.NoError(t, first.Disconnect())
	require.NoError(t, first.Disconnect(), "again")
	_, err = first.OpenWindow(t.Context(), "someone", time.Minute)
	require.ErrorIs(t, err, ErrDisconnected)

	h := openHost(t, o)
	require.Equal(t, first.ID(), h.ID())
	found, err := h.WindowOf(t.Context(), "someone")
	require.NoError(t, err)
	require.Equal(t, w.ID(), found.ID())
	require.Equal(t, "DEMO", found.Noted("utility"))
	require.Equal(t, url+"/", found.Page().URL())
}

func TestTwoProcessesShareAHost(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": form})
	o := testOptions(t)
	h := openHost(t, o)
	mine := openWindow(t, h, "me")
	s := startSecond(t, "half-typed", o.Dir, url)
	theirs, err := h.Window(t.Context(), s.line)
	require.NoError(t, err)
	require.Equal(t, "123", evaluate(t, theirs, `() => document.querySelector("#code").value`))
	require.Len(t, h.Windows(), 2)

	require.ErrorIs(t, h.endBrowser(t.Context()), ErrInUse)
	s.kill(t)
	require.NoError(t, mine.Check(t.Context()))
	require.NoError(t, theirs.Check(t.Context()))
}

func TestBrowserKilled(t *testing.T) {
	t.Parallel()
	h := openHost(t, testOptions(t))
	w := openWindow(t, h, "someone")
	id, pid := h.ID(), chromiumPID(t, h)
	require.NoError(t, unix.Kill(-pid, unix.SIGKILL))
	requireDone(t, w, ErrWindowLost)
	require.ErrorIs(t, w.Check(t.Context()), ErrWindowLost)
	require.ErrorIs(t, w.BeginOnce("late"), ErrWindowLost)

	again := openWindow(t, h, "someone")
	require.NoError(t, again.Check(t.Context()))
	require.Equal(t, id, h.ID())
	require.Len(t, h.Windows(), 1)
}

func TestBrowserThatDoesNotStartIsTriedAgain(t *testing.T) {
	t.Parallel()
	binary, err := FindChromium()
	require.NoError(t, err)
	o := testOptions(t)
	o.Executable = filepath.Join(t.TempDir(), "chromium")
	require.NoError(t, os.Symlink(binary, o.Executable))
	h := openHost(t, o)
	w := openWindow(t, h, "someone")

	require.NoError(t, os.Remove(o.Executable))
	require.NoError(t, unix.Kill(-chromiumPID(t, h), unix.SIGKILL))
	requireDone(t, w, ErrWindowLost)
	_, ok := h.TryReserve()
	require.False(t, ok, "nobody is let in while the browser is out of order")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = h.OpenWindow(ctx, "someone", time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	require.NoError(t, os.Symlink(binary, o.Executable))
	release, err := h.Reserve(t.Context())
	require.NoError(t, err)
	release()
	require.NoError(t, openWindow(t, h, "someone").Check(t.Context()))
}

func TestBrowserKilledWhileNobodyIsConnected(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	w := openWindow(t, first, "someone")
	pid := chromiumPID(t, first)
	require.NoError(t, first.Disconnect())
	require.NoError(t, unix.Kill(-pid, unix.SIGKILL))

	h := openHost(t, o)
	require.Equal(t, first.ID(), h.ID())
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
	require.NoError(t, openWindow(t, h, "someone").Check(t.Context()))
}

func TestDriverKilled(t *testing.T) {
	url := serve(t, map[string]string{"/": form})
	others := drivers()
	h := openHost(t, testOptions(t))
	w := openWindow(t, h, "someone")
	visit(t, w, url)
	require.NoError(t, w.Page().Locator("#code").Fill("123"))
	hung := openWindow(t, h, "hung")
	hang(t, hung)
	_, before := h.current()
	require.Len(t, driverFiles(t, h.options.Dir), 1)
	for pid := range drivers() {
		if !others[pid] {
			require.NoError(t, unix.Kill(pid, unix.SIGKILL))
		}
	}

	eventually(t, func() bool {
		_, d := h.current()
		return w.Page() != nil && d != nil && d != before
	}, "a new driver")
	eventually(t, func() bool {
		left := driverFiles(t, h.options.Dir)
		return len(left) == 1 && !strings.HasPrefix(left[0], before.dir.path)
	}, "what the old one left is removed")
	requireDone(t, hung, ErrTabHung)
	require.NoError(t, w.Check(t.Context()))
	eventually(t, func() bool { return w.find() != nil }, "the page again")
	require.Equal(t, "123", evaluate(t, w, `() => document.querySelector("#code").value`))
	require.NoError(t, openWindow(t, h, "another").Check(t.Context()))
}

// driverFiles are the temporary files of a host's drivers.
func driverFiles(t *testing.T, host string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(host, "drivers", "*", "*", "playwright-*"))
	require.NoError(t, err)
	return found
}

// drivers are the numbers of this process's Playwright drivers.
func drivers() map[int]bool {
	found := map[int]bool{}
	for _, p := range processes("run-driver") {
		if p.parent == os.Getpid() {
			found[p.pid] = true
		}
	}
	return found
}

func TestOpenStopsWhenToldTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, testOptions(t))
	require.ErrorIs(t, err, context.Canceled)
}
