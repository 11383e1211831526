package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestChromiumThatEndsAtOnceSaysWhy(t *testing.T) {
	o := testOptions(t)
	o.Executable = program(t, t.TempDir(), "chromium")
	require.NoError(t, os.WriteFile(o.Executable, []byte("#!/bin/sh\necho 'no usable sandbox' >&2\n"), 0o700))
	_, err := Open(t.Context(), o)
	require.ErrorContains(t, err, "no usable sandbox")
}

func TestChromiumGetsNoneOfOurSecrets(t *testing.T) {
	env := chromiumEnv([]string{"HOME=/home/me", "MK_KEY=secret", "DATABASE_URL=secret", "PATH=/bin"})
	require.Equal(t, []string{"HOME=/home/me", "PATH=/bin"}, env)
}

func TestRecycledProcessNumberIsNotMistaken(t *testing.T) {
	started, ok := startOf(os.Getpid())
	require.True(t, ok)
	require.True(t, running{PID: os.Getpid(), Started: started}.alive())
	other := running{PID: os.Getpid(), Started: started + "1"}
	require.False(t, other.alive())
	require.NoError(t, kill(other), "nobody is killed: we are still here")
	require.False(t, running{}.alive())
}

func TestRunningChromiumThatBelongsToAnotherAddressIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	c := &chromium{dir: dir}
	address, err := c.find(t.Context())
	require.NoError(t, err)
	require.Empty(t, address, "none was ever started")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "browser.json"), []byte("{"), 0o600))
	_, err = c.find(t.Context())
	require.ErrorContains(t, err, "browser.json")
}

func TestBrowserAddress(t *testing.T) {
	answer := `{"webSocketDebuggerUrl":"ws://127.0.0.1:9/devtools/browser/1"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(answer)) // the test sees what arrives
	}))
	defer server.Close()
	address, err := browserAddress(t.Context(), server.URL)
	require.NoError(t, err)
	require.Equal(t, "ws://127.0.0.1:9/devtools/browser/1", address)
	require.Equal(t, "http://127.0.0.1:9", httpAddress(address))
	require.Equal(t, "https://browser.example", httpAddress("wss://browser.example/devtools/browser/1"))
	require.Equal(t, "https://browser.example", httpAddress("https://browser.example"))

	for _, answer = range []string{"{}", "not JSON"} {
		_, err = browserAddress(t.Context(), server.URL)
		require.ErrorContains(t, err, "asking the browser for its address")
	}
}

func TestBrowserOfSomebodyElse(t *testing.T) {
	t.Parallel()
	theirs := openHost(t, testOptions(t))
	foreign := openWindow(t, theirs, "them")
	r, err := theirs.chromium.recall()
	require.NoError(t, err)

	o := testOptions(t)
	o.CDPURL = r.Address
	h, err := Open(t.Context(), o)
	require.NoError(t, err)
	w := openWindow(t, h, "us")
	require.NoError(t, w.Check(t.Context()))
	require.Len(t, h.Windows(), 1)
	age(t, w)
	ageContext(h, foreign.ID())
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
	require.NoError(t, foreign.Check(t.Context()), "only ours are swept")

	w = openWindow(t, h, "us")
	require.NoError(t, h.Shutdown(t.Context()))
	require.ErrorIs(t, w.Err(), ErrWindowLost)
	require.NoError(t, h.Shutdown(t.Context()), "again")
	require.NoError(t, foreign.Check(t.Context()), "the browser goes on")
}

func TestNobodyAtTheAddress(t *testing.T) {
	o := testOptions(t)
	o.CDPURL = "http://127.0.0.1:1"
	_, err := Open(t.Context(), o)
	require.ErrorContains(t, err, "asking the browser for its address")
}

func TestOptionsAreRequired(t *testing.T) {
	_, err := Open(t.Context(), Options{Dir: t.TempDir()})
	require.ErrorContains(t, err, "capacity")
	o, err := Options{Dir: ".", CDPURL: "http://x"}.complete()
	require.NoError(t, err)
	require.Equal(t, 2*time.Minute, o.Unclaimed)
	require.Equal(t, 30*time.Second, o.Grace)
	require.True(t, filepath.IsAbs(o.Dir))
}

func TestShutdownLeavesNothing(t *testing.T) {
	t.Parallel()
	h, err := Open(t.Context(), testOptions(t))
	require.NoError(t, err)
	w := openWindow(t, h, "someone")
	group := chromiumPID(t, h)
	require.Greater(t, members(group), 3, "browser, network, graphics, page")
	require.NoError(t, h.Shutdown(t.Context()))
	requireDone(t, w, ErrWindowLost)
	eventually(t, func() bool { return members(group) == 0 }, "none of its processes is left")
	require.NoDirExists(t, windowFile(h, w, ""))
}

func TestEndWithoutConnecting(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	require.NoError(t, End(t.Context(), o.Dir), "there never was a browser")
	h, err := Open(t.Context(), o)
	require.NoError(t, err)
	w, group := openWindow(t, h, "someone"), chromiumPID(t, h)
	require.ErrorIs(t, End(t.Context(), o.Dir), ErrInUse)
	require.NoError(t, w.Check(t.Context()))
	require.NoError(t, h.Disconnect())
	require.NoError(t, End(t.Context(), o.Dir))
	eventually(t, func() bool { return members(group) == 0 }, "none of its processes is left")
	require.NoError(t, End(t.Context(), o.Dir), "again")
}

// members counts the processes of a group.
func members(group int) int {
	n := 0
	for _, p := range processes("") {
		if p.group == group {
			n++
		}
	}
	return n
}

func TestOpenThatFailsLeavesNothing(t *testing.T) {
	t.Setenv("PLAYWRIGHT_DRIVER_PATH", t.TempDir())
	o := testOptions(t)
	_, err := Open(t.Context(), o)
	require.ErrorContains(t, err, "starting playwright driver")
	require.Empty(t, processes(o.Dir))
	left, err := os.ReadDir(filepath.Join(o.Dir, "drivers"))
	require.NoError(t, err)
	require.Empty(t, left)
}
