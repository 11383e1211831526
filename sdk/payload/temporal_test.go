package payload_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk/payload"
)

const (
	queue      = "payload-test"
	workflowID = "data-request-r-1"
	// secret is in every document that the test sends.
	secret = "Kossuth Street 12"
)

// note stands for any of our documents.
type note struct {
	Secret string `json:"secret"`
	// Round counts the runs of the workflow.
	Round int `json:"round"`
	// Path lists where the note has been.
	Path []string `json:"path"`
}

func (n note) at(place string) note {
	n.Path = append(append([]string(nil), n.Path...), place)
	return n
}

// everywhere sends a note through every kind of payload that the SDK encodes, in two runs, and fails in the end.
func everywhere(ctx workflow.Context, n note) error {
	if err := workflow.SetQueryHandler(ctx, "note", func(n note) (note, error) { return n.at("query"), nil }); err != nil {
		return err
	}
	var signalled note
	workflow.GetSignalChannel(ctx, "note").Receive(ctx, &signalled)
	n.Path = append(n.Path, signalled.Path...)
	updated := false
	err := workflow.SetUpdateHandler(ctx, "note", func(_ workflow.Context, n note) (note, error) {
		updated = true
		return n.at("update"), nil
	})
	if err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return updated }); err != nil {
		return err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: time.Minute, Summary: "for operators",
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Millisecond},
	})
	if err := workflow.ExecuteActivity(ctx, "work", n).Get(ctx, &n); err != nil {
		return err
	}
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteLocalActivity(local, localWork, n).Get(ctx, &n); err != nil {
		return err
	}
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return n.at("side effect") }).Get(&n); err != nil {
		return err
	}
	if n.Round == 1 {
		n.Round = 2
		return workflow.NewContinueAsNewError(ctx, "everywhere", n)
	}
	var failed *temporal.ApplicationError
	err = workflow.ExecuteActivity(ctx, "fail", n).Get(ctx, nil)
	if !errors.As(err, &failed) {
		return err
	}
	var detail note
	if err := failed.Details(&detail); err != nil {
		return err
	}
	return temporal.NewApplicationError("the end of "+secret, "end", detail.at("failure"))
}

func localWork(_ context.Context, n note) (note, error) { return n.at("local activity"), nil }

// work fails once after a heartbeat, and finds the heartbeat's note at its second attempt.
func work(ctx context.Context, n note) (note, error) {
	if !activity.HasHeartbeatDetails(ctx) {
		activity.RecordHeartbeat(ctx, n.at("heartbeat"))
		return note{}, temporal.NewApplicationError("passing trouble at "+secret, "passing")
	}
	var kept note
	if err := activity.GetHeartbeatDetails(ctx, &kept); err != nil {
		return note{}, temporal.NewNonRetryableApplicationError("heartbeat", "heartbeat", err)
	}
	return kept.at("activity"), nil
}

func fail(_ context.Context, n note) error {
	return temporal.NewNonRetryableApplicationError("no luck at "+secret, "lost", nil, n.at("detail"))
}

func TestEverywhereOnARealServer(t *testing.T) {
	server, err := devenv.StartTemporal(t.Context(), devenv.TemporalOptions{
		Binary: testServer(t), Address: "127.0.0.1:0", Dir: t.TempDir(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	key, err := payload.NewKey("a", bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	for name, keys := range map[string]payload.Keys{"plain": nil, "encrypted": {key}} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, server.Address(), keys)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			id := workflowID + "-" + name
			run, err := c.SignalWithStartWorkflow(ctx, id, "note", note{}.at("signal-with-start"), client.StartWorkflowOptions{
				ID: id, TaskQueue: queue, StaticSummary: "for operators", Memo: map[string]any{"note": note{Secret: secret}},
			}, "everywhere", note{Secret: secret, Round: 1})
			require.NoError(t, err)
			firstRun := run.GetRunID()
			requireAnswers(ctx, t, c, id, firstRun)
			requireNextRun(ctx, t, c, id, firstRun)
			require.NoError(t, c.SignalWorkflow(ctx, id, "", "note", note{}.at("signal")))
			update(ctx, t, c, id, "")
			requireEnd(t, c.GetWorkflow(ctx, id, "").Get(ctx, nil))
			requireHistory(ctx, t, c, payload.New(keys), id, len(keys) > 0, firstRun, c.GetWorkflow(ctx, id, "").GetRunID())
		})
	}
}

