// Package tools_test runs the scripts in this folder as make does.
package tools_test

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAlivePassesOutputAndStatusOn(t *testing.T) {
	t.Parallel()
	out, status := run(t, nil, "./alive.sh", "counting", "/bin/sh", "-c", `echo "one two"; exit 7`)
	require.Equal(t, "one two\n", out)
	require.Equal(t, 7, status)
}

func TestAliveKeepsALog(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	out, status := run(t, nil, "./alive.sh", "-l", log, "counting", "/bin/sh", "-c", `echo one; echo two >&2`)
	require.Empty(t, out)
	require.Zero(t, status)
	written, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", string(written))
}

func TestAliveSaysThatItIs(t *testing.T) {
	t.Parallel()
	// The command lasts until its input ends, which is when the first sign of life has been read.
	command := exec.CommandContext(t.Context(), "./alive.sh", "waiting", "cat")
	command.Env = append(os.Environ(), "ALIVE_EVERY=1")
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())

	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^    waiting: still at it, \d+ s\n$`, line)
	require.NoError(t, input.Close())
	require.NoError(t, command.Wait())
}

func TestAliveSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	command := exec.CommandContext(t.Context(), "./alive.sh", "-l", log, "waiting", "/bin/sh", "-c", "echo one; echo two; cat")
	command.Env = append(os.Environ(), "ALIVE_EVERY=1", "ALIVE_LINES=8")
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())

	for said := bufio.NewReader(output); ; {
		line, err := said.ReadString('\n')
		require.NoError(t, err)
		if strings.HasSuffix(line, " s, 25 %\n") {
			break
		}
	}
	require.NoError(t, input.Close())
	require.NoError(t, command.Wait())
}

func TestBareSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	out, status := run(t, nil, "./bare.sh", "elsewhere")
	require.Equal(t, 1, status)
	require.Equal(t, "tools/bare.sh: there is no mode 'elsewhere': say root, user, blanks or all\n", out)
	out, status = run(t, []string{"PATH=" + pathWithout(t)}, "./bare.sh")
	require.Equal(t, 1, status)
	require.Equal(t, "tools/bare.sh: needs debootstrap: apt-get install debootstrap\n", out)
}

func TestSetupASecondTimeOnlyLooks(t *testing.T) {
	anyBrowser := []string{"MK_CHROMIUM=", "MK_TEMPORAL=", "MK_POSTGRES="}
	out, status := run(t, anyBrowser, "./setup.sh")
	require.Zero(t, status, out)
	before := installed(t)

	out, status = run(t, anyBrowser, "./setup.sh")
	require.Zero(t, status, out)
	require.NotContains(t, out, "installing")
	require.Contains(t, out, "  browser   /")
	require.Equal(t, before, installed(t))
}

func TestSetupSaysWhatIsMissing(t *testing.T) { // one at a time: they share the logs in .tools
	old, err := filepath.Abs("testdata/old")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		env  []string
		want []string
	}{
		"programs": {
			[]string{"PATH=" + pathWithout(t, "node", "npm", "go")},
			[]string{"install npm", "install Go 1.26 or newer", "install Node.js 20 or newer"},
		},
		"a Go and a Node.js of today": {
			[]string{"PATH=" + old + ":" + pathWithout(t, "node", "go")},
			[]string{"install Go 1.26 or newer", "install Node.js 20 or newer"},
		},
		"the browser named": {
			[]string{"MK_CHROMIUM=/bin/false"},
			[]string{"MK_CHROMIUM names /bin/false, which does not start"},
		},
		"the temporal tool named": {
			[]string{"MK_TEMPORAL=/bin/false", "MK_CHROMIUM="},
			[]string{"MK_TEMPORAL names /bin/false, which is no temporal tool with a server of 1.29 or newer"},
		},
		"the PostgreSQL named": {
			[]string{"MK_POSTGRES=/bin", "MK_TEMPORAL=", "MK_CHROMIUM="},
			[]string{"MK_POSTGRES names /bin, which holds no initdb and postgres of version 15 or newer"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, status := run(t, test.env, "./setup.sh")
			require.Equal(t, 1, status, out)
			for _, want := range test.want {
				require.Contains(t, out, want)
			}
		})
	}
}

// run runs a script and returns what it said and its exit status.
func run(t *testing.T, env []string, script string, args ...string) (string, int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), script, args...)
	command.Env = append(os.Environ(), env...)
	command.WaitDelay = 10 * time.Second
	out, err := command.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return string(out), command.ProcessState.ExitCode()
}

// installed lists what make setup has installed, with the time of its last change.
func installed(t *testing.T) map[string]time.Time {
	t.Helper()
	changed := map[string]time.Time{}
	for _, folder := range []string{"bin", "playwright", "browsers", "postgres"} {
		err := filepath.WalkDir(filepath.Join("../.tools", folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return fs.SkipDir // not every machine needs every folder
			}
			info, err := entry.Info()
			changed[path] = info.ModTime()
			return err
		})
		require.NoError(t, err)
	}
	require.NotEmpty(t, changed)
	return changed
}

// pathWithout returns a PATH on which the programs that setup.sh uses are found, but not the ones named.
func pathWithout(t *testing.T, absent ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range strings.Fields("bash dirname mkdir awk sed git make node npm go") {
		if path, err := exec.LookPath(name); err == nil {
			require.NoError(t, os.Symlink(path, filepath.Join(dir, name)))
		}
	}
	for _, name := range absent {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	return dir
}
