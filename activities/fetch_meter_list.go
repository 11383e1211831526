package activities

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// stepFinish is begun before a window is closed because its meter list was read.
	stepFinish = "finish"
	// closeAfter is how long a window outlives its activity: until Temporal has been told of the meter list. If it is not,
	// the next attempt reads the list again.
	closeAfter = time.Second
)

// FetchMeterList reads the meter list, all accounts and pages of it, and closes the window.
func (b *BrowserActivities) FetchMeterList(ctx context.Context, t workflows.Task) (workflows.PageResult, error) {
	defer beat(ctx)()
	f, err := b.recording(ctx, t, func() (workflows.PageResult, error) {
		return b.inWindow(ctx, t, func(l *windowLease) (workflows.PageResult, error) { return b.fetchMeterList(ctx, l) })
	})
	if f.Closed {
		go b.finish(t.Progress.Window.ID)
	}
	return f, err
}

func (b *BrowserActivities) fetchMeterList(ctx context.Context, l *windowLease) (workflows.PageResult, error) {
	meters, seen, err := l.run.Meters(ctx)
	if err != nil {
		return workflows.PageResult{}, fmt.Errorf("reading the meter list: %w", err)
	}
	if seen.Page == utilities.LoginForm {
		seen.Page = utilities.SessionEnded
	}
	f, err := b.report(ctx, l, seen)
	f.Meters = meters
	f.Closed = f.Outcome == workflows.OutcomeSignedIn // by finish, once all is recorded
	return f, err
}

// finish closes a window whose meter list was read.
func (b *BrowserActivities) finish(id string) {
	ctx := context.Background()
	<-time.After(closeAfter)
	w, err := b.Host.Window(ctx, id)
	if err != nil {
		b.Log.Debug("window closed before", zap.String("window", id), zap.Error(err))
		return
	}
	if err := w.BeginOnce(stepFinish); err != nil {
		b.Log.Debug("window finished before", zap.String("window", id), zap.Error(err))
	}
	b.close(ctx, w)
}
