package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// ResendCode presses the site's "send again", once for each challenge.
func (b *BrowserActivities) ResendCode(ctx context.Context, t workflows.Task) (workflows.PageResult, error) {
	defer beat(ctx)()
	return b.recording(ctx, t, func() (workflows.PageResult, error) {
		return b.inWindow(ctx, t, func(l *windowLease) (workflows.PageResult, error) { return b.resendCode(ctx, l, t) })
	})
}

func (b *BrowserActivities) resendCode(ctx context.Context, l *windowLease, t workflows.Task) (workflows.PageResult, error) {
	act := l.run.Look
	if l.BeginOnce("resend "+t.State().Challenge.ID) == nil {
		act = l.run.ResendCode
	}
	seen, err := act(ctx)
	if errors.Is(err, flow.ErrNotOffered) {
		seen, err = l.run.Look(ctx)
	}
	if err != nil {
		return workflows.PageResult{}, fmt.Errorf("having the code sent again: %w", err)
	}
	return b.report(ctx, l, seen)
}
