package devenv

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait in these tests; none comes near it unless something is broken.
const patience = 3 * time.Minute

func TestProcessWritesItsLogAndReportsItsExitStatus(t *testing.T) {
	t.Parallel()
	p := startShell(t, `echo "hello $NAME"; echo "to stderr" >&2; exit 3`, "NAME=meter")

	var exit *exec.ExitError
	require.ErrorAs(t, p.Wait(t.Context()), &exit)
	require.Equal(t, 3, exit.ExitCode())
	require.Equal(t, "hello meter\nto stderr\n", p.Tail())
}

func TestProcessTailLeavesOutEarlierRuns(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "run.log")
	for _, word := range []string{"first", "second"} {
		p, err := Start(Command{Path: "/bin/sh", Args: []string{"-c", "echo " + word}, Log: log})
		require.NoError(t, err)
		require.NoError(t, p.Wait(t.Context()))
		require.Equal(t, word+"\n", p.Tail())
	}
	whole, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "first\nsecond\n", string(whole))
}

func TestProcessTailIsShort(t *testing.T) {
	t.Parallel()
	p := startShell(t, `i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done`)
	require.NoError(t, p.Wait(t.Context()))
	require.Len(t, p.Tail(), tailBytes)
	require.Contains(t, p.Tail(), "line 999\n")
}

func TestProcessThatCannotStartNamesItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Start(Command{Path: filepath.Join(dir, "absent"), Log: filepath.Join(dir, "log")})
	require.ErrorContains(t, err, "starting absent")

	_, err = Start(Command{Path: "/bin/sh", Log: filepath.Join(dir, "no", "such", "folder")})
	require.ErrorContains(t, err, "opening the log of sh")
}

func TestProcessWaitIsBounded(t *testing.T) {
	t.Parallel()
	p := startShell(t, `exec sleep 600`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Wait(ctx), context.Canceled)
	require.NoError(t, p.Kill())
}

func TestProcessStopLetsItFinish(t *testing.T) {
	t.Parallel()
	p := startShell(t, `trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
	awaitLog(t, p, "ready")

	require.NoError(t, p.Stop(t.Context()))
	require.NoError(t, p.Wait(t.Context()))
	require.Contains(t, p.Tail(), "goodbye")
	require.NoError(t, p.Stop(t.Context()), "stopping twice is no error")
	require.NoError(t, p.Kill(), "nor is killing what has ended")
}

func TestProcessStopKillsTheWholeGroupWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	lifeline := newLifeline(t)
	p := startShell(t, `trap "" TERM; exec 9>"$LIFELINE"; sleep 600 & echo ready; wait`, "LIFELINE="+lifeline.path)
	lifeline.awaitHeld(t)
	awaitLog(t, p, "ready")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, p.Stop(ctx), "stopping sh: it did not end in time and was killed")
	lifeline.awaitReleased(t)
}

func TestProcessKillIsACrashOfItAlone(t *testing.T) {
	t.Parallel()
	lifeline := newLifeline(t)
	p := startShell(t, `trap "" TERM; sleep 600 9>"$LIFELINE" & wait`, "LIFELINE="+lifeline.path)
	lifeline.awaitHeld(t)

	require.NoError(t, p.Kill())
	var exit *exec.ExitError
	require.ErrorAs(t, p.Wait(t.Context()), &exit)
	require.Equal(t, -1, exit.ExitCode())

	require.NoError(t, syscall.Kill(-p.PID(), syscall.SIGKILL), "the child is still there, in the group")
	lifeline.awaitReleased(t)
}

// startShell starts a shell script and makes sure that its group is gone when the test ends.
func startShell(t *testing.T, script string, env ...string) *Process {
	t.Helper()
	p, err := Start(Command{
		Path: "/bin/sh", Args: []string{"-c", script}, Env: env, Log: filepath.Join(t.TempDir(), "log"),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		// Errors are expected here: nearly every test has ended its process by now.
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		<-p.Done()
	})
	return p
}

func awaitLog(t *testing.T, p *Process, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		written, err := os.ReadFile(p.log)
		return err == nil && strings.HasPrefix(string(written), text)
	}, patience, 10*time.Millisecond)
}

// lifeline is a named pipe that processes hold open for as long as they live, so that their end can be seen without
// asking for process ids, which outlive their processes where nobody collects them.
type lifeline struct {
	path   string
	reader *os.File
}

func newLifeline(t *testing.T) *lifeline {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lifeline")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return &lifeline{path: path}
}

// awaitHeld returns once a process has opened the pipe for writing.
func (l *lifeline) awaitHeld(t *testing.T) {
	t.Helper()
	opened := make(chan error, 1)
	go func() {
		var err error
		l.reader, err = os.Open(l.path)
		opened <- err
	}()
	select {
	case err := <-opened:
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.reader.Close()) })
	case <-time.After(patience):
		require.Fail(t, "nobody took hold of the lifeline")
	}
}

// awaitReleased returns once every process that held the pipe is gone.
func (l *lifeline) awaitReleased(t *testing.T) {
	t.Helper()
	require.NoError(t, l.reader.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.ReadAll(l.reader)
	require.NoError(t, err, "a process is still alive")
}
