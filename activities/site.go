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

	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// beatEvery is well within the heartbeat time-out that the workflow sets.
	beatEvery = 2 * time.Second
	// lookEvery is how often a waiting window is looked at. A crashed or closed tab is noticed at once, without it.
	lookEvery = 2 * time.Second
	// closing bounds the closing of a window after its activity was canceled.
	closing = 10 * time.Second
)

// Site works in the windows of one browser host.
type Site struct {
	Host      *browser.Host
	Utilities *utilities.Catalog
	Origins   utilities.Origins
	// Practice are the origins for requests that are tests; none: there are no practice sites to run them at.
	Practice utilities.Origins
	Identity *sealed.Identity
	Evidence Evidence
	Log      *zap.Logger
}

// RegisterLogin registers what the sign-in task queue serves.
func (s *Site) RegisterLogin(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(s.Login, activity.RegisterOptions{Name: workflows.ActivityLogin})
}

// RegisterWindows registers what the host's own task queue serves: all that works in a window that is open already, and
// Login where it reads what an interrupted attempt left.
func (s *Site) RegisterWindows(w worker.ActivityRegistry) {
	s.RegisterLogin(w)
	w.RegisterActivityWithOptions(s.HoldWindow, activity.RegisterOptions{Name: workflows.ActivityHoldWindow})
	w.RegisterActivityWithOptions(s.SubmitCode, activity.RegisterOptions{Name: workflows.ActivitySubmitCode})
	w.RegisterActivityWithOptions(s.ResendCode, activity.RegisterOptions{Name: workflows.ActivityResendCode})
	w.RegisterActivityWithOptions(s.FetchMeterList, activity.RegisterOptions{Name: workflows.ActivityFetchMeterList})
	w.RegisterActivityWithOptions(s.CloseWindow, activity.RegisterOptions{Name: workflows.ActivityCloseWindow})
}

// work is one activity's hold on a window: claimed, locked, followed by a run.
type work struct {
	*browser.Window
	utility *utilities.Utility
	run     *flow.Run
	log     *zap.Logger
	end     []func()
}

// ErrTypeNoPractice is the type of the application error that says that a test request met a worker without practice sites.
const ErrTypeNoPractice = "no_practice_sites"

// originsFor are the origins for a request. A test never gets those of real sites.
func (s *Site) originsFor(test bool) (utilities.Origins, error) {
	switch {
	case !test:
		return s.Origins, nil
	case len(s.Practice) == 0:
		return nil, temporal.NewNonRetryableApplicationError("this worker knows no practice sites: set MK_PRACTICE_ORIGINS", ErrTypeNoPractice, nil)
	}
	return s.Practice, nil
}

// enter claims and locks a window and starts following the utility's flow in it. Call leave when done.
func (s *Site) enter(ctx context.Context, w *browser.Window, u *utilities.Utility, test bool, log *zap.Logger) (*work, error) {
	origins, err := s.originsFor(test)
	if err != nil {
		return nil, err
	}
	release := w.Claim()
	unlock, err := w.Lock(ctx)
	if err != nil {
		release()
		return nil, fmt.Errorf("locking the window: %w", err)
	}
	run := flow.New(u, w.Page, flow.Options{Origins: origins, Log: log, BeginOnce: w.BeginOnce})
	return &work{Window: w, utility: u, run: run, log: log, end: []func(){run.Close, unlock, release}}, nil
}

func (w *work) leave() {
	for _, f := range w.end {
		f()
	}
}

// open finds the window of an activity that works in one, and enters it.
func (s *Site) open(ctx context.Context, in workflows.WindowInput) (*work, error) {
	u, err := s.Utilities.Find(in.Utility)
	if err != nil {
		return nil, fmt.Errorf("finding the utility: %w", err)
	}
	w, err := s.Host.Window(ctx, in.Window.ID)
	if err != nil {
		return nil, fmt.Errorf("finding the window: %w", err)
	}
	return s.enter(ctx, w, u, in.Test, s.logger(in.RequestID, u.ID))
}

func (s *Site) logger(requestID, utility string) *zap.Logger {
	return s.Log.With(zap.String("request_id", requestID), zap.String("utility", utility))
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
		ticker := time.NewTicker(beatEvery)
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
