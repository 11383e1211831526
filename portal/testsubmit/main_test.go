package testsubmit_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
)

// histories is where the replay tests' histories are stored anew: go test ./portal/testsubmit -histories=testdata/histories
var histories = flag.String("histories", "", "store some test submissions' histories in this folder")

// world is one real stack for all tests of this package: Temporal, a worker with its Chromium, the practice sites, a portal.
var world struct {
	*devenv.Environment
	portal *devenv.Process
	access devenv.Access
}

// atOnce is how many scenarios run side by side: most of their time they wait for a site.
const atOnce = "5"

// shortLived is the utility whose windows live for seconds here, so that a code can be late.
const shortLived = "EVERSOURCE"

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return 1, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "meterkey-testsubmit-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	defer func() {
		bounded, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		defer stop()
		if world.Environment != nil {
			err = errors.Join(err, world.Down(bounded))
		}
	}()
	if err := up(ctx, dir); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func up(ctx context.Context, dir string) error {
	bin := filepath.Join(dir, "bin")
	build := exec.CommandContext(ctx, "go", "build", "-o", bin+"/", "../../worker", "../../portal")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	files, err := hastyUtilities(dir)
	if err != nil {
		return err
	}
	world.Environment, err = devenv.Up(ctx, devenv.Options{Bin: bin, Dir: filepath.Join(dir, "home"), Env: []string{"MK_WINDOWS=12", "MK_UTILITIES_DIR=" + files},
		Practice: practice.Options{SlowDelay: time.Second, EndsAfter: 3 * time.Second, FormDelay: 50 * time.Millisecond, ResendAfter: time.Millisecond}})
	if err != nil {
		return err
	}
	if _, err := world.StartWorker(ctx, "a"); err != nil {
		return err
	}
	if world.portal, err = world.StartPortal(ctx); err != nil {
		return err
	}
	world.access, err = world.Grant(ctx)
	return err
}

// hastyUtilities is a folder of utilities' own files that wait less long: for pages that nobody knows, and for one code.
func hastyUtilities(dir string) (string, error) {
	files := filepath.Join(dir, "utilities")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return "", err
	}
	for name, change := range map[string][2]string{
		"demo.yaml":       {"\nflow:\n", "\nflow:\n  render_wait: 10s\n"},
		"eversource.yaml": {"\nflow:\n", "\nwindow_lifetime: 25s\nflow:\n"},
	} {
		text, err := os.ReadFile(filepath.Join("../../utilities", name))
		if err != nil {
			return "", err
		}
		changed := bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1)
		if err := os.WriteFile(filepath.Join(files, name), changed, 0o600); err != nil {
			return "", err
		}
	}
	return files, nil
}

// save stores the history of the workflow that played a scenario, once that has ended.
func save(ctx context.Context, t *testing.T, requestID, name string) {
	t.Helper()
	if *histories == "" {
		return
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: world.Temporal.Address(), Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	defer c.Close()
	id := "test-submit-" + requestID
	require.NoError(t, c.GetWorkflow(ctx, id, "").Get(ctx, nil))
	require.NoError(t, devenv.SaveHistory(ctx, c, id, filepath.Join(*histories, "test-submits", name+".json.gz")))
}

// bounded is a context for one scenario, far above what any takes.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func call[T any](ctx context.Context, t *testing.T, method, path string, body any) T {
	t.Helper()
	var into T
	require.NoError(t, world.access.Call(ctx, method, path, body, &into), "%s %s", method, path)
	return into
}
