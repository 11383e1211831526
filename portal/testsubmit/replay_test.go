package testsubmit_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

func register(r worker.WorkflowReplayer) {
	r.RegisterWorkflowWithOptions(testsubmit.Workflow, workflow.RegisterOptions{Name: testsubmit.WorkflowType})
}

// TestReplay fails when a change would break test submissions that are under way.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mfa-off", "window-lost"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			history, err := devenv.ReadHistory(filepath.Join("testdata/histories", name+".json.gz"))
			require.NoError(t, err)
			require.NoError(t, devenv.Replay(history, register))
		})
	}
}
