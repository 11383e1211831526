package browser

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// What keeps a browser from starting or ending, and what an operator is told of it.

// TestHostFoldersThatAreOfNoUse names what is wrong with the folder.
func TestHostFoldersThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"a file":               {func(t *testing.T, dir string) { t.Helper(); require.NoError(t, os.RemoveAll(dir)); put(t, dir) }, "not a directory"},
		"no room for windows":  {func(t *testing.T, dir string) { t.Helper(); put(t, dir, "windows") }, "not a directory"},
		"a lock that is none":  {folderAt("users.lock"), "is a directory"},
		"another such lock":    {folderAt("browser.lock"), "is a directory"},
		"a name that is none":  {folderAt("id"), "id"},
		"a log that is none":   {folderAt("chromium.log"), "starting chromium: "},
		"a broken description": {func(t *testing.T, dir string) { t.Helper(); put(t, dir, "browser.json") }, "reading browser.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions(t)
			o.Executable = "/no/such/chromium"
			c.spoil(t, o.Dir)
			_, err := Open(t.Context(), o)
			require.ErrorContains(t, err, "opening browser host: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func put(t *testing.T, parts ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(parts...), nil, 0o600))
}

func folderAt(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
}

func TestChromiumThatIsNotThere(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Executable = "/no/such/chromium"
	_, err := Open(t.Context(), o)
	require.ErrorContains(t, err, "starting chromium: fork/exec /no/such/chromium: no such file")
	require.NoFileExists(t, filepath.Join(o.Dir, "browser.json"))
}

// TestChromiumThatOpensNoPort is ended again, with all it started.
func TestChromiumThatOpensNoPort(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Executable = script(t, "echo 'still thinking' >&2", "sleep 1000 &", "echo $$ > group", "wait")
	ctx, cancel := context.WithCancelCause(t.Context())
	opened := make(chan error, 1)
	go func() {
		_, err := Open(ctx, o)
		opened <- err
	}()
	var group int
	eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(o.Dir, "group"))
		group, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil && group > 0
	}, "it runs")
	cancel(context.DeadlineExceeded)
	err := <-opened
	require.ErrorContains(t, err, "opened no port: context deadline exceeded: still thinking")
	eventually(t, func() bool { return members(group) == 0 }, "none of its processes is left")
	require.NoFileExists(t, filepath.Join(o.Dir, "browser.json"))
}

// script makes a program.
func script(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chromium")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o700))
	return path
}

func TestStderrTailIsTheEnd(t *testing.T) {
	t.Parallel()
	c := &chromium{dir: t.TempDir()}
	require.Contains(t, c.stderrTail(), "no such file", "nothing was ever written")
	require.NoError(t, os.WriteFile(c.file("chromium.log"), []byte(strings.Repeat("noise ", 1000)+"the reason\n"), 0o600))
	words := c.stderrTail()
	require.True(t, strings.HasSuffix(words, "the reason"))
	require.LessOrEqual(t, len(words), 600, "a log of any length gives a message that can be read")
}

// startGroup runs a program in a session of its own, as a browser runs, and waits until it says that it is ready.
func startGroup(t *testing.T, lines ...string) running {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), script(t, append(lines, "echo ready", "wait")...))
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	r := running{PID: cmd.Process.Pid}
	r.Started, _ = startOf(r.PID)
	go func() { _ = cmd.Wait() }() // only so that it does not stay as a zombie
	return r
}

// TestBrowsersThatDoNotWantToEnd are ended all the same, their children with them.
func TestBrowsersThatDoNotWantToEnd(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"one that ends when asked to": {"sleep 1000 &"},
		"one that leaves a child":     {"(trap '' TERM; while :; do sleep 1000; done) &"},
		"one that heeds nobody":       {"trap '' TERM", "(while :; do sleep 1000; done) &"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startGroup(t, lines...)
			require.True(t, r.alive())
			require.NoError(t, kill(r))
			require.False(t, r.alive())
			eventually(t, func() bool { return members(r.PID) == 0 }, "none of its processes is left")
			require.NoError(t, kill(r), "again")
		})
	}
}

func TestGoneIsBounded(t *testing.T) {
	t.Parallel()
	started, ok := startOf(os.Getpid())
	require.True(t, ok)
	require.False(t, gone(running{PID: os.Getpid(), Started: started}, time.Millisecond), "we are still here")
	require.True(t, gone(running{PID: os.Getpid(), Started: "long ago"}, time.Millisecond))
}

