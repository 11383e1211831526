package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/notices"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// Notifier tells customers and requesters by mail.
type Notifier struct {
	Utilities *utilities.Catalog
	Notices   *notices.Sender
	Recorder  *Recorder
	Log       *zap.Logger
}

// Register registers Notify.
func (n *Notifier) Register(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(n.Notify, activity.RegisterOptions{Name: workflows.ActivityNotify})
}

// Notify records the state that it tells of, where it is to, and sends the notice. A retry does not send it twice where that
// can be known.
func (n *Notifier) Notify(ctx context.Context, in workflows.NotifyInput) (workflows.NotifyResult, error) {
	defer beat(ctx)()
	var done workflows.NotifyResult
	if in.Record != nil {
		done.Recorded = n.Recorder.recorded(ctx, in.Record.Request, in.Record.State)
	}
	err := n.send(ctx, in.Notice)
	if errors.Is(err, notices.ErrRefused) {
		return done, temporal.NewNonRetryableApplicationError(err.Error(), workflows.ErrTypeRefused, nil)
	}
	return done, err
}

// send sends a notice to all its audiences side by side: a mailbox that does not answer holds up nobody else.
func (n *Notifier) send(ctx context.Context, notice meterkey.Notice) error {
	all := notice.For()
	errs := make([]error, len(all))
	var sending sync.WaitGroup
	for i, one := range all {
		sending.Go(func() { errs[i] = n.sendOne(ctx, one) })
	}
	sending.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, notices.ErrRefused) {
			return err // trying again mends this one, and tells nobody twice
		}
	}
	return errors.Join(errs...)
}

func (n *Notifier) sendOne(ctx context.Context, notice meterkey.Notice) error {
	info := notices.UtilityInfo{ID: notice.Request.Utility, Name: notice.Request.Utility}
	if u, err := n.Utilities.Find(notice.Request.Utility); err == nil {
		info = notices.UtilityInfo{ID: u.ID, Name: u.Name, Website: u.Website, FAQ: u.MFA.FAQ}
	}
	outcome, err := n.Notices.Send(ctx, notice, info)
	if err != nil {
		return fmt.Errorf("telling the %s: %w", notice.To, err)
	}
	n.Log.Info("notice", zap.String("request_id", notice.Request.RequestID), zap.String("notice", notice.ID),
		zap.String("kind", string(notice.Kind)), zap.String("to", string(notice.To)), zap.String("outcome", string(outcome)))
	return nil
}
