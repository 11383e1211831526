package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/workflows"
)

func newClock() (*activities.Clock, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	return &activities.Clock{Log: zap.New(core)}, logs
}

// task is an activity task that arrives so long after it was started, by a clock that this machine's is ahead of.
func task(ahead, late time.Duration) *workflowservice.PollActivityTaskQueueResponse {
	started := time.Now().Add(-ahead - late)
	return &workflowservice.PollActivityTaskQueueResponse{
		StartedTime: timestamppb.New(started), ScheduledTime: timestamppb.New(started.Add(-time.Second)),
	}
}

// arrives hands the clock what the server answered.
func arrives(t *testing.T, clock *activities.Clock, answer any) {
	t.Helper()
	answered := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	require.NoError(t, clock.Intercept(t.Context(), "", nil, answer, nil, answered))
}

func requireTime(t *testing.T, want, got time.Time) {
	t.Helper()
	require.WithinDuration(t, want, got, 10*time.Second)
}

func TestClock_IsTemporals(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			clock, logs := newClock()
			requireTime(t, time.Now(), clock.Now()) // nothing was heard yet
			arrives(t, clock, &workflowservice.PollActivityTaskQueueResponse{})
			requireTime(t, time.Now(), clock.Now()) // nor now: there was nothing to do

			one, other := task(ahead, 0), task(ahead, 0)
			arrives(t, clock, one)
			arrives(t, clock, &workflowservice.RespondWorkflowTaskCompletedResponse{
				ActivityTasks: []*workflowservice.PollActivityTaskQueueResponse{other}})
			requireTime(t, time.Now().Add(-ahead), clock.Now())
			for _, task := range []*workflowservice.PollActivityTaskQueueResponse{one, other} {
				requireTime(t, time.Now(), task.GetScheduledTime().AsTime()) // by this machine's clock
				requireTime(t, time.Now().Add(-ahead), task.GetStartedTime().AsTime())
			}
			if ahead == 0 {
				require.Zero(t, logs.Len())
				return
			}
			require.Equal(t, 1, logs.Len(), "once is enough")
			require.InDelta(t, ahead.Seconds(), logs.All()[0].ContextMap()["seconds_ahead_of_temporal"], 10)
		})
	}
}

// TestClock_IsNotSetBackByALateTask such as one that waited while the worker was frozen.
func TestClock_IsNotSetBackByALateTask(t *testing.T) {
	t.Parallel()
	clock, logs := newClock()
	arrives(t, clock, task(0, 0))
	arrives(t, clock, task(0, time.Minute))
	requireTime(t, time.Now(), clock.Now())
	require.Zero(t, logs.Len())
}

func TestClock_LeavesErrorsAlone(t *testing.T) {
	t.Parallel()
	clock, _ := newClock()
	away := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		return errCanceled
	}
	require.Equal(t, errCanceled, clock.Intercept(t.Context(), "", nil, task(time.Hour, 0), nil, away))
	requireTime(t, time.Now(), clock.Now())
}

// TestLogin_WithAWrongClock has a worker sign in whose clock is an hour ahead of the server's, or behind: the server's times are moved
// before the worker sees them. The customer has the whole of the window's life, and is told its end by the server's clock.
func TestLogin_WithAWrongClock(t *testing.T) {
	t.Parallel()
	server, err := stack.StartTemporal(t.Context(), stack.TemporalOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			a := newAccount(t, "DEMO", "code")
			clock, logs := newClock()
			c := dialWithClock(t, server, clock, ahead)
			found := loginAt(t, c, clock, a)
			require.Equal(t, workflows.OutcomeChallenge, found.Outcome)
			const lifetime = 10 * time.Minute
			require.WithinDuration(t, time.Now().Add(lifetime-ahead), found.Window.ExpiresAt, time.Minute)
			w, err := a.Host.Window(t.Context(), found.Window.ID)
			require.NoError(t, err)
			require.InDelta(t, lifetime.Minutes(), w.Remaining().Minutes(), 1)
			require.Equal(t, 1, logs.FilterMessage("this machine's clock is wrong").Len())
		})
	}
}

// dialWithClock connects as a machine does whose clock is ahead of the server's.
func dialWithClock(t *testing.T, server *stack.Temporal, clock *activities.Clock, ahead time.Duration) client.Client {
	t.Helper()
	move := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
		err := call(ctx, method, request, reply, conn, options...)
		for _, task := range tasksIn(reply) {
			task.StartedTime = timestamppb.New(task.GetStartedTime().AsTime().Add(-ahead))
			task.ScheduledTime = timestamppb.New(task.GetScheduledTime().AsTime().Add(-ahead))
		}
		return err
	}
	c, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address(), Logger: logging.Temporal(zap.NewNop()),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(clock.Intercept, move)}}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// tasksIn are the activity tasks in an answer of the server's, those that are to start at once included.
func tasksIn(reply any) []*workflowservice.PollActivityTaskQueueResponse {
	switch reply := reply.(type) {
	case *workflowservice.PollActivityTaskQueueResponse:
		if reply.GetStartedTime() != nil {
			return []*workflowservice.PollActivityTaskQueueResponse{reply}
		}
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		return reply.GetActivityTasks()
	}
	return nil
}

// loginAt runs Login by the server, within half an hour.
func loginAt(t *testing.T, c client.Client, clock *activities.Clock, a *account) (found workflows.PageResult) {
	t.Helper()
	here := *a.BrowserActivities
	here.Now = clock.Now
	w := worker.New(c, a.id, worker.Options{})
	here.RegisterSignIn(w)
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context, in workflows.LoginInput) (found workflows.PageResult, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{ScheduleToCloseTimeout: 30 * time.Minute, StartToCloseTimeout: 5 * time.Minute,
			HeartbeatTimeout: 10 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
		err = workflow.ExecuteActivity(ctx, workflows.ActivityLogin, in).Get(ctx, &found)
		return found, err
	}, workflow.RegisterOptions{Name: "sign in"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: a.id, TaskQueue: a.id}, "sign in", a.loginInput())
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), &found))
	return found
}
