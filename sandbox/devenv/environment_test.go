package devenv

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/practice"
)

// The programs of these tests are shell scripts, which can go wrong in ways that the real ones seldom do; internal/e2e runs the
// real ones. A script logs its environment first.
const (
	readyScript   = `trap 'echo "told to stop"; exit 0' TERM; env; echo "{\"msg\":\"worker ready\",\"home\":\"$MK_HOST_DIR\"}"; while :; do sleep 0.05; done`
	stuckScript   = `echo "looking for a browser"; exec sleep 600`
	brokenScript  = `echo "MK_WINDOWS: 'many' is not a whole number" >&2; exit 1`
	refusesScript = `trap "" TERM; echo "worker ready"; while :; do sleep 0.05; done`
)

// program writes a script that stands in for one of our programs.
func program(t *testing.T, bin, name, script string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(bin, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
}

// upWith starts a stack whose worker is a script.
func upWith(t *testing.T, worker string, more ...string) *Environment {
	t.Helper()
	dir := t.TempDir()
	program(t, filepath.Join(dir, "bin"), "worker", worker)
	s, err := Up(t.Context(), Options{Bin: filepath.Join(dir, "bin"), Dir: filepath.Join(dir, "home"), Env: more})
	t.Cleanup(func() { down(t, s) })
	require.NoError(t, err)
	return s
}

func down(t *testing.T, s *Environment) {
	t.Helper()
	bounded, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, s.Down(bounded))
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func requireEnded(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Done():
	default:
		require.Fail(t, "process still runs", "%d", p.PID())
	}
}

func requireFree(t *testing.T, address string) {
	t.Helper()
	_, err := FreeAddress(address)
	require.NoError(t, err)
}

func TestStack_StartsReplacesAndEndsItsWorkers(t *testing.T) { // not parallel: it runs programs that were just written
	s := upWith(t, readyScript, "MK_WINDOWS=3")
	a, err := s.StartWorker(bounded(t), "a")
	require.NoError(t, err)
	b, err := s.StartWorker(bounded(t), "b")
	require.NoError(t, err)
	require.Same(t, a, s.Worker("a"))
	require.Nil(t, s.Worker("c"))
	for _, pair := range s.Env() {
		require.True(t, a.Said(pair), "the worker's environment lacks %s", pair)
	}
	require.True(t, a.Said("host-a"), "each has a folder of its own")
	require.True(t, b.Said("host-b"))
	require.False(t, b.Said("host-a"))

	require.NoError(t, s.ReplaceWorker(bounded(t), "a"))
	requireEnded(t, a.Process)
	require.False(t, a.Said("told to stop"), "it was killed as a crash would")
	fresh := s.Worker("a")
	require.NotEqual(t, a.PID(), fresh.PID())
	require.True(t, fresh.Said("host-a"), "on the same folder")
	require.ErrorContains(t, s.ReplaceWorker(bounded(t), "c"), "replacing worker c: there is none")

	temporal, site := s.Temporal, s.Practice.URL()
	down(t, s)
	for _, p := range []*Process{fresh.Process, b.Process, temporal.process} {
		requireEnded(t, p)
	}
	require.True(t, fresh.Said("told to stop"))
	requireFree(t, temporal.Address())
	requireFree(t, strings.TrimPrefix(site, "http://"))
	down(t, s) // once more is no error, and no wait
}

func TestStack_EnvIsReadByTheProcesses(t *testing.T) {
	t.Parallel()
	s := upWith(t, readyScript, "MK_WINDOWS=3", "MK_PORTAL_URL=https://other.example")
	settings, err := config.Load(environment(s.Env()))
	require.NoError(t, err)
	require.Empty(t, settings.Unknown)
	require.Equal(t, 3, settings.Windows)
	require.Equal(t, "https://other.example", settings.PortalURL, "what the options say comes last")
	require.Contains(t, settings.ChromiumArgs, "--proxy-server=127.0.0.1:9", "a practising browser reaches nothing else")
	origins, err := os.ReadFile(settings.OriginsFile)
	require.NoError(t, err)
	require.Contains(t, string(origins), "https://demo.meterkey.example")
	value, found := environment(s.Env()).LookupEnv("TEMPORAL_ADDRESS")
	require.True(t, found)
	require.Equal(t, s.Temporal.Address(), value)
	_, found = environment(s.Env()).LookupEnv("MK_NOTHING")
	require.False(t, found)
}

func TestStartWorker_SaysWhyItIsNotReady(t *testing.T) { // not parallel: as above
	t.Run("it ended", func(t *testing.T) {
		s := upWith(t, brokenScript)
		_, err := s.StartWorker(bounded(t), "a")
		require.ErrorContains(t, err, "starting worker a: ")
		require.ErrorContains(t, err, "MK_WINDOWS: 'many' is not a whole number", "what it said last")
	})
	t.Run("it takes too long", func(t *testing.T) {
		s := upWith(t, stuckScript)
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan error, 1)
		go func() {
			_, err := s.StartWorker(ctx, "a")
			started <- err
		}()
		log := filepath.Join(s.options.Dir, "worker-a.log")
		require.Eventually(t, func() bool {
			said, err := os.ReadFile(log)
			return err == nil && strings.Contains(string(said), "looking")
		}, patience, readyInterval)
		cancel()
		err := <-started
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "looking for a browser")
		slow := s.Worker("a")
		down(t, s)
		requireEnded(t, slow.Process)
	})
	t.Run("there is no program", func(t *testing.T) {
		s := upWith(t, readyScript)
		s.options.Bin = t.TempDir()
		_, err := s.StartWorker(bounded(t), "a")
		require.ErrorIs(t, err, os.ErrNotExist)
		require.Nil(t, s.Worker("a"))
		_, err = s.StartPortal(bounded(t))
		require.ErrorContains(t, err, "starting portal: ")
	})
}

