package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
	"github.com/meterkey/meterkey/workflows"
)

// asWorker makes of this test binary the worker itself, in a process of its own.
const asWorker = "WORKER_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience bounds every wait; none comes near it unless something is broken.
const patience = 3 * time.Minute

// place is a Temporal server and a folder for workers, with the test's own hold on the browser beside them.
type place struct {
	t      *testing.T
	server *stack.Temporal
	home   string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := &place{t: t, home: t.TempDir()}
	var err error
	p.server, err = stack.StartTemporal(ctx, stack.TemporalOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() {
		bounded, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, browser.End(bounded, filepath.Join(p.home, "host")))
		require.NoError(t, browser.End(bounded, filepath.Join(p.home, "fresh")))
		require.NoError(t, p.server.Stop(bounded))
	})
	return p
}

func (p *place) env(more ...string) environment {
	return withPlaywright(append(environment{"MK_HOME=" + p.home, "TEMPORAL_ADDRESS=" + p.server.Address(),
		"MK_CHROMIUM_ARGS=--proxy-server=127.0.0.1:9"}, more...))
}

// beside opens the browser that the worker uses too.
func (p *place) beside() *browser.Host {
	p.t.Helper()
	host, err := browser.Open(p.t.Context(), browser.Options{Dir: filepath.Join(p.home, "host"), Executable: os.Getenv("MK_CHROMIUM"), Capacity: 5})
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, host.Disconnect()) })
	return host
}

// window opens a window and claims it, as an activity does.
func (p *place) window(host *browser.Host) *browser.Window {
	p.t.Helper()
	w, err := host.OpenWindow(p.t.Context(), "a customer", 10*time.Minute)
	require.NoError(p.t, err)
	p.t.Cleanup(w.Claim())
	return w
}

// temporal is a client and, over it, the typed one.
func (p *place) temporal() (client.Client, *sdk.Client) {
	p.t.Helper()
	dc := payload.New(nil)
	c, err := client.DialContext(p.t.Context(), client.Options{HostPort: p.server.Address(), DataConverter: dc, Logger: logging.Temporal(zap.NewNop())})
	require.NoError(p.t, err)
	p.t.Cleanup(c.Close)
	recipient, err := sealed.ReadRecipient(filepath.Join(p.home, "identity.txt"+sealed.RecipientSuffix))
	require.NoError(p.t, err)
	return c, sdk.New(c, recipient, dc)
}

// logged is a worker's log, which can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// find returns the first event that says msg and has all these fields.
func find(log, msg string, fields map[string]any) map[string]any {
	for line := range strings.Lines(log) {
		event := map[string]any{}
		if json.Unmarshal([]byte(line), &event) != nil || event["msg"] != msg {
			continue
		}
		matches := true
		for name, value := range fields {
			matches = matches && event[name] == value
		}
		if matches {
			return event
		}
	}
	return nil
}

func (l *logged) await(t *testing.T, msg string, fields map[string]any) {
	t.Helper()
	require.Eventually(t, func() bool { return find(l.String(), msg, fields) != nil }, patience, 20*time.Millisecond, "it never said %q %v", msg, fields)
}

// inProcess runs a worker in this process; stop tells it to stop, ended has what came of it.
func (p *place) inProcess(more ...string) (log *logged, stop func(), ended <-chan error) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	log, end, over := &logged{}, make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		end <- run(ctx, nil, p.env(more...), log, log)
	}()
	p.t.Cleanup(func() { cancel(); <-over })
	return log, cancel, end
}

