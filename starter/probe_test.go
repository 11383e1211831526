package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

func TestProbeFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	said := func(kind string) error { return temporal.NewNonRetryableApplicationError("so it is", kind, nil) }
	for _, c := range []struct {
		err  error
		code int
		line string
	}{
		{sdk.ErrNoWorker, exitUnreachable, "no worker is answering (is a worker running?)"},
		{said(workflows.ErrTypeUnknownUtility), exitUsage, "the workers: so it is (give them this MK_UTILITIES_DIR and restart them)"},
		{said(workflows.ErrTypeSiteUnavailable), exitUnexpected, "probing DEMO: so it is"},
		{temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil), exitUnreachable, "no worker with a free browser window"},
		{errors.New("odd"), exitUnexpected, "odd"},
	} {
		f := explain(t.Context(), probeFailed("DEMO", fmt.Errorf("workflow: %w", c.err)))
		require.Equal(t, c.code, f.code, c.err)
		require.Contains(t, f.line(), c.line)
	}
}

// TestProbeIsCalledOff interrupts a probe that a worker has in hand: the worker is told to close its window.
func TestProbeIsCalledOff(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"probe", "comed"}, strings.NewReader(""), io.Discard, io.Discard) }()
	id := ""
	require.Eventually(t, func() bool {
		found, err := shared.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: `WorkflowId STARTS_WITH "probe-COMED-"`,
		})
		if err == nil && len(found.GetExecutions()) == 1 {
			id = found.GetExecutions()[0].GetExecution().GetWorkflowId()
		}
		return id != ""
	}, time.Minute, 100*time.Millisecond)
	cancel()
	require.Equal(t, exitInterrupted, <-ended)
	require.Error(t, shared.client.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	described, err := shared.client.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, described.GetWorkflowExecutionInfo().GetStatus())
}
