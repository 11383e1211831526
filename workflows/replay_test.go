package workflows_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/workflows"
	"github.com/meterkey/meterkey/workflows/payload"
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

func readHistory(t *testing.T, file string) *historypb.History {
	t.Helper()
	packed, err := os.ReadFile(file)
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	history, err := client.HistoryFromJSON(bytes.NewReader(text), client.HistoryJSONOptions{})
	require.NoError(t, err)
	return history
}

func replay(history *historypb.History) error {
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: payload.New(nil)})
	if err != nil {
		return err
	}
	replayer.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: workflows.WorkflowType})
	return replayer.ReplayWorkflowHistory(logging.Temporal(zap.NewNop()), history)
}

// TestReplay_StoredHistories fails when a change of the workflow would break requests that are under way.
func TestReplay_StoredHistories(t *testing.T) {
	t.Parallel()
	for _, file := range stored(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(readHistory(t, file)))
		})
	}
}

// TestReplay_AlteredHistoryFails makes sure that the test above can fail: one activity of a real history is renamed.
func TestReplay_AlteredHistoryFails(t *testing.T) {
	t.Parallel()
	history := readHistory(t, stored(t)[0])
	altered := false
	for _, event := range history.GetEvents() {
		scheduled := event.GetActivityTaskScheduledEventAttributes()
		if scheduled.GetActivityType().GetName() == workflows.ActivityFetchMeterList {
			scheduled.ActivityType.Name = workflows.ActivitySubmitCode
			altered = true
		}
	}
	require.True(t, altered)
	require.ErrorContains(t, replay(history), "nondeterministic")
}
