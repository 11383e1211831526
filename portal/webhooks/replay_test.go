package webhooks_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/webhooks"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/workflows"
)

func register(r worker.WorkflowReplayer) {
	r.RegisterWorkflowWithOptions(webhooks.Delivery, workflow.RegisterOptions{Name: webhook.WorkflowType})
}

// TestReplay fails when a change would break deliveries that are under way.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"delivered", "given-up"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			history, err := devenv.ReadHistory(filepath.Join("testdata/histories", name+".json.gz"))
			require.NoError(t, err)
			require.NoError(t, devenv.Replay(history, register))
		})
	}
}

// TestReplay_AlteredHistoryFails makes sure that the test above can fail.
func TestReplay_AlteredHistoryFails(t *testing.T) {
	t.Parallel()
	history, err := devenv.ReadHistory("testdata/histories/given-up.json.gz")
	require.NoError(t, err)
	altered := 0
	for _, event := range history.GetEvents() {
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled.GetActivityType().GetName() == webhooks.ActivityGiveUp {
			scheduled.ActivityType.Name = workflows.ActivityRecord
			altered++
		}
	}
	require.Equal(t, 1, altered)
	require.ErrorContains(t, devenv.Replay(history, register), "nondeterministic")
}
