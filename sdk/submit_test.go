package sdk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// queued starts a request on a task queue of its own, which no worker serves yet.
func queued(t *testing.T) (context.Context, *sdk.Client, meterkey.Request) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r := newRequest(t)
	_, err := server.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: meterkey.WorkflowID(r.RequestID), TaskQueue: r.RequestID}, meterkey.WorkflowType, r)
	require.NoError(t, err)
	return ctx, sdk.New(server.temporal, server.identity.Recipient().String(), nil), r
}

func serveStandIn(t *testing.T, queue string) {
	t.Helper()
	w := standInWorker(queue)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func events(t *testing.T, id string) []*historypb.HistoryEvent {
	t.Helper()
	var all []*historypb.HistoryEvent
	for it := server.temporal.GetWorkflowHistory(t.Context(), meterkey.WorkflowID(id), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

var pat = meterkey.Credentials{Username: "pat", Password: "orange"}

func TestSubmit_TellsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	ctx, c, r := queued(t)
	serveStandIn(t, r.RequestID)
	s, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	require.Equal(t, meterkey.AwaitingChoice, s.Status)
	before := len(events(t, r.RequestID))

	_, err = c.SubmitLogin(ctx, r.RequestID, pat)
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	require.ErrorContains(t, err, "no login is awaited")
	_, err = c.Choose(ctx, r.RequestID, "c-0", "sms")
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	require.Len(t, events(t, r.RequestID), before, "what is refused leaves no trace")

	s, err = c.Choose(ctx, r.RequestID, s.Challenge.ID, "sms")
	require.NoError(t, err)
	s, err = c.SubmitCode(ctx, r.RequestID, s.Challenge.ID, "123456")
	require.NoError(t, err)
	require.Equal(t, meterkey.Connected, s.Status)
	require.NoError(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil))
	_, err = c.SubmitCode(ctx, r.RequestID, "c-0", "123456")
	require.ErrorIs(t, err, sdk.ErrEnded)
	_, err = c.SubmitCode(ctx, "nobody-knows-it", "c-0", "123456")
	require.ErrorIs(t, err, sdk.ErrNotFound)
}

func TestSubmit_IsKeptForTheWorkerThatComes(t *testing.T) {
	t.Parallel()
	ctx, c, r := queued(t)
	_, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.ErrorIs(t, err, sdk.ErrNoWorker)
	require.ErrorContains(t, err, "kept")
	serveStandIn(t, r.RequestID)
	s := until(t, ctx, c, r.RequestID, meterkey.AwaitingChoice)
	require.Equal(t, 2, s.Revision, "it was taken once")
	signals := 0
	for _, e := range events(t, r.RequestID) {
		if e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			signals++
		}
	}
	require.Equal(t, 1, signals)
}

func TestSubmit_WhoeverHasGoneSendsNothingMore(t *testing.T) {
	t.Parallel()
	_, c, r := queued(t)
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := c.SubmitLogin(gone, r.RequestID, pat)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, sdk.ErrNoWorker)
	for _, e := range events(t, r.RequestID) {
		require.NotEqual(t, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, e.GetEventType())
	}
}
