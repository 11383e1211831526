package sdk_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
)

// TestCancel_WhileSigningInForgetsNoWindow cancels a request whose site answers all the same.
func TestCancel_WhileSigningInForgetsNoWindow(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	_, err := c.SubmitLogin(ctx, r.RequestID, pat)
	require.NoError(t, err)
	<-happened(&site.signingIn, r.RequestID)
	require.NoError(t, c.Cancel(ctx, r.RequestID))

	var canceled *temporal.CanceledError
	require.ErrorAs(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil), &canceled)
	select {
	case <-happened(&site.closed, r.RequestID):
	default:
		require.Fail(t, "the run has ended and left its window")
	}
}