func testServer(t *testing.T) string {
	t.Helper()
	binary, err := devenv.FindTemporal("")
	require.NoError(t, err)
	return binary
}

func connect(t *testing.T, address string, keys payload.Keys) client.Client {
	t.Helper()
	dc := payload.New(keys)
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort: address, DataConverter: dc, FailureConverter: payload.FailureConverter(dc, keys), Logger: logging.Temporal(zap.NewNop()),
	})
	require.NoError(t, err)
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(everywhere, workflow.RegisterOptions{Name: "everywhere"})
	w.RegisterActivityWithOptions(work, activity.RegisterOptions{Name: "work"})
	w.RegisterActivityWithOptions(fail, activity.RegisterOptions{Name: "fail"})
	require.NoError(t, w.Start())
	t.Cleanup(func() {
		w.Stop()
		c.Close()
	})
	return c
}

func requireAnswers(ctx context.Context, t *testing.T, c client.Client, id, run string) {
	t.Helper()
	value, err := c.QueryWorkflow(ctx, id, run, "note", note{Secret: secret})
	require.NoError(t, err)
	var answer note
	require.NoError(t, value.Get(&answer))
	require.Equal(t, note{Secret: secret, Path: []string{"query"}}, answer)
	update(ctx, t, c, id, run)
}

func update(ctx context.Context, t *testing.T, c client.Client, id, run string) {
	t.Helper()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, RunID: run, UpdateName: "note", Args: []any{note{Secret: secret}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(t, err)
	var answer note
	require.NoError(t, handle.Get(ctx, &answer))
	require.Equal(t, note{Secret: secret, Path: []string{"update"}}, answer)
}

// requireNextRun waits until the workflow has continued as new.
func requireNextRun(ctx context.Context, t *testing.T, c client.Client, id, before string) {
	t.Helper()
	require.Eventually(t, func() bool {
		now, err := c.DescribeWorkflowExecution(ctx, id, "")
		return err == nil && now.GetWorkflowExecutionInfo().GetExecution().GetRunId() != before
	}, 3*time.Minute, 20*time.Millisecond)
}

func requireEnd(t *testing.T, err error) {
	t.Helper()
	var end *temporal.ApplicationError
	require.ErrorAs(t, err, &end)
	require.Equal(t, "the end of "+secret, end.Message())
	var got note
	require.NoError(t, end.Details(&got))
	round := []string{"heartbeat", "activity", "local activity", "side effect"}
	path := append([]string{"signal-with-start"}, round...)
	path = append(append(path, "signal"), round...)
	require.Equal(t, note{Secret: secret, Round: 2, Path: append(path, "detail", "failure")}, got)
}

// requireHistory looks at what the server has stored of these runs.
func requireHistory(ctx context.Context, t *testing.T, c client.Client, dc converter.DataConverter, id string, encrypted bool, runs ...string) {
	t.Helper()
	var stored []byte
	for _, run := range runs {
		events := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			requireStart(t, dc, event)
			requireBound(ctx, t, event, id)
			raw, err := proto.Marshal(event)
			require.NoError(t, err)
			stored = append(stored, raw...)
		}
	}
	require.Contains(t, string(stored), `"for operators"`)
	if encrypted {
		require.NotContains(t, string(stored), secret)
	} else {
		require.Contains(t, string(stored), secret)
	}
}

// requireBound sees to it that the SDK named the workflow wherever something was encrypted.
func requireBound(ctx context.Context, t *testing.T, event *historypb.HistoryEvent, id string) {
	t.Helper()
	err := proxy.VisitPayloads(ctx, event, proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for _, p := range payloads {
				if _, encrypted := p.GetMetadata()["meterkey-key"]; encrypted {
					require.Equal(t, id, string(p.GetMetadata()["meterkey-workflow"]), event.GetEventType().String())
				}
			}
			return payloads, nil
		},
	})
	require.NoError(t, err)
}

// requireStart reads a run's input as a client does that was told of no workflow.
func requireStart(t *testing.T, dc converter.DataConverter, event *historypb.HistoryEvent) {
	t.Helper()
	started := event.GetWorkflowExecutionStartedEventAttributes()
	if started == nil {
		return
	}
	var input, memo note
	require.NoError(t, dc.FromPayloads(started.GetInput(), &input))
	require.Equal(t, secret, input.Secret)
	require.NoError(t, dc.FromPayload(started.GetMemo().GetFields()["note"], &memo))
	require.Equal(t, secret, memo.Secret)
}
