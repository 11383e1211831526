package e2e

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
)

// caseLimit bounds one data request of these tests, far above what any takes.
const caseLimit = 3 * time.Minute

// How often logs and the API are looked at while something is waited for.
const (
	pollLog = 100 * time.Millisecond
	pollAPI = 50 * time.Millisecond
)

// safe makes a test's name fit for ids.
var safe = strings.NewReplacer("/", "-", " ", "-")

// bin holds the programs, built once for all tests.
var bin string

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		code = 1
	}
	os.Exit(code)
}

// atOnce is how many tests run side by side: most of their time they wait for a site.
const atOnce = "8"

func runTests(m *testing.M) (int, error) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return 1, err
	}
	var err error
	if bin, err = os.MkdirTemp("", "meterkey-bin-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(bin) }() // a folder of the tests' own
	build := exec.CommandContext(context.Background(), "go", "build", "-o", bin, "../../worker", "../../portal")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// world is one stack of a test's own.
type world struct {
	*devenv.Environment
	dir string
}

func up(t *testing.T, o practice.Options, env ...string) *world {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s, err := devenv.Up(ctx, devenv.Options{Bin: bin, Dir: dir, Practice: o, Env: env})
	t.Cleanup(func() {
		bounded, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		require.NoError(t, s.Down(bounded))
		requireNoBrowser(t, dir)
	})
	require.NoError(t, err)
	_, err = s.StartWorker(ctx, "a")
	require.NoError(t, err)
	return &world{Environment: s, dir: dir}
}

// requireNoBrowser looks for processes that name the test's folder: Chromium carries it in its arguments.
func requireNoBrowser(t *testing.T, dir string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var none *exec.ExitError
		// The test's own context has ended by now.
		return errors.As(exec.CommandContext(context.Background(), "pgrep", "-f", "user-data-dir="+dir).Run(), &none) && none.ExitCode() == 1
	}, 3*time.Minute, 50*time.Millisecond, "a browser is left behind")
}

func (w *world) customer(t *testing.T, utility, kind string) *devenv.Customer {
	t.Helper()
	client, err := w.Client(t.Context())
	require.NoError(t, err)
	id := safe.Replace(strings.TrimPrefix(t.Name(), "Test"))
	t.Cleanup(func() { w.explain(t, id) })
	return &devenv.Customer{Environment: w.Environment, Client: client, ID: id, Utility: utility, User: kind + "." + strings.ToLower(id) + "@example.com",
		Say: func(format string, args ...any) { t.Logf(format, args...) }}
}

// explain shows what the worker said of a request whose test failed, and of what went wrong for all of them: Temporal's last
// words too, without which nobody can tell a broken server from a broken worker.
func (w *world) explain(t *testing.T, id string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	t.Log("Temporal said last:\n" + w.Temporal.Tail())
	for _, line := range w.log(t) {
		if line["request_id"] == id || line["WorkflowID"] == meterkey.WorkflowID(id) || line["request_id"] == nil && line["WorkflowID"] == nil && line["level"] != "info" {
			t.Log(line)
		}
	}
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), caseLimit)
	t.Cleanup(cancel)
	return ctx
}

// notices lists what the worker says it sent for a request, as "kind to audience", in the order of their numbers. That a code
// is needed is left out: whether it is told depends on how long the machine takes to answer.
func (w *world) notices(t *testing.T, id string) []string {
	t.Helper()
	type sent struct {
		number int
		text   string
	}
	var all []sent
	for _, line := range w.log(t) {
		if line["msg"] != "notice" || line["request_id"] != id || line["kind"] == string(meterkey.NoticeCodeNeeded) {
			continue
		}
		one := sent{text: fmt.Sprintf("%s to %s", line["kind"], line["to"])}
		name := fmt.Sprint(line["notice"])
		_, err := fmt.Sscanf(name[strings.LastIndexByte(name, '.')+1:], "%d", &one.number)
		require.NoError(t, err)
		if !slices.Contains(all, one) { // a retry may say it again
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b sent) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text)) })
	texts := []string{}
	for _, one := range all {
		texts = append(texts, one.text)
	}
	return texts
}

// log is the worker's log: one JSON document a line.
func (w *world) log(t *testing.T) []map[string]any {
	t.Helper()
	file, err := os.Open(filepath.Join(w.dir, "worker-a.log"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }() // only read from
	var lines []map[string]any
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := map[string]any{}
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &line), "not a structured line: %s", scanner.Text())
		lines = append(lines, line)
	}
	require.NoError(t, scanner.Err())
	return lines
}

// ended waits until the run is over, its notices sent and its windows closed.
func (w *world) ended(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	var result meterkey.Result
	require.NoError(t, w.Run(ctx, id, &result))
}
