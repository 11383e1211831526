package devenv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/sdk"
)

// TestTemporalGivesAMendedBuildItsTasksSoon: a defect of ours panics, which blocks the run, however long; the build without
// it must not wait for minutes.
func TestTemporalGivesAMendedBuildItsTasksSoon(t *testing.T) {
	t.Parallel()
	const queue, workflowType = "mended", "Mended"
	c := dial(t, startTemporal(t, TemporalOptions{Dir: t.TempDir()}))
	build := func(run func(workflow.Context) error) worker.Worker {
		w := worker.New(c, queue, worker.Options{})
		w.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: workflowType})
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
		return w
	}
	broken := build(func(workflow.Context) error { panic("a defect") })
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue, WorkflowTaskTimeout: sdk.TaskTimeout}, workflowType)
	require.NoError(t, err)
	// A server as it comes makes the sixth try half a minute after the fifth, and each later one later still.
	require.Eventually(t, func() bool {
		described, err := c.DescribeWorkflowExecution(t.Context(), run.GetID(), "")
		return err == nil && described.GetPendingWorkflowTask().GetAttempt() >= 5
	}, 2*patience, 50*time.Millisecond)
	broken.Stop()
	build(func(workflow.Context) error { return nil })
	began := time.Now()
	require.NoError(t, run.Get(t.Context(), nil))
	require.Less(t, time.Since(began), 10*time.Second)
}
