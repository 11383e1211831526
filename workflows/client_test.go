package workflows_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/workflows"
)

// server is the one Temporal server of these tests; its worker plays a site that asks for a code.
var server struct {
	temporal client.Client
	identity *age.X25519Identity
}

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "meterkey-client-")
	fatal(err)
	defer func() { _ = os.RemoveAll(dir) }() // a folder of the tests' own
	temporal, err := stack.StartTemporal(ctx, stack.TemporalOptions{Dir: dir})
	fatal(err)
	defer func() { fatal(temporal.Stop(context.Background())) }()
	server.temporal, err = client.DialContext(ctx, client.Options{HostPort: temporal.Address(), Logger: logging.Temporal(zap.NewNop())})
	fatal(err)
	defer server.temporal.Close()
	server.identity, err = age.GenerateX25519Identity()
	fatal(err)
	w := siteWorker(server.temporal)
	fatal(w.Start())
	defer w.Stop()
	return m.Run()
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		os.Exit(1)
	}
}

// siteWorker serves all task queues by one: the real workflow, and a site that asks for a code and likes any.
func siteWorker(c client.Client) worker.Worker {
	w := worker.New(c, workflows.TaskQueue, worker.Options{DeadlockDetectionTimeout: workflows.TaskTimeout})
	w.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: workflows.WorkflowType})
	for name, f := range map[string]any{
		workflows.ActivityNotify: func(context.Context, workflows.Notice) error { return nil },
		workflows.ActivityRecord: func(context.Context, workflows.Projection) error { return nil },
	} {
		w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	return w
}

func newRequest(t *testing.T) workflows.Request {
	t.Helper()
	id := strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())
	return workflows.Request{RequestID: id, Requester: "acme", Utility: "DEMO", CustomerEmail: "c@example.com"}
}

func started(t *testing.T) (context.Context, *workflows.Client, workflows.Request) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	c := workflows.NewClient(server.temporal, server.identity.Recipient().String(), nil)
	r := newRequest(t)
	require.NoError(t, c.Start(ctx, r))
	return ctx, c, r
}

func until(t *testing.T, ctx context.Context, c *workflows.Client, id string, want workflows.Status) workflows.State { //nolint:revive // t first, as everywhere
	t.Helper()
	s, err := c.Wait(ctx, id, func(s workflows.State) bool { return s.Status == want })
	require.NoError(t, err)
	return s
}

func TestClient_StartShowsTheRequest(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	s := until(t, ctx, c, r.RequestID, workflows.AwaitingLogin)
	require.Equal(t, "acme", s.Requester)
	require.WithinDuration(t, time.Now().Add(7*24*time.Hour), *s.Until, time.Minute)
	read, err := c.Request(ctx, r.RequestID)
	require.NoError(t, err)
	require.Equal(t, r, read)
	require.ErrorIs(t, c.Start(ctx, r), workflows.ErrExists)
}

func TestClient_TellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.ErrorIs(t, c.Start(ctx, workflows.Request{RequestID: "a b"}), workflows.ErrInvalidRequest)
	_, err := c.State(ctx, "nobody-knows-it")
	require.ErrorIs(t, err, workflows.ErrNotFound)
	require.ErrorIs(t, c.Decline(ctx, "nobody-knows-it"), workflows.ErrNotFound)
	_, err = c.Request(ctx, "nobody-knows-it")
	require.ErrorIs(t, err, workflows.ErrNotFound)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	until(t, ctx, c, r.RequestID, workflows.Declined)
	require.NoError(t, server.temporal.GetWorkflow(ctx, workflows.WorkflowID(r.RequestID), "").Get(ctx, nil))
	require.ErrorIs(t, c.Leave(ctx, r.RequestID), workflows.ErrEnded)
	unsealed := workflows.NewClient(server.temporal, "", nil)
	require.ErrorContains(t, unsealed.SubmitCode(ctx, r.RequestID, "c-1", "1"), "recipient")
}

func TestClient_WaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	until(t, ctx, c, r.RequestID, workflows.AwaitingLogin)
	bounded, cancel := context.WithCancel(ctx)
	_, err := c.Wait(bounded, r.RequestID, func(workflows.State) bool { cancel(); return false })
	require.ErrorIs(t, err, context.Canceled)
}

func TestClient_CancelEndsAsCanceled(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.NoError(t, c.Cancel(ctx, r.RequestID))
	until(t, ctx, c, r.RequestID, workflows.Canceled)
	err := server.temporal.GetWorkflow(ctx, workflows.WorkflowID(r.RequestID), "").Get(ctx, nil)
	require.ErrorContains(t, err, "canceled")
}

func TestClient_ResendRevivesAnEndedRequest(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	require.NoError(t, server.temporal.GetWorkflow(ctx, workflows.WorkflowID(r.RequestID), "").Get(ctx, nil))
	read, err := c.Request(ctx, r.RequestID)
	require.NoError(t, err)
	require.NoError(t, c.Resend(ctx, read))
	s := until(t, ctx, c, r.RequestID, workflows.AwaitingLogin)
	require.Len(t, s.Timeline, 1, "the link goes out once: by the start, not by the signal as well")
}

func TestClient_ListsByWhatOperatorsSee(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	other := r
	other.RequestID, other.Requester = r.RequestID+"-2", "o'brien"
	require.ErrorIs(t, c.Start(ctx, other), workflows.ErrInvalidRequest, "a quote in an id is refused")
	other.Requester = "obrien"
	require.NoError(t, c.Start(ctx, other))
	require.Eventually(t, func() bool {
		listed, err := c.List(ctx, workflows.Filter{Requester: "obrien", Status: workflows.AwaitingLogin, Utility: "DEMO"}, 10)
		return err == nil && len(listed) == 1 && listed[0].RequestID == other.RequestID && listed[0].WaitingOn == workflows.Customer
	}, 3*time.Minute, 20*time.Millisecond)
	listed, err := c.List(ctx, workflows.Filter{Requester: "it's not there"}, 10)
	require.NoError(t, err)
	require.Empty(t, listed)
	listed, err = c.List(ctx, workflows.Filter{}, 1)
	require.NoError(t, err)
	require.Len(t, listed, 1)
}

func TestClient_SealsWhatItSends(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	const secret = "correct horse battery staple"
	require.NoError(t, c.SubmitLogin(ctx, r.RequestID, workflows.Credentials{Username: "u-" + secret, Password: secret}))
	until(t, ctx, c, r.RequestID, workflows.SigningIn)
	events := server.temporal.GetWorkflowHistory(ctx, workflows.WorkflowID(r.RequestID), "", false, 1)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		require.NotContains(t, event.String(), secret)
	}
	require.NoError(t, c.Cancel(ctx, r.RequestID))
}
