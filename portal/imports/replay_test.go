package imports_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/portal/imports"
)

func register(r worker.WorkflowReplayer) {
	r.RegisterWorkflowWithOptions(imports.SendImport, workflow.RegisterOptions{Name: imports.WorkflowType})
}

// TestReplay fails when a change would break imports that are under way.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"another-portal", "stopped"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			history, err := stack.ReadHistory(filepath.Join("testdata/histories", name+".json.gz"))
			require.NoError(t, err)
			require.NoError(t, stack.Replay(history, register))
		})
	}
}

// TestReplay_AlteredHistoryFails makes sure that the test above can fail.
func TestReplay_AlteredHistoryFails(t *testing.T) {
	t.Parallel()
	history, err := stack.ReadHistory("testdata/histories/stopped.json.gz")
	require.NoError(t, err)
	altered := 0
	for _, event := range history.GetEvents() {
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled != nil {
			scheduled.ActivityType.Name = "SomethingElse"
			altered++
		}
	}
	require.NotZero(t, altered)
	require.ErrorContains(t, stack.Replay(history, register), "nondeterministic")
}
