package devenv

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// parentLifeline names the pipe that the child of a re-executed test binary holds open.
const parentLifeline = "STACK_TEST_PARENT_LIFELINE"

func TestMain(m *testing.M) {
	if path := os.Getenv(parentLifeline); path != "" {
		beParent(path)
	}
	os.Exit(m.Run())
}

// beParent starts a child that would outlive it and waits to be killed.
func beParent(path string) {
	child, err := Start(Command{Path: "/bin/sh", Args: []string{"-c", `exec sleep 600 9>"$0"`, path}, Log: path + ".log"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-child.Done()
	os.Exit(0)
}

func TestProcessDiesWithItsParent(t *testing.T) {
	t.Parallel()
	lifeline := newLifeline(t)
	parent, err := Start(Command{
		Path: os.Args[0], Env: []string{parentLifeline + "=" + lifeline.path}, Log: filepath.Join(t.TempDir(), "log"),
	})
	require.NoError(t, err)
	lifeline.awaitHeld(t)

	require.NoError(t, parent.Kill())
	lifeline.awaitReleased(t)
}
