package devenv

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
)

func TestTemporalKeepsItsDataAcrossRestarts(t *testing.T) {
	t.Parallel()
	options := TemporalOptions{Dir: filepath.Join(t.TempDir(), "data")}

	first := startTemporal(t, options)
	require.Empty(t, first.UIURL())
	id := startWorkflow(t, first, "awaiting_code")
	require.FileExists(t, filepath.Join(options.Dir, "temporal.db-wal"), "it does not wait for the disk")
	require.NoError(t, first.Stop(t.Context()))
	require.ErrorIs(t, syscall.Kill(first.PID(), 0), syscall.ESRCH)

	second := startTemporal(t, options)
	found := listWorkflows(t, second, `MeterkeyStatus = "awaiting_code"`)
	require.Equal(t, []string{id}, found)
}

// A call that gives up interrupts the database in the middle of what it does. Temporal's own tool, as released, can be left
// with a database that answers nothing but "interrupted" for the rest of its life.
func TestTemporalOutlivesCallsThatGiveUp(t *testing.T) {
	t.Parallel()
	server := startTemporal(t, TemporalOptions{Dir: t.TempDir()})
	c := dial(t, server)
	startWorkflow(t, server, "signing_in")
	listWorkflows(t, server, `MeterkeyStatus = "signing_in"`)
	var calls errgroup.Group
	for caller := range 4 {
		calls.Go(func() error {
			for i := range 2000 {
				giveUp(t.Context(), c, time.Duration(caller+4*i%4000)*time.Microsecond)
			}
			return nil
		})
	}
	require.NoError(t, calls.Wait())
	id := startWorkflow(t, server, "awaiting_code")
	require.Equal(t, []string{id}, listWorkflows(t, server, `MeterkeyStatus = "awaiting_code"`))
}

// giveUp lists workflows, with too little time for it, mostly.
func giveUp(ctx context.Context, c client.Client, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, _ = c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: `ExecutionStatus = "Running"`})
}

func TestTemporalServesItsUI(t *testing.T) {
	t.Parallel()
	server := startTemporal(t, TemporalOptions{UIPort: freePort(t), Dir: t.TempDir()})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.UIURL(), nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		response, err := http.DefaultTransport.RoundTrip(request)
		return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, patience, 50*time.Millisecond)
}

func TestStartTemporalShowsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "temporal.db"), []byte("this is no database, by any reading"), 0o600))
	_, err := StartTemporal(t.Context(), TemporalOptions{Dir: dir})
	require.ErrorContains(t, err, "it ended by itself with exit status 1")
	require.ErrorContains(t, err, "file is not a database")
}

func TestStartTemporalRefusesATakenAddress(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	_, err = StartTemporal(t.Context(), TemporalOptions{
		Address: listener.Addr().String(), Dir: t.TempDir(),
	})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestStartTemporalTriesAgainWhenItLosesAPort(t *testing.T) { // not parallel: a program just written cannot be run while another test forks
	tool, err := FindTemporal("")
	require.NoError(t, err)
	dir := t.TempDir()
	taken := startTemporal(t, TemporalOptions{Dir: filepath.Join(dir, "taken")})
	_, port, err := net.SplitHostPort(taken.Address())
	require.NoError(t, err)
	// The first start is sent to a taken port, which is what losing the race for it looks like.
	script := `#!/bin/sh
[ -e "$0.once" ] && exec "` + tool + `" "$@"
: >"$0.once"
exec "` + tool + `" server start-dev --headless --ip 127.0.0.1 --port ` + port + "\n"
	unlucky := filepath.Join(dir, "temporal")
	require.NoError(t, os.WriteFile(unlucky, []byte(script), 0o700))

	startTemporal(t, TemporalOptions{Binary: unlucky, Dir: filepath.Join(dir, "unlucky")})
	said, err := os.ReadFile(filepath.Join(dir, "unlucky", "temporal.log"))
	require.NoError(t, err)
	require.Contains(t, string(said), "address already in use")
}

func TestStartTemporalIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	address, err := FreeAddress("")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = StartTemporal(ctx, TemporalOptions{Address: address, Dir: t.TempDir()})
	require.ErrorContains(t, err, "not ready in time")

	_, err = FreeAddress(address)
	require.NoError(t, err, "the server it started is gone")
}

func TestStartTemporalSaysWhatItCannotUse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, test := range map[string]struct {
		options TemporalOptions
		want    string
	}{
		"absent binary":       {TemporalOptions{Binary: "/no/such/temporal"}, "finding the temporal tool"},
		"address of no shape": {TemporalOptions{Address: "nowhere"}, "trying address nowhere"},
		"folder that is none": {TemporalOptions{Dir: file}, "making the temporal server's folder"},
		"no folder":           {TemporalOptions{}, "making the temporal server's folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := StartTemporal(t.Context(), test.options)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestFindTemporal(t *testing.T) {
	root := t.TempDir()
	built := writeFile(t, filepath.Join(root, "project", ".tools", "bin", "temporal"))
	onPath := writeFile(t, filepath.Join(root, "bin", "temporal"))
	named := writeFile(t, filepath.Join(root, "named"))
	inside := filepath.Join(root, "project", "deep", "inside")
	require.NoError(t, os.MkdirAll(inside, 0o700))
	t.Setenv("PATH", filepath.Dir(onPath))

	for _, test := range []struct {
		name, option, env, dir, want string
	}{
		{"the one named", named, onPath, inside, named},
		{"the environment's", "", named, inside, named},
		{"the built one, before the path's", "", "", inside, built},
		{"the path's", "", "", root, onPath},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("MK_TEMPORAL", test.env)
			t.Chdir(test.dir)
			found, err := FindTemporal(test.option)
			require.NoError(t, err)
			require.Equal(t, test.want, found)
		})
	}

	t.Run("none", func(t *testing.T) {
		t.Setenv("MK_TEMPORAL", "")
		t.Setenv("PATH", "")
		t.Chdir(root)
		_, err := FindTemporal("")
		require.ErrorContains(t, err, "run `make setup`")
	})
}

func startTemporal(t *testing.T, o TemporalOptions) *Temporal {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := StartTemporal(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		stopCtx, stopCancel := context.WithTimeout(context.Background(), patience)
		defer stopCancel()
		require.NoError(t, server.Stop(stopCtx))
	})
	return server
}

// startWorkflow starts a workflow that no worker runs, with the given MeterkeyStatus, and returns its id.
func startWorkflow(t *testing.T, server *Temporal, status string) string {
	t.Helper()
	run, err := dial(t, server).ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		TaskQueue:             "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("MeterkeyStatus").ValueSet(status)),
	}, "Nothing")
	require.NoError(t, err)
	return run.GetID()
}

// listWorkflows returns the ids of the running workflows that match the query, once there are any.
func listWorkflows(t *testing.T, server *Temporal, query string) []string {
	t.Helper()
	c := dial(t, server)
	var ids []string
	require.Eventually(t, func() bool {
		ids = nil
		page, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		for _, execution := range page.GetExecutions() {
			if execution.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
				ids = append(ids, execution.GetExecution().GetWorkflowId())
			}
		}
		return err == nil && len(ids) > 0
	}, patience, 50*time.Millisecond)
	return ids
}

func dial(t *testing.T, server *Temporal) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	address, err := FreeAddress("")
	require.NoError(t, err)
	_, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

func writeFile(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, nil, 0o700))
	return path
}
