package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/notices"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// ErrTypeRefused is the type of the application error that says that a notice will never be accepted.
const ErrTypeRefused = "notice_refused"

// Recorder keeps projections of data requests for lists and reports. Record must change nothing when it is given a
// version that is not newer than the one it has: projections may come late or twice.
type Recorder interface {
	Record(ctx context.Context, p meterkey.Projection) error
}

// Desk tells people and keeps records.
type Desk struct {
	Utilities *utilities.Catalog
	Notices   *notices.Sender
	Recorder  Recorder
	Log       *zap.Logger
}

// Register registers what the workflow's own task queue serves.
func (d *Desk) Register(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(d.Notify, activity.RegisterOptions{Name: workflows.ActivityNotify})
	w.RegisterActivityWithOptions(d.Record, activity.RegisterOptions{Name: workflows.ActivityRecord})
}

// Notify sends one notice. A retry does not send it twice where that can be known.
func (d *Desk) Notify(ctx context.Context, n meterkey.Notice) error {
	info := notices.UtilityInfo{ID: n.Request.Utility, Name: n.Request.Utility}
	if u, err := d.Utilities.Find(n.Request.Utility); err == nil {
		info = notices.UtilityInfo{ID: u.ID, Name: u.Name, Website: u.Website, FAQ: u.MFA.FAQ}
	}
	outcome, err := d.Notices.Send(ctx, n, info)
	if errors.Is(err, notices.ErrRefused) {
		return temporal.NewNonRetryableApplicationError(err.Error(), ErrTypeRefused, nil)
	}
	if err != nil {
		return err
	}
	d.Log.Info("notice", zap.String("request_id", n.Request.RequestID), zap.String("notice", n.ID),
		zap.String("kind", string(n.Kind)), zap.String("to", string(n.To)), zap.String("outcome", string(outcome)))
	return nil
}

// Record projects a request's state, and writes one structured line of it, without personal data. Lines may come twice; the
// version tells.
func (d *Desk) Record(ctx context.Context, p meterkey.Projection) error {
	if err := d.Recorder.Record(ctx, p); err != nil {
		return wrap("recording "+p.Request.RequestID, err)
	}
	d.Log.Info("data request", zap.String("request_id", p.Request.RequestID), zap.String("run_id", p.RunID),
		zap.String("requester", p.Request.Requester), zap.String("utility", p.State.Utility),
		zap.String("status", string(p.State.Status)), zap.String("reason", string(p.State.Reason)),
		zap.Int("meters", len(p.State.Meters)), zap.Int("version", p.State.Revision))
	return nil
}
