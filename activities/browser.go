package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// heartbeatInterval is well within the heartbeat time-out that the workflow sets.
	heartbeatInterval = workflows.HeartbeatTimeout / 4
	// closeTimeout bounds the closing of a window.
	closeTimeout = 10 * time.Second
)

// BrowserActivities work in the windows of one browser host.
type BrowserActivities struct {
	Host      *browser.Host
	Utilities *utilities.Catalog
	Origins   utilities.Origins
	// Practice are the origins for requests that are tests; none: there are no practice sites to run them at.
	Practice utilities.Origins
	Identity *sealed.Identity
	Evidence Evidence
	Recorder *Recorder
	Notifier *Notifier
	Presence Presence
	// Now is the clock that customers' deadlines are of: Temporal's.
	Now func() time.Time
	Log *zap.Logger
}

// RegisterSignIn registers what the sign-in task queue serves: all that needs a free window.
func (b *BrowserActivities) RegisterSignIn(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(b.Login, activity.RegisterOptions{Name: workflows.ActivityLogin})
	w.RegisterActivityWithOptions(b.Probe, activity.RegisterOptions{Name: workflows.ActivityProbe})
}

// RegisterWindows registers what the host's own task queue serves: all that works in a window that is open already, and
// Login where it reads what an interrupted attempt left.
func (b *BrowserActivities) RegisterWindows(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(b.Login, activity.RegisterOptions{Name: workflows.ActivityLogin})
	w.RegisterActivityWithOptions(b.HoldWindow, activity.RegisterOptions{Name: workflows.ActivityHoldWindow})
	w.RegisterActivityWithOptions(b.SubmitCode, activity.RegisterOptions{Name: workflows.ActivitySubmitCode})
	w.RegisterActivityWithOptions(b.ResendCode, activity.RegisterOptions{Name: workflows.ActivityResendCode})
	w.RegisterActivityWithOptions(b.FetchMeterList, activity.RegisterOptions{Name: workflows.ActivityFetchMeterList})
	w.RegisterActivityWithOptions(b.CloseWindow, activity.RegisterOptions{Name: workflows.ActivityCloseWindow})
}

// windowLease is one activity's hold on a window: claimed, locked, followed by a run.
type windowLease struct {
	*browser.Window
	utility *utilities.Utility
	run     *flow.Run
	log     *zap.Logger
	end     []func()
}

// originsFor are the origins for a request. A test never gets those of real sites.
func (b *BrowserActivities) originsFor(r meterkey.Request) (utilities.Origins, error) {
	switch {
	case !r.Test:
		return b.Origins, nil
	case len(b.Practice) == 0:
		return nil, temporal.NewNonRetryableApplicationError("this worker knows no practice sites: set MK_PRACTICE_ORIGINS", workflows.ErrTypeMisconfigured, nil)
	}
	return b.Practice, nil
}

// utility finds a utility by its id.
func (b *BrowserActivities) utility(id string) (*utilities.Utility, error) {
	u, err := b.Utilities.Find(id)
	if err != nil {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), workflows.ErrTypeUnknownUtility, nil)
	}
	return u, nil
}

// lease claims and locks a window and starts following the utility's flow in it. Call leave when done.
func (b *BrowserActivities) lease(ctx context.Context, t workflows.Task, w *browser.Window, u *utilities.Utility) (*windowLease, error) {
	origins, err := b.originsFor(t.Request)
	if err != nil {
		return nil, err
	}
	release := w.Claim()
	unlock, err := w.Lock(ctx)
	if err != nil {
		release()
		return nil, fmt.Errorf("locking the window: %w", err)
	}
	log := b.logger(t)
	run := flow.New(u, w.Page, flow.Options{Origins: origins, Log: log, BeginOnce: w.BeginOnce})
	return &windowLease{Window: w, utility: u, run: run, log: log, end: []func(){run.Close, unlock, release}}, nil
}

func (l *windowLease) leave() {
	for _, f := range l.end {
		f()
	}
}

// inWindow works in the window of the task. A window that is gone is an answer, not an error: no retry can mend it.
func (b *BrowserActivities) inWindow(ctx context.Context, t workflows.Task, work func(*windowLease) (workflows.PageResult, error)) (workflows.PageResult, error) {
	f, err := b.leased(ctx, t, work)
	if gone(err) {
		b.logger(t).Warn("window lost", zap.String("window", t.Progress.Window.ID), zap.Error(err))
		f = stopped(meterkey.WindowLost)
		f.Window = t.Progress.Window
		return f, nil
	}
	return f, err
}

func (b *BrowserActivities) leased(ctx context.Context, t workflows.Task, work func(*windowLease) (workflows.PageResult, error)) (workflows.PageResult, error) {
	u, err := b.utility(t.Utility())
	if err != nil {
		return workflows.PageResult{}, err
	}
	w, err := b.Host.Window(ctx, t.Progress.Window.ID)
	if err != nil {
		return workflows.PageResult{}, fmt.Errorf("finding the window: %w", err)
	}
	l, err := b.lease(ctx, t, w, u)
	if err != nil {
		return workflows.PageResult{}, err
	}
	defer l.leave()
	return work(l)
}

func (b *BrowserActivities) logger(t workflows.Task) *zap.Logger {
	return b.Log.With(zap.String("request_id", t.Request.RequestID), zap.String("utility", t.Utility()))
}

// ref names a window to the workflow, with its end by Temporal's clock.
func (b *BrowserActivities) ref(w *browser.Window) workflows.Window {
	return workflows.Window{Host: b.Host.ID(), ID: w.ID(), ExpiresAt: b.Now().Add(w.Remaining()).UTC()}
}

// CloseWindow closes a window. One that is gone already is closed.
func (b *BrowserActivities) CloseWindow(ctx context.Context, in workflows.CloseWindowInput) error {
	return wrap("closing the window", b.Host.CloseWindow(ctx, in.Window.ID))
}

// beat heartbeats until stopped, from a goroutine of its own, since a browser call may hang.
func beat(ctx context.Context, details ...any) (stop func()) {
	activity.RecordHeartbeat(ctx, details...)
	return keepBeating(ctx, details...)
}

// keepBeating heartbeats a little later and from then on.
func keepBeating(ctx context.Context, details ...any) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(heartbeatInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, details...)
			}
		}
	}()
	return func() { close(done) }
}

// canceled tells that the workflow called the activity off, as opposed to a worker that stops.
func canceled(ctx context.Context) bool {
	return ctx.Err() != nil && temporal.IsCanceledError(context.Cause(ctx))
}

// gone tells that the window is no more, so that no retry can find it.
func gone(err error) bool {
	for _, sign := range []error{browser.ErrWindowLost, browser.ErrTabClosed, browser.ErrTabCrashed, browser.ErrTabHung, flow.ErrPageGone} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