// TestDrain deploys a new worker beside an old one that has a window open and a notice in hand.
func TestDrain(t *testing.T) {
	t.Parallel()
	for name, builds := range map[string][2]string{"without versions": {"0", "0"}, "with versions": {"1", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			mail := startMailServer(t)
			log, stop, ended := p.inProcess("MK_SMTP_URL=smtp://"+mail.address, "MK_BUILD_NUMBER="+builds[0])
			log.await(t, "worker ready", map[string]any{"windows": 20.0, "found_open": 0.0})
			host := p.beside()
			mine := p.window(host)
			temporal, requests := p.temporal()
			r := meterkey.Request{RequestID: "drained", Requester: "acme", Utility: "DEMO", CustomerEmail: "pat@customer.example"}
			require.NoError(t, requests.Start(t.Context(), r))
			receive(t, mail.begun)

			stop()
			log.await(t, "draining: no new logins, no workflow tasks", map[string]any{"open_windows": 1.0})
			log.await(t, "Stopped Worker", map[string]any{"TaskQueue": workflows.SignInTaskQueue})
			fresh, _, _ := p.inProcess("MK_HOST_DIR="+filepath.Join(p.home, "fresh"), "MK_BUILD_NUMBER="+builds[1])
			fresh.await(t, "worker ready", nil)
			require.NoError(t, requests.Decline(t.Context(), r.RequestID))
			fresh.await(t, "status", map[string]any{"request_id": "drained", "status": string(meterkey.Declined)})
			require.Nil(t, find(log.String(), "status", nil), "no workflow task ran on the old one")

			close(mail.goOn)
			log.await(t, "notice", map[string]any{"request_id": "drained", "to": "customer"})
			log.await(t, "Stopped Worker", map[string]any{"TaskQueue": meterkey.TaskQueue})
			newer := p.window(host)
			require.Empty(t, ended, "a window is still open")
			closeWindow(t, temporal, host, mine)
			require.NoError(t, <-ended, "what a newer worker opened is not waited for")
			log.await(t, "stopped", map[string]any{"open_windows": 1.0})
			require.NoError(t, newer.Check(t.Context()), "and it is left alone")
			requireFirstTries(t, temporal, r.RequestID)
			requireImpersonal(t, log.String()+fresh.String())
		})
	}
}

// closeWindow has the worker beside the window close it, by an activity.
func closeWindow(t *testing.T, c client.Client, host *browser.Host, w *browser.Window) {
	t.Helper()
	const queue, workflowType = "closing", "Close"
	closing := worker.New(c, queue, worker.Options{})
	closing.RegisterWorkflowWithOptions(func(ctx workflow.Context, in workflows.CloseWindowInput) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: workflows.WindowTaskQueue(in.Window.Host), StartToCloseTimeout: patience})
		return workflow.ExecuteActivity(ctx, workflows.ActivityCloseWindow, in).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: workflowType})
	require.NoError(t, closing.Start())
	defer closing.Stop()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, workflowType,
		workflows.CloseWindowInput{Window: workflows.Window{Host: host.ID(), ID: w.ID()}})
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
}

// requireFirstTries reads a request's history: nothing that was in hand when its worker left had to be done again, and the
// next workflow task waited for that worker for the sticky second at most.
func requireFirstTries(t *testing.T, c client.Client, requestID string) {
	t.Helper()
	events := c.GetWorkflowHistory(t.Context(), meterkey.WorkflowID(requestID), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	signaled, begun, waited := false, false, 0
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		signaled = signaled || event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
		begun = begun || signaled && event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED
		if signaled && !begun && event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT {
			waited++
		}
		require.LessOrEqual(t, event.GetActivityTaskStartedEventAttributes().GetAttempt(), int32(1))
		require.NotEqual(t, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, event.GetEventType())
	}
	require.True(t, begun)
	require.LessOrEqual(t, waited, 1)
}

// receive waits for a word on a channel.
func receive(t *testing.T, from <-chan struct{}) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(patience):
		require.Fail(t, "nothing came")
	}
}

// mailServer takes mail once it is told to go on.
type mailServer struct {
	address     string
	begun, goOn chan struct{} // a mail came; whoever sends mail may have an answer
	first       sync.Once
}

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mailServer{address: listener.Addr().String(), begun: make(chan struct{}), goOn: make(chan struct{})}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return m, nil }))
	server.Domain = "localhost"
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
	return m
}

