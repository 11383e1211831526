package activities_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// probe looks at a login page in the browser that all tests share.
func probe(ctx context.Context, t *testing.T, origins utilities.Origins, utility string) ([]meterkey.ProbedField, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(workerOptions(ctx))
	b := &activities.BrowserActivities{Host: shared.Host, Utilities: shared.Utilities, Origins: origins, Log: zap.NewNop()}
	env.RegisterActivity(b.Probe)
	value, err := env.ExecuteActivity(b.Probe, workflows.ProbeInput{Utility: utility})
	if err != nil {
		return nil, err
	}
	var fields []meterkey.ProbedField
	return fields, value.Get(&fields)
}

func probing() bool {
	for _, w := range shared.Host.Windows() {
		if strings.HasPrefix(w.Owner, "probe/") {
			return true
		}
	}
	return false
}

// TestProbe is not parallel: it requires that no probe leaves its window behind.
func TestProbe(t *testing.T) {
	fields, err := probe(t.Context(), t, sites.Origins(), "demo")
	require.NoError(t, err)
	require.Equal(t, []meterkey.ProbedField{
		{Field: "flow.sign_in.steps[0].into", Selector: "#username", Found: true},
		{Field: "flow.sign_in.steps[1].into", Selector: "#password", Found: true},
		{Field: "flow.sign_in.steps[2].press", Selector: "#sign-in", Found: true},
	}, fields)
	require.False(t, probing(), "its window is closed")

	for utility, want := range map[string]string{"DEMO": workflows.ErrTypeSiteUnavailable, "NOWHERE": workflows.ErrTypeUnknownUtility} {
		_, err := probe(t.Context(), t, utilities.Origins{"https://demo.meterkey.example": "http://127.0.0.1:9"}, utility)
		var failed *temporal.ApplicationError
		require.ErrorAs(t, err, &failed, utility)
		require.Equal(t, want, failed.Type())
		require.True(t, failed.NonRetryable())
		require.False(t, probing(), utility)
	}
}

// TestProbe_ClosesItsWindowWhenCanceled calls it off while the site leaves it waiting.
func TestProbe_ClosesItsWindowWhenCanceled(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close() //nolint:errcheck // nothing was written to it
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		if _, err := silent.Accept(); err == nil {
			cancel(errCanceled)
		}
	}()
	_, err = probe(ctx, t, utilities.Origins{"https://demo.meterkey.example": "http://" + silent.Addr().String()}, "DEMO")
	require.ErrorContains(t, err, "canceled")
	require.False(t, probing())
}
