package deploy

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/stretchr/testify/require"
)

const (
	root        = ".."
	composeFile = root + "/docker-compose.yml"
	practiceEnv = "practice.env"
)

// bin holds the programs, built once for all tests as the Dockerfile builds them.
var bin string

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "meterkey-deploy-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder of the tests' own
	folder := filepath.Join(dir, "context")
	if err := copyContext(folder); err != nil {
		return 1, err
	}
	bin = filepath.Join(dir, "bin") + "/"
	if err := build(folder); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// copyContext copies what Docker would send to the builder: everything that .dockerignore does not name.
func copyContext(to string) error {
	list, err := os.Open(filepath.Join(root, ".dockerignore"))
	if err != nil {
		return err
	}
	defer func() { _ = list.Close() }() // only read from
	patterns, err := ignorefile.ReadAll(list)
	if err != nil {
		return err
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		skip, err := ignored.MatchesOrParentMatches(name)
		skip = skip && name != "." // which begins with a dot, too
		switch {
		case err != nil:
			return err
		case skip && entry.IsDir():
			return fs.SkipDir
		case skip:
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o600)
	})
}

// build runs the Dockerfile's own command in the context.
func build(folder string) error {
	file, err := readDockerfile()
	if err != nil {
		return err
	}
	stage, _ := file.stage("build")
	command := stage.goBuild()
	if command == "" {
		return fmt.Errorf("the stage build has no `go build`")
	}
	sh := exec.CommandContext(context.Background(), "sh", "-euc", strings.ReplaceAll(command, " /out/", " "+bin))
	sh.Dir, sh.Stdout, sh.Stderr = folder, os.Stderr, os.Stderr
	if err := sh.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// load reads the Compose file as `docker compose --env-file … --profile …` does, without this process's environment.
func load(t *testing.T, env []string, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{composeFile}, cli.WithEnvFiles(env...), cli.WithDotEnv, cli.WithDefaultProfiles(profiles...))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

// practising is the project as a newcomer starts it.
func practising(t *testing.T) *types.Project {
	t.Helper()
	return load(t, []string{practiceEnv})
}

// whole is the project with the services of every profile.
func whole(t *testing.T) *types.Project {
	t.Helper()
	return load(t, []string{practiceEnv}, "*")
}

// environment is a service's, for what reads one.
type environment map[string]string

func (e environment) LookupEnv(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func (e environment) Environ() []string {
	var all []string
	for name, value := range e {
		all = append(all, name+"="+value)
	}
	return slices.Sorted(slices.Values(all))
}

func environmentOf(s types.ServiceConfig) environment {
	e := environment{}
	for name, value := range s.Environment {
		if value != nil {
			e[name] = *value
		}
	}
	return e
}
