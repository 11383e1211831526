package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/workflows"
	"github.com/meterkey/meterkey/workflows/payload"
)

// replaySmall replays the workflows that work beside data requests.
func replaySmall(history *historypb.History) error {
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: payload.New(nil)})
	if err != nil {
		return err
	}
	replayer.RegisterWorkflowWithOptions(workflows.WebhookDelivery, workflow.RegisterOptions{Name: workflows.WebhookWorkflowType})
	replayer.RegisterWorkflowWithOptions(workflows.TestSubmit, workflow.RegisterOptions{Name: workflows.TestSubmitWorkflowType})
	return replayer.ReplayWorkflowHistory(logging.Temporal(zap.NewNop()), history)
}

// TestReplay_DeliveriesAndTestSubmissions fails when a change would break those that are under way.
func TestReplay_DeliveriesAndTestSubmissions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"webhooks/delivered", "webhooks/given-up", "test-submits/mfa-off", "test-submits/window-lost"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replaySmall(readHistory(t, filepath.Join("testdata/histories", name+".json.gz"))))
		})
	}
}

// TestReplay_AlteredDeliveryFails makes sure that the test above can fail.
func TestReplay_AlteredDeliveryFails(t *testing.T) {
	t.Parallel()
	history := readHistory(t, "testdata/histories/webhooks/given-up.json.gz")
	altered := 0
	for _, event := range history.GetEvents() {
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled.GetActivityType().GetName() == workflows.ActivityGiveUpWebhook {
			scheduled.ActivityType.Name = workflows.ActivityRecord
			altered++
		}
	}
	require.Equal(t, 1, altered)
	require.ErrorContains(t, replaySmall(history), "nondeterministic")
}
