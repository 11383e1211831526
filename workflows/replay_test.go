package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/workflows"
)

// storedRoutes is how many histories `make histories` stores: one for each route of the demonstration.
const storedRoutes = 16

func stored(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/histories/*.json.gz")
	require.NoError(t, err)
	require.Len(t, files, storedRoutes, "make histories stores them anew")
	return files
}

func register(r worker.WorkflowReplayer) {
	r.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
}

// TestReplay_StoredHistories fails when a change of the workflow would break requests that are under way.
func TestReplay_StoredHistories(t *testing.T) {
	t.Parallel()
	for _, file := range stored(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			history, err := stack.ReadHistory(file)
			require.NoError(t, err)
			require.NoError(t, stack.Replay(history, register))
		})
	}
}

// TestReplay_AlteredHistoryFails makes sure that the test above can fail: one activity of a real history is renamed.
func TestReplay_AlteredHistoryFails(t *testing.T) {
	t.Parallel()
	history, err := stack.ReadHistory(stored(t)[0])
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
	require.ErrorContains(t, stack.Replay(history, register), "nondeterministic")
}
