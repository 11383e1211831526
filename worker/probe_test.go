package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/workflows"
)

// TestProbe has a worker look at login pages from where it is, which here is nowhere near any site.
func TestProbe(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	log, _, _ := p.inProcess()
	log.await(t, "worker ready", nil)
	c, _ := p.temporal()
	for utility, want := range map[string]string{"DEMO": workflows.ErrTypeSiteUnavailable, "NOWHERE": workflows.ErrTypeUnknownUtility} {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "probe-" + utility, TaskQueue: meterkey.TaskQueue},
			workflows.ProbeUtilityWorkflowType, workflows.ProbeInput{Utility: utility})
		require.NoError(t, err)
		var failed *temporal.ApplicationError
		require.ErrorAs(t, run.Get(t.Context(), nil), &failed, utility)
		require.Equal(t, want, failed.Type())
	}
	require.Empty(t, p.beside().Windows(), "no window is left")
}
