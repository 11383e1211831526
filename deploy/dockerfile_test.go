package deploy

import (
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/browser"
)

// instruction is one line of a Dockerfile, its continuations included.
type instruction struct {
	name  string
	flags []string
	args  []string
}

type stage struct {
	name, base   string
	instructions []instruction
}

type dockerfile []stage

func readDockerfile() (dockerfile, error) {
	file, err := os.Open(filepath.Join(root, "Dockerfile"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read from
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	var stages dockerfile
	for _, node := range parsed.AST.Children {
		one := instruction{name: strings.ToUpper(node.Value), flags: node.Flags}
		for argument := node.Next; argument != nil; argument = argument.Next {
			one.args = append(one.args, argument.Value)
		}
		if one.name == "FROM" {
			if len(one.args) != 3 || !strings.EqualFold(one.args[1], "as") {
				return nil, errors.New("FROM without a name: " + node.Original)
			}
			stages = append(stages, stage{name: one.args[2], base: one.args[0]})
			continue
		}
		last := &stages[len(stages)-1]
		last.instructions = append(last.instructions, one)
	}
	return stages, nil
}

func (d dockerfile) stage(name string) (stage, bool) {
	i := slices.IndexFunc(d, func(s stage) bool { return s.name == name })
	if i < 0 {
		return stage{}, false
	}
	return d[i], true
}

func (s stage) all(name string) []instruction {
	var found []instruction
	for _, one := range s.instructions {
		if one.name == name {
			found = append(found, one)
		}
	}
	return found
}

// one is the arguments of the stage's only instruction of this name.
func (s stage) one(t *testing.T, name string) []string {
	t.Helper()
	found := s.all(name)
	require.Len(t, found, 1, "%s of stage %s", name, s.name)
	return found[0].args
}

func (s stage) goBuild() string {
	for _, run := range s.all("RUN") {
		if strings.Contains(run.args[0], "go build") {
			return run.args[0]
		}
	}
	return ""
}

// copies are the files that the stage takes over, by where they are then.
func (s stage) copies(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, one := range s.all("COPY") {
		to := one.args[len(one.args)-1]
		for _, from := range one.args[:len(one.args)-1] {
			if target := to; strings.HasSuffix(to, "/") && !strings.HasSuffix(from, "/") {
				found[target+path.Base(from)] = from
				continue
			}
			found[to] = from
		}
	}
	return found
}

func theDockerfile(t *testing.T) dockerfile {
	t.Helper()
	file, err := readDockerfile()
	require.NoError(t, err)
	return file
}

// pinned is a version down to its last part, or the date of a snapshot.
var pinned = regexp.MustCompile(`:v?\d+(\.\d+){1,3}(-[a-z]+)*$|-\d{8}-slim$`)

func TestDockerfile_BasesArePinned(t *testing.T) {
	t.Parallel()
	for _, s := range theDockerfile(t) {
		if s.base != "scratch" {
			require.Regexp(t, pinned, s.base)
		}
	}
}

// TestDockerfile_CopiesWhatIsThere: from the context, from the programs that were built, or from a stage before.
func TestDockerfile_CopiesWhatIsThere(t *testing.T) {
	t.Parallel()
	file := theDockerfile(t)
	made, _ := file.stage("build")
	for i, s := range file {
		for _, one := range s.all("COPY") {
			source := ""
			for _, flag := range one.flags {
				source = strings.TrimPrefix(flag, "--from=")
			}
			for _, from := range one.args[:len(one.args)-1] {
				switch {
				case source == "":
					_, err := os.Stat(filepath.Join(root, from))
					require.NoError(t, err, "stage %s copies from the repository", s.name)
				case strings.HasPrefix(from, "/out/"):
					require.FileExists(t, bin+path.Base(from), "stage %s copies a program", s.name)
				case strings.HasPrefix(from, "/folders/"):
					require.Contains(t, made.all("RUN")[2].args[0], strings.TrimSuffix(from, "/"), "stage %s copies folders", s.name)
				}
				_, before := file[:i].stage(source)
				require.True(t, source == "" || before, "stage %s copies from %s, which is no stage before it", s.name, source)
			}
		}
	}
}

func TestDockerfile_NobodyIsRoot(t *testing.T) {
	t.Parallel()
	for _, s := range theDockerfile(t) {
		if s.name == "build" || s.name == "driver" {
			continue // what runs there is thrown away
		}
		require.Equal(t, []string{"10001:10001"}, s.one(t, "USER"), s.name)
		entry := s.one(t, "ENTRYPOINT")[0]
		if s.name != "browser" {
			require.Equal(t, "/out/"+s.name, s.copies(t)[entry], "stage %s runs its program", s.name)
		}
	}
}

func TestDockerfile_DriverIsTheLockedOne(t *testing.T) {
	t.Parallel()
	worker, _ := theDockerfile(t).stage("worker")
	require.Equal(t, "/driver/package", worker.copies(t)["/driver/package"])
	require.Equal(t, []string{"PLAYWRIGHT_DRIVER_PATH", "/driver", "=", "PLAYWRIGHT_NODEJS_PATH", "/usr/local/bin/node", "="}, worker.one(t, "ENV"))
	text, err := os.ReadFile(filepath.Join(root, "tools/driver/package-lock.json"))
	require.NoError(t, err)
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	require.NoError(t, json.Unmarshal(text, &lock))
	require.NotEmpty(t, lock.Packages["node_modules/playwright-core"].Integrity)
}

// TestDockerfile_BrowserIsStartedAsTheWorkerWould holds Chromium's flags to those of package browser.
func TestDockerfile_BrowserIsStartedAsTheWorkerWould(t *testing.T) {
	t.Parallel()
	s, _ := theDockerfile(t).stage("browser")
	entry := s.one(t, "ENTRYPOINT")
	require.Equal(t, "/usr/lib/chromium/chromium-headless-shell", entry[0], "the binary itself: the wrapper script does not pass signals on")
	require.Equal(t, browser.Flags("/tmp/profile", 9222), entry[1:])
	require.Contains(t, s.one(t, "RUN")[0], " chromium-headless-shell ")
}

// TestSeccomp_LetsChromiumBuildItsSandbox: the profile is a list of what is refused.
func TestSeccomp_LetsChromiumBuildItsSandbox(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("browser-seccomp.json")
	require.NoError(t, err)
	var profile struct {
		DefaultAction string
		Syscalls      []struct {
			Names  []string
			Action string
		}
	}
	require.NoError(t, json.Unmarshal(text, &profile))
	require.Equal(t, "SCMP_ACT_ALLOW", profile.DefaultAction)
	require.Len(t, profile.Syscalls, 1)
	require.Equal(t, "SCMP_ACT_ERRNO", profile.Syscalls[0].Action)
	refused := profile.Syscalls[0].Names
	require.IsNonDecreasing(t, refused)
	for _, needed := range []string{"chroot", "clone", "clone3", "setns", "unshare"} {
		require.NotContains(t, refused, needed)
	}
	for _, dangerous := range []string{"bpf", "keyctl", "kexec_load", "mount", "open_by_handle_at", "perf_event_open", "userfaultfd"} {
		require.Contains(t, refused, dangerous)
	}
}
