package sdk_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
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

func count(t *testing.T, id string, what enums.EventType) (n int) {
	t.Helper()
	for _, e := range events(t, id) {
		if e.GetEventType() == what {
			n++
		}
	}
	return n
}

var pat = meterkey.Credentials{Username: "pat", Password: "orange"}

func TestSubmit_TellsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	s, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	require.Equal(t, meterkey.SigningIn, s.Status)
	choice := until(t, ctx, c, r.RequestID, meterkey.AwaitingChoice)

	_, err = c.SubmitLogin(ctx, r.RequestID, pat)
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	require.ErrorContains(t, err, "no login is awaited")
	_, err = c.Choose(ctx, r.RequestID, "c-0", "sms")
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	_, err = c.Choose(ctx, r.RequestID, choice.Challenge.ID, "pigeon")
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	_, err = c.SubmitCode(ctx, r.RequestID, "c-0", "123456")
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	require.Equal(t, 1, count(t, r.RequestID, enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED), "what is refused leaves no trace")

	s, err = c.Choose(ctx, r.RequestID, choice.Challenge.ID, "mail")
	require.NoError(t, err)
	require.Equal(t, meterkey.SubmittingCode, s.Status)
	s = until(t, ctx, c, r.RequestID, meterkey.AwaitingCode)
	s, err = c.SubmitCode(ctx, r.RequestID, s.Challenge.ID, "123456")
	require.NoError(t, err)
	require.Equal(t, meterkey.SubmittingCode, s.Status)
	require.NoError(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil))
	_, err = c.SubmitCode(ctx, r.RequestID, "c-0", "123456")
	require.ErrorIs(t, err, sdk.ErrEnded)
	_, err = c.SubmitCode(ctx, "nobody-knows-it", "c-0", "123456")
	require.ErrorIs(t, err, sdk.ErrNotFound)
}

// A login that no worker takes is kept. The update that was sent first may reach the worker as well: it is typed once.
func TestSubmit_IsKeptForTheWorkerThatComes(t *testing.T) {
	t.Parallel()
	ctx, c, r := queued(t)
	_, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.ErrorIs(t, err, sdk.ErrNoWorker)
	require.ErrorContains(t, err, "kept")
	w := requestWorker(server.temporal, r.RequestID)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	s := until(t, ctx, c, r.RequestID, meterkey.AwaitingChoice)
	require.Equal(t, 1, times(s.Timeline, meterkey.SigningIn))
	require.NoError(t, c.Cancel(ctx, r.RequestID))
}

func times(timeline []meterkey.Moment, status meterkey.Status) (n int) {
	for _, m := range timeline {
		if m.Status == status {
			n++
		}
	}
	return n
}

func TestSubmit_WhoeverHasGoneSendsNothingMore(t *testing.T) {
	t.Parallel()
	_, c, r := queued(t)
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := c.SubmitLogin(gone, r.RequestID, pat)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, sdk.ErrNoWorker)
	require.Zero(t, count(t, r.RequestID, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))
}

// Where all that Temporal keeps is encrypted, answers and refusals are read all the same.
func TestSubmit_UnderEncryption(t *testing.T) {
	t.Parallel()
	key, err := payload.NewKey("k1", bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	keys := payload.Keys{key}
	converter := payload.New(keys)
	temporal, err := client.Dial(client.Options{HostPort: server.address, DataConverter: converter, FailureConverter: payload.FailureConverter(converter, keys),
		Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	r := newRequest(t)
	w := requestWorker(temporal, r.RequestID)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: meterkey.WorkflowID(r.RequestID), TaskQueue: r.RequestID}, meterkey.WorkflowType, r)
	require.NoError(t, err)
	c := sdk.New(temporal, server.identity.Recipient().String(), converter).Patiently()
	until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	_, err = c.SubmitCode(ctx, r.RequestID, "c-1", "123456")
	require.ErrorIs(t, err, sdk.ErrNotAwaited)
	require.ErrorContains(t, err, "no code is awaited")
	s, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	require.Equal(t, meterkey.SigningIn, s.Status)

	require.NoError(t, temporal.TerminateWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "", "by hand"))
	s, err = c.State(ctx, r.RequestID)
	require.NoError(t, err)
	require.Equal(t, []any{"acme", meterkey.Terminated}, []any{s.Requester, s.Reason})
}
