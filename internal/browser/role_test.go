package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// play is what the test binary does as a second process: open the host in BROWSER_TEST_DIR, do what the role says, print a
// line, and stay until it is killed or its input ends.
func play(role string) int {
	line, err := playRole(role)
	if err != nil {
		line = "error: " + err.Error()
	}
	if _, err := fmt.Fprintln(os.Stdout, line); err != nil {
		return 1
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return 1
	}
	return 0
}

func playRole(role string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	h, err := Open(ctx, Options{Dir: os.Getenv("BROWSER_TEST_DIR"), Args: noInternet(), Capacity: 4, Unclaimed: time.Hour})
	if err != nil {
		return "", err
	}
	if role == "half-typed" {
		return halfTyped(ctx, h, os.Getenv("BROWSER_TEST_ARG"))
	}
	w, err := h.Window(ctx, os.Getenv("BROWSER_TEST_ARG"))
	if err != nil {
		return "", err
	}
	switch role {
	case "lock":
		_, err = w.Lock(ctx)
	case "claim":
		w.Claim()
	default:
		err = fmt.Errorf("unknown role %s", role)
	}
	return w.ID(), err
}

// halfTyped types half of a code into a form.
func halfTyped(ctx context.Context, h *Host, url string) (string, error) {
	w, err := h.OpenWindow(ctx, "someone", 10*time.Minute)
	if err != nil {
		return "", err
	}
	if err := w.BeginOnce("type-code"); err != nil {
		return "", err
	}
	if _, err := w.Page().Goto(url); err != nil {
		return "", err
	}
	if _, err := w.Page().Evaluate(`() => { document.cookie = "session=s1"; window.tries = 3 }`); err != nil {
		return "", err
	}
	return w.ID(), w.Page().Locator("#code").PressSequentially("123")
}

// second is another process that has the host open.
type second struct {
	cmd  *exec.Cmd
	line string
}

// startSecond runs the role and waits for the line it prints.
func startSecond(t *testing.T, role, dir, arg string) *second {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // our own program
	cmd.Env = append(os.Environ(), "BROWSER_TEST_ROLE="+role, "BROWSER_TEST_DIR="+dir, "BROWSER_TEST_ARG="+arg)
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // its end is ours: should we be killed, it ends
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s := &second{cmd: cmd}
	t.Cleanup(func() { s.kill(t) })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	s.line = strings.TrimSpace(line)
	require.NotContains(t, s.line, "error")
	return s
}

// kill ends the process and its Playwright driver with SIGKILL.
func (s *second) kill(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	require.NoError(t, unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL))
	require.Error(t, s.cmd.Wait(), "it was killed")
}