func (m *mailServer) Mail(string, *smtp.MailOptions) error { return nil }
func (m *mailServer) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (m *mailServer) Reset()                               {}
func (m *mailServer) Logout() error                        { return nil }

func (m *mailServer) Data(r io.Reader) error {
	m.first.Do(func() { close(m.begun) })
	<-m.goOn
	_, err := io.Copy(io.Discard, r)
	return err
}

// requireImpersonal holds the log to its promise: a JSON document a line, and nobody's name in any.
func requireImpersonal(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		require.True(t, json.Valid([]byte(line)), line)
		require.NotContains(t, line, "customer.example")
		require.NotContains(t, line, "zanzibar")
	}
}

// start starts the worker as a process.
func (p *place) start(name string) *stack.Process {
	p.t.Helper()
	worker, err := stack.Start(stack.Command{Path: os.Args[0], Env: p.env(asWorker + "=1"), Log: filepath.Join(p.home, name+".log")})
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, worker.Kill()) })
	return worker
}

func (p *place) logOf(name string) string {
	text, err := os.ReadFile(filepath.Join(p.home, name+".log"))
	require.NoError(p.t, err)
	return string(text)
}

func (p *place) awaitProcess(name, msg string) map[string]any {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return find(p.logOf(name), msg, nil) != nil }, patience, 20*time.Millisecond, "%s never said %q", name, msg)
	return find(p.logOf(name), msg, nil)
}

// TestSignals deploys a new worker as docs/operating.md says: the first signal drains the old one, the second ends it.
func TestSignals(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	old := p.start("old")
	first := p.awaitProcess("old", "worker ready")
	host := p.beside()
	window := p.window(host)

	require.NoError(t, syscall.Kill(old.PID(), syscall.SIGTERM))
	p.awaitProcess("old", "draining: no new logins, no workflow tasks")
	fresh := p.start("fresh")
	second := p.awaitProcess("fresh", "worker ready")
	require.Equal(t, first["host"], second["host"], "both work side by side on one folder")
	require.Equal(t, first["recipient"], second["recipient"])
	require.InDelta(t, 1, second["found_open"], 0)

	require.NoError(t, syscall.Kill(old.PID(), syscall.SIGTERM))
	bounded, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var exit *exec.ExitError
	require.ErrorAs(t, old.Wait(bounded), &exit, "the second signal ends it at once")
	require.NoError(t, window.Check(t.Context()), "its windows go on")

	require.NoError(t, window.Close(t.Context()))
	require.NoError(t, syscall.Kill(fresh.PID(), syscall.SIGINT))
	require.NoError(t, fresh.Wait(bounded), "without windows one signal is enough, and the exit code is 0")
	require.NotNil(t, find(p.logOf("fresh"), "stopped", map[string]any{"open_windows": 0.0}))
	requireImpersonal(t, p.logOf("old"))
}

func TestFailureIsOneLineAndExitCode1(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), asWorker+"=1", "MK_HOME="+t.TempDir(), "MK_WINDOWS=0")
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Equal(t, "worker: reading the configuration: MK_WINDOWS: '0' is not a whole number from 1 to 1000\n", string(said))
}

func TestRun_WarnsOfSettingsThatThereAreNot(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	env := environment{"MK_HOME=" + t.TempDir(), "MK_WINDOW=3", "MK_UTILITIES_DIR=/nowhere/at/all"}
	require.Error(t, run(t.Context(), nil, env, &out, &out))
	event := find(out.String(), "unknown setting", nil)
	require.Equal(t, "MK_WINDOW is not a setting; did you mean MK_WINDOWS?", event["setting"])
	require.Equal(t, "warn", event["level"])
}

func TestRun_InANamespaceThatThereIsNot(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, _, ended := p.inProcess("TEMPORAL_NAMESPACE=nowhere")
	err := <-ended
	require.ErrorContains(t, err, "starting a worker: ")
	require.ErrorContains(t, err, "Namespace nowhere is not found")
}
