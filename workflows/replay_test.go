package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/workflows"
)

// stored are the files of all histories, one a route in each folder; those that are frozen are as they were.
func stored(t *testing.T) []string {
	t.Helper()
	files, err := devenv.StoredHistories("testdata/histories")
	require.NoError(t, err)
	return files
}

func register(r worker.WorkflowReplayer) {
	r.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
}

// TestReplay_StoredHistories fails when a change of the workflow would break requests that are under way.
func TestReplay_StoredHistories(t *testing.T) {
	t.Parallel()
	for _, file := range stored(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			history, err := devenv.ReadHistory(file)
			require.NoError(t, err)
			require.NoError(t, devenv.Replay(history, register))
		})
	}
}

// TestReplay_AlteredHistoryFails makes sure that the test above can fail: one activity of a real history is renamed.
func TestReplay_AlteredHistoryFails(t *testing.T) {
	t.Parallel()
	history, err := devenv.ReadHistory(stored(t)[0])
	require.NoError(t, err)
	altered := false
	for _, event := range history.GetEvents() {
		scheduled := event.GetActivityTaskScheduledEventAttributes()
		if scheduled.GetActivityType().GetName() == workflows.ActivityFetchMeterList {
			scheduled.ActivityType.Name = workflows.ActivitySubmitCode
			altered = true
		}
	}
	require.True(t, altered)
	require.ErrorContains(t, devenv.Replay(history, register), "nondeterministic")
}