// TestABrowserThatIsBusyIsGivenTime: one that runs is not given up, with all its windows, because it does not answer at once.
func TestABrowserThatIsBusyIsGivenTime(t *testing.T) {
	t.Parallel()
	started, ok := startOf(os.Getpid())
	require.True(t, ok)
	c := &chromium{dir: t.TempDir(), log: zap.NewNop()}
	us := running{PID: os.Getpid(), Started: started, Address: "ws://127.0.0.1:1/devtools/browser/x"}
	require.NoError(t, c.remember(us))
	ctx, cancel := context.WithTimeout(t.Context(), 3*chromiumAnswerPause)
	defer cancel()
	began := time.Now()
	_, err := c.find(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded, "whether it runs could not be found out: no other is started")
	require.GreaterOrEqual(t, time.Since(began), 2*chromiumAnswerPause)

	us.Started = "long ago"
	require.NoError(t, c.remember(us))
	address, err := c.find(t.Context())
	require.NoError(t, err)
	require.Empty(t, address, "a process that has ended is not waited for")
}

func TestEndingThatFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, makeFiles(dir, "users.lock"))
	require.ErrorContains(t, End(t.Context(), dir), "shutting browser host down: ", "there is no lock to take")
	require.NoError(t, makeFiles(dir, "browser.lock"))
	put(t, dir, "browser.json")
	require.ErrorContains(t, End(t.Context(), dir), "reading browser.json")

	held, err := tryLockFile(filepath.Join(dir, "browser.lock"), unix.LOCK_EX)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, End(ctx, dir), context.DeadlineExceeded, "somebody is starting a browser")
	closeLock(held)
}

// TestDisconnectWhileTheBrowserIsOutOfOrder must not wait for it to be mended.
func TestDisconnectWhileTheBrowserIsOutOfOrder(t *testing.T) {
	t.Parallel()
	h, d, logs := bareHost(t)
	h.chromium.cdpURL = "http://127.0.0.1:1" // nobody is there
	withDriver(h)
	background, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.ended.Go(func() { h.supervise(background) })
	h.ended.Go(func() { h.followWindows(background) })
	w := d.bareWindow(t, h, record{ID: "W1"})
	conn, dr := h.current()
	require.NotNil(t, dr)
	conn.close()
	eventually(t, func() bool { return logs.FilterMessage("browser host is out of order").Len() > 1 }, "it tries again")
	require.NoError(t, w.Err(), "the browser may be there all the same")
	cancel()
	h.ended.Wait()      // which it must not do for long
	h.publish(nil, nil) // this driver is none that could be stopped
	require.NoError(t, h.Disconnect())
	_, err := h.Reserve(t.Context())
	require.ErrorIs(t, err, ErrDisconnected)
}

func TestFindChromiumWithoutAHome(t *testing.T) {
	t.Setenv("MK_CHROMIUM", "")
	t.Setenv("HOME", "")
	_, err := FindChromium()
	require.ErrorContains(t, err, "looking for Chromium: ")
}

// TestHeadlessShellsComeFirst because they start faster and need less memory, and Chrome last of all.
func TestHeadlessShellsComeFirst(t *testing.T) {
	t.Parallel()
	for system, last := range map[string]string{
		"linux": "/opt/google/chrome/chrome", "darwin": "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		places := chromiumPlaces(system, "/home/me", "/playwright")
		require.Contains(t, places[0], "headless", system)
		require.Equal(t, last, places[len(places)-1])
		for _, place := range places {
			require.NotContains(t, place, "ms-playwright", "Playwright's own variable names its folder")
		}
	}
}

func TestUnparkingWhatWasNeverParked(t *testing.T) {
	t.Parallel()
	w := openWindow(t, sharedHost(t), "someone")
	require.NoError(t, w.Unpark(t.Context()))
	require.NoError(t, w.Note(parkedNote, "{"))
	require.ErrorContains(t, w.Unpark(t.Context()), "unparking window "+w.ID())
	require.NoError(t, w.Note(parkedNote, `{"0":[5,5,5],"7":[0]}`))
	require.NoError(t, w.Unpark(t.Context()), "a way to nowhere, and a frame that is gone")
	require.Empty(t, w.Noted(parkedNote))
	require.NoError(t, w.Note(parkedNote, `{"0":[0]}`))
	hang(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, w.Unpark(ctx), context.DeadlineExceeded)
	require.NotEmpty(t, w.Noted(parkedNote), "it can be tried again")
	require.NoError(t, w.Close(t.Context()))
}

func TestFoldersOfWindows(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	require.ErrorIs(t, f.create(record{}), os.ErrExist, "a window has one folder")
	require.False(t, f.claimed())
	created := f.touched()
	require.Positive(t, created)
	require.NoError(t, f.touch())
	require.Greater(t, f.touched(), created)
	require.LessOrEqual(t, f.touched(), uptime())
	_, err := f.update(func(*record) error { return ErrBegun })
	require.ErrorIs(t, err, ErrBegun)
	require.NoError(t, f.remove())
	require.Zero(t, f.touched())
	require.False(t, f.claimed())
	require.ErrorIs(t, f.touch(), os.ErrNotExist)
	_, err = f.update(func(*record) error { return nil })
	require.ErrorIs(t, err, os.ErrNotExist)
}
