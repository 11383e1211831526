package sdk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/workflows"
)

// serve runs these activities on a task queue for the length of a test.
func serve(t *testing.T, queue string, activities map[string]any) {
	t.Helper()
	w := worker.New(server.temporal, queue, worker.Options{DisableWorkflowWorker: true, MaxHeartbeatThrottleInterval: 100 * time.Millisecond})
	for name, f := range activities {
		w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

// TestCancel_WhileSigningInForgetsNoWindow cancels a request whose site answers all the same.
func TestCancel_WhileSigningInForgetsNoWindow(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	running, closed := make(chan struct{}, 1), make(chan string, 1)
	serve(t, workflows.SignInTaskQueue, map[string]any{
		workflows.ActivityLogin: func(ctx context.Context, in workflows.LoginInput) (*workflows.Found, error) {
			if in.RequestID == r.RequestID {
				running <- struct{}{}
			}
			for ctx.Err() == nil {
				activity.RecordHeartbeat(ctx)
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
			return &workflows.Found{Outcome: workflows.OutcomeSignedIn, Window: &workflows.Window{Host: "cancel", ID: "w-1"}}, nil
		},
	})
	serve(t, workflows.WindowTaskQueue("cancel"), map[string]any{
		workflows.ActivityCloseWindow: func(_ context.Context, in workflows.WindowInput) error {
			closed <- in.Window.ID
			return nil
		},
	})
	require.NoError(t, c.SubmitLogin(ctx, r.RequestID, meterkey.Credentials{Username: "u", Password: "p"}))
	<-running
	require.NoError(t, c.Cancel(ctx, r.RequestID))

	var canceled *temporal.CanceledError
	require.ErrorAs(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil), &canceled)
	require.Len(t, closed, 1, "the run has ended and left its window")
	require.Equal(t, "w-1", <-closed)
}
