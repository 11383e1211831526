package activities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// Probe looks at a utility's login page in a window of its own, which it closes in every case, and tells which fields of the
// utility's file stand on it. Nothing is typed.
func (b *BrowserActivities) Probe(ctx context.Context, in workflows.ProbeInput) ([]meterkey.ProbedField, error) {
	defer beat(ctx)()
	u, err := b.utility(in.Utility)
	if err != nil {
		return nil, err
	}
	owner := "probe/" + activity.GetInfo(ctx).WorkflowExecution.RunID
	w, err := b.Host.OpenWindow(ctx, owner, workflows.ProbeTimeout)
	if err != nil {
		return nil, fmt.Errorf("opening a window: %w", err)
	}
	defer b.Host.UseReservation()()
	defer w.Claim()()
	defer b.close(ctx, w)
	log := b.Log.With(zap.String("utility", u.ID))
	run := flow.New(u, w.Page, flow.Options{Origins: b.probedOrigins(u.ID), Log: log})
	defer run.Close()
	fields, err := run.Probe(ctx)
	if errors.Is(err, flow.ErrUnavailable) {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), workflows.ErrTypeSiteUnavailable, nil)
	}
	return fields, wrap("probing "+u.ID, err)
}

// probedOrigins are those of the practice sites for the utility that exists there alone.
func (b *BrowserActivities) probedOrigins(utility string) utilities.Origins {
	if utility == utilities.Demo && len(b.Practice) > 0 {
		return b.Practice
	}
	return b.Origins
}
