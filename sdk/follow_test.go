package sdk_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/sdk"
)

// counting is a client whose calls are counted.
func counting(t *testing.T) (*sdk.Client, *testenv.Calls) {
	t.Helper()
	calls := &testenv.Calls{}
	return sdk.New(calls.Dial(t, client.Options{HostPort: server.address}), server.identity.Recipient().String(), nil).Patiently(), calls
}

// followed is a request that somebody follows.
type followed struct {
	t    *testing.T
	next func() (meterkey.State, error, bool)
}

func follow(t *testing.T, ctx context.Context, c *sdk.Client, id string) followed { //nolint:revive // t first, as everywhere
	t.Helper()
	next, stop := iter.Pull2(c.Follow(ctx, id))
	t.Cleanup(stop)
	return followed{t, next}
}

// tells waits until it is told of a status.
func (f followed) tells(status meterkey.Status) meterkey.State {
	f.t.Helper()
	for {
		s, err, ok := f.next()
		require.True(f.t, ok, "nothing more is told")
		require.NoError(f.t, err)
		if s.Status == status {
			return s
		}
	}
}

// TestFollow_AsksOnlyWhenSomethingMayHaveChanged goes from the login to the meters by one stream, with one query at the
// start and at most one after each workflow task.
func TestFollow_AsksOnlyWhenSomethingMayHaveChanged(t *testing.T) {
	t.Parallel()
	ctx, _, r := started(t)
	w, calls := counting(t)
	f := follow(t, ctx, w, r.RequestID)
	before := f.tells(meterkey.AwaitingLogin)
	_, err := w.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	s := f.tells(meterkey.AwaitingChoice)
	require.Positive(t, s.Revision-before.Revision)
	_, err = w.Choose(ctx, r.RequestID, s.Challenge.ID, "sms")
	require.NoError(t, err)
	s = f.tells(meterkey.AwaitingCode)
	_, err = w.SubmitCode(ctx, r.RequestID, s.Challenge.ID, "123456")
	require.NoError(t, err)
	f.tells(meterkey.Connected)

	tasks := count(t, r.RequestID, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
	queries, described := calls.Count("QueryWorkflow"), calls.Count("DescribeWorkflowExecution")
	streams, _ := calls.Streams()
	t.Logf("%d workflow tasks: %d queries, %d streams read by %d calls, %d descriptions", tasks, queries, streams,
		calls.Count("GetWorkflowExecutionHistory"), described)
	require.Equal(t, 1, streams)
	require.Equal(t, 3, calls.Count("UpdateWorkflowExecution"))
	require.LessOrEqual(t, described, 2, "at the start, and perhaps at the run's end")
	require.LessOrEqual(t, queries, 1+tasks)
}

func TestWait_ForWhatIsThereOpensNoStream(t *testing.T) {
	t.Parallel()
	ctx, _, r := started(t)
	w, calls := counting(t)
	until(t, ctx, w, r.RequestID, meterkey.AwaitingLogin)
	streams, _ := calls.Streams()
	require.Equal(t, []int{1, 1, 0}, []int{calls.Count("DescribeWorkflowExecution"), calls.Count("QueryWorkflow"), streams})
}

func TestFollow_OpensALostStreamAgain(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	w, calls := counting(t)
	calls.Lose(2)
	f := follow(t, ctx, w, r.RequestID)
	f.tells(meterkey.AwaitingLogin)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	f.tells(meterkey.Declined)
	streams, _ := calls.Streams()
	require.Equal(t, 3, streams, "two were lost")
	require.LessOrEqual(t, calls.Count("QueryWorkflow"), 3, "what was seen before is not asked for again")
}

func TestFollow_GoesOnWithTheNextRun(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	f := follow(t, ctx, c, r.RequestID)
	first := f.tells(meterkey.AwaitingLogin)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	f.tells(meterkey.Declined)
	require.NoError(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil))
	require.NoError(t, c.Resend(ctx, r))
	second := f.tells(meterkey.AwaitingLogin)
	require.True(t, second.LinkedAt.After(first.LinkedAt))
	require.NoError(t, c.Cancel(ctx, r.RequestID))
	f.tells(meterkey.Canceled)
}

func TestFollow_TellsThatNoWorkerAnswers(t *testing.T) {
	t.Parallel()
	ctx, c, r := queued(t)
	f := follow(t, ctx, c, r.RequestID)
	_, err, ok := f.next()
	require.True(t, ok)
	require.ErrorIs(t, err, sdk.ErrNoWorker)
	w := requestWorker(server.temporal, r.RequestID)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	for err != nil {
		var s meterkey.State
		s, err, ok = f.next()
		require.True(t, ok)
		require.True(t, err != nil || s.Status == meterkey.AwaitingLogin)
	}
	require.NoError(t, c.Decline(ctx, r.RequestID))
	f.tells(meterkey.Declined)
}

// A run that an operator terminated is told as failed, with what is known of it; one that is deleted ends the following.
// Asking again works either way.
func TestTerminatedAndDeleted(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	f := follow(t, ctx, c, r.RequestID)
	_, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	asked := f.tells(meterkey.AwaitingChoice)
	require.NoError(t, server.temporal.TerminateWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "", "by hand"))
	s := f.tells(meterkey.Failed)
	require.Equal(t, asked.TerminatedAt(s.Since), s)
	require.Equal(t, meterkey.Terminated, s.Reason)
	require.WithinDuration(t, time.Now(), s.Since, time.Minute)
	_, err = c.SubmitCode(ctx, r.RequestID, asked.Challenge.ID, "1")
	require.ErrorIs(t, err, sdk.ErrEnded)

	again, err := c.Request(ctx, r.RequestID)
	require.NoError(t, err)
	require.NoError(t, c.Resend(ctx, again))
	f.tells(meterkey.AwaitingLogin)
	deleteRun(t, ctx, r.RequestID)
	for err == nil { // that it is terminated may be told first
		var ok bool
		_, err, ok = f.next()
		require.True(t, ok)
	}
	require.ErrorIs(t, err, sdk.ErrNotFound)
	_, _, ok := f.next()
	require.False(t, ok, "that is the last")
	require.NoError(t, c.Resend(ctx, r))
	until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	require.NoError(t, c.Cancel(ctx, r.RequestID))
}

func deleteRun(t *testing.T, ctx context.Context, id string) { //nolint:revive // t first, as everywhere
	t.Helper()
	_, err := server.temporal.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: meterkey.WorkflowID(id)}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := server.temporal.DescribeWorkflowExecution(ctx, meterkey.WorkflowID(id), "")
		return err != nil
	}, 20*time.Second, 20*time.Millisecond)
}

// Without a worker, a terminated run tells what it began with.
func TestTerminated_WithoutAWorker(t *testing.T) {
	t.Parallel()
	ctx, c, r := queued(t)
	require.NoError(t, server.temporal.TerminateWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "", "by hand"))
	s, err := c.State(ctx, r.RequestID)
	require.NoError(t, err)
	require.Equal(t, []any{r.RequestID, r.Requester, r.Utility, meterkey.Failed, meterkey.Terminated},
		[]any{s.RequestID, s.Requester, s.Utility, s.Status, s.Reason})
}
