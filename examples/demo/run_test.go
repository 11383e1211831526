package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// asDemo makes of this test binary the demonstration itself.
const asDemo = "DEMO_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--help"}, &out))
	for _, word := range []string{"--keep", "--only", "--at-once", "--histories", "--dir", "Ctrl-C", "exits 0 only if"} {
		require.Contains(t, out.String(), word)
	}
}

func TestBadUsageStartsNothing(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"unknown flag --fast; see demo --help": {"--fast"},
		"unexpected argument now":              {"now"},
		"--at-once must be at least 1":         {"--at-once", "0"},
		"expected a valid 64 bit int":          {"--at-once", "many"},
		"--only: no route's name contains \"Heco\"; they are:\n  CONED, by API and the customer's pages\n": {"--only", "Heco"},
	} {
		var out bytes.Buffer
		require.ErrorContains(t, run(t.Context(), args, &out), says)
		require.NotContains(t, out.String(), "Starting")
	}
}

// demo runs the demonstration in a process of its own, in a folder where its worker is missing.
func demo(t *testing.T, args ...string) (said string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), asDemo+"=1", "TMPDIR="+t.TempDir())
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	_, code := demo(t, "--help")
	require.Zero(t, code)
	said, code := demo(t, "--at-once", "0")
	require.Equal(t, 1, code)
	require.Equal(t, "demo: --at-once must be at least 1\n", said)
}

// TestWhatCannotStartIsSaidAndClearedUp runs the demonstration beside no worker: Temporal and the practice sites are up by then.
func TestWhatCannotStartIsSaidAndClearedUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said, code := demo(t, "--dir", dir)
	require.Equal(t, 1, code)
	require.Contains(t, said, "demo: starting worker: ")
	require.Contains(t, said, "no such file or directory")
	require.NotContains(t, said, "Up after")
	require.FileExists(t, filepath.Join(dir, "temporal.log"), "what may explain it stays")

	said, code = demo(t)
	require.Equal(t, 1, code)
	require.Regexp(t, `\(logs, notices and databases are kept in \S*meterkey-demo-\d+\)`, said)
}

func TestFolder(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	require.NoError(t, err)
	given, err := folder(flags{Dir: "kept"})
	require.NoError(t, err)
	require.Equal(t, filepath.Join(here, "kept"), given)
	kept, err := folder(flags{Keep: true})
	require.NoError(t, err)
	require.Equal(t, filepath.Join(here, ".meterkey", "run"), kept, "what is kept up is found again the next time")
	first, err := folder(flags{})
	require.NoError(t, err)
	second, err := folder(flags{})
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	require.DirExists(t, first)
	require.NoError(t, clear(nil, flags{}, first))
	require.NoDirExists(t, first, "after success nothing is left")
	failed := clear(errUnexpected, flags{}, second)
	require.ErrorIs(t, failed, errUnexpected)
	require.ErrorContains(t, failed, second)
	require.DirExists(t, second)
	require.NoError(t, os.RemoveAll(second))
}

func TestClearLeavesAFolderThatWasGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, set := range []flags{{Dir: dir}, {Keep: true}} {
		require.NoError(t, clear(nil, set, dir))
		failed := errors.New("failed")
		require.Equal(t, failed, clear(failed, set, dir))
		require.DirExists(t, dir)
	}
}

func TestUsualAddressesGiveWay(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	taken := listener.Addr().String()
	other := usual(taken)
	require.NotEqual(t, taken, other)
	require.Positive(t, port(other))
	require.NoError(t, listener.Close())
	require.Equal(t, taken, usual(taken), "where it is free it is taken")
	require.Zero(t, port("nowhere"))
	require.Zero(t, port("127.0.0.1:http"))
	require.Equal(t, 8420, port("127.0.0.1:8420"))
}

// TestExportsCanBePasted has a shell read them back.
func TestExportsCanBePasted(t *testing.T) {
	t.Parallel()
	text := exports([]string{"MK_A=/o'brien's folder/x", "MK_B=--proxy-bypass-list=*.localhost;127.0.0.1", "MK_C="})
	require.Equal(t, "  export MK_A='/o'\\''brien'\\''s folder/x'\n  export MK_B='--proxy-bypass-list=*.localhost;127.0.0.1'\n  export MK_C=''", text)
	said, err := exec.CommandContext(context.Background(), "sh", "-c", text+"\nprintf '%s|%s|%s' \"$MK_A\" \"$MK_B\" \"$MK_C\"").Output()
	require.NoError(t, err)
	require.Equal(t, "/o'brien's folder/x|--proxy-bypass-list=*.localhost;127.0.0.1|", string(said))
}