// TestDown_IsBounded has a worker that ignores SIGTERM, as one does that still has windows open.
func TestDown_IsBounded(t *testing.T) { // not parallel: as above
	s := upWith(t, refusesScript)
	w, err := s.StartWorker(bounded(t), "a")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), stopLimit+patience)
	defer cancel()
	require.NoError(t, s.Down(ctx), "it is not waited for, and that is no error")
	requireEnded(t, w.Process)
}

func TestUp_SaysWhatItCannotUseAndLeavesNothing(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	taken := listener.Addr().String()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for says, o := range map[string]Options{
		"making the environment's folder":   {Dir: file},
		"finding an address for the portal": {Portal: taken},
		"starting the practice utilities":   {Practice: practice.Options{Addr: taken}},
		"starting the temporal server":      {Temporal: TemporalOptions{Address: taken}},
		"finding the temporal tool":         {Temporal: TemporalOptions{Binary: "/nowhere/at/all"}},
		"not a loopback address":            {Practice: practice.Options{Addr: "0.0.0.0:0"}},
	} {
		if o.Dir == "" {
			o.Dir = t.TempDir()
		}
		s, err := Up(t.Context(), o)
		require.ErrorContains(t, err, says)
		site := s.Practice
		down(t, s)
		if site != nil {
			requireFree(t, strings.TrimPrefix(site.URL(), "http://"))
		}
	}
}

func TestClient_NeedsTheWorkersRecipient(t *testing.T) {
	t.Parallel()
	s := upWith(t, readyScript)
	_, err := s.Client(t.Context())
	require.ErrorContains(t, err, "a worker writes it when it first starts")
	_, err = sealed.LoadOrCreate(s.file("identity.txt"))
	require.NoError(t, err)
	requests, err := s.Client(t.Context())
	require.NoError(t, err)
	again, err := s.Client(t.Context())
	require.NoError(t, err)
	require.Same(t, requests, again)

	// Nobody works here: the request's history is its start, and its end is ours.
	c := &Customer{Environment: s, Client: requests, ID: "r-1", Utility: "DEMO", Say: t.Logf}
	require.NoError(t, c.Start(t.Context()))
	count, err := s.Events(t.Context(), "r-1")
	require.NoError(t, err)
	require.Equal(t, map[enumspb.EventType]int{enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: 1, enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: 1}, count)
	file := filepath.Join(t.TempDir(), "history.json.gz")
	require.NoError(t, s.SaveHistory(t.Context(), "r-1", file))
	history, err := ReadHistory(file)
	require.NoError(t, err)
	require.Equal(t, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, history.GetEvents()[0].GetEventType())
	require.NoError(t, dial(t, s.Temporal).TerminateWorkflow(t.Context(), meterkey.WorkflowID("r-1"), "", "the test's end"))
	require.ErrorContains(t, s.Run(t.Context(), "r-1", &meterkey.Result{}), "waiting for the end of r-1: ")
	require.ErrorContains(t, s.SaveHistory(t.Context(), "no-such-request", file), "reading the history")
	_, err = s.Events(t.Context(), "no-such-request")
	require.Error(t, err)
}

func TestKillBrowser_SaysWhereItLooked(t *testing.T) {
	t.Parallel()
	s := &Environment{options: Options{Dir: t.TempDir()}}
	require.ErrorContains(t, s.KillBrowser("a"), "finding the browser of worker a: ")
	record := filepath.Join(s.file("host-a"), "browser.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(record), 0o700))
	for _, text := range []string{"", "{}", `{"pid": 1}`, `{"pid": -7}`} {
		require.NoError(t, os.WriteFile(record, []byte(text), 0o600))
		require.ErrorContains(t, s.KillBrowser("a"), "is no record of one", "never a group that is not a browser's: %q", text)
	}
}

func TestKillBrowser_EndsItsWholeGroup(t *testing.T) {
	t.Parallel()
	s := &Environment{options: Options{Dir: t.TempDir()}}
	lifeline := newLifeline(t)
	p := startShell(t, `sleep 600 9>"$LIFELINE" & wait`, "LIFELINE="+lifeline.path)
	lifeline.awaitHeld(t)
	record := filepath.Join(s.file("host-a"), "browser.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(record), 0o700))
	require.NoError(t, os.WriteFile(record, []byte(`{"pid": `+strconv.Itoa(p.PID())+`}`), 0o600))
	require.NoError(t, s.KillBrowser("a"))
	lifeline.awaitReleased(t)
	<-p.Done()
}
