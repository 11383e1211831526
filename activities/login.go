package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// stepLogin is begun before a password is typed.
const stepLogin = "login"

// Login opens a window, signs in and tells what the site showed. The window's id is in the heartbeat before anything is
// typed; a retry finds the window and reads its page instead of starting over.
func (b *BrowserActivities) Login(ctx context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
	u, err := b.utility(in.Utility())
	if err != nil {
		return workflows.PageResult{}, err
	}
	if _, err := b.originsFor(in.Request); err != nil { // before a window is opened for nothing
		return workflows.PageResult{}, err
	}
	return b.recording(ctx, in.Task, func() (workflows.PageResult, error) { return b.login(ctx, in, u) })
}

func (b *BrowserActivities) login(ctx context.Context, in workflows.LoginInput, u *utilities.Utility) (workflows.PageResult, error) {
	login, err := b.Identity.OpenCredentials(in.Credentials)
	if err != nil {
		b.logger(in.Task).Warn("login cannot be opened", zap.Error(err))
		return stopped(meterkey.Unreadable), nil
	}
	at, elsewhere := b.left(ctx, in)
	if elsewhere {
		return workflows.PageResult{Outcome: workflows.OutcomeElsewhere, Window: at}, nil
	}
	// A slow browser must not look like a dead worker. The first heartbeat should be the one that names the window,
	// though: it goes out at once, later ones do not.
	stop := keepBeating(ctx)
	l, found, err := b.loginWindow(ctx, in, at, u)
	stop()
	if l == nil {
		return found, err
	}
	defer l.leave()
	return b.signIn(ctx, l, login)
}

// left is the window that an earlier attempt noted, and whether another host holds it.
func (b *BrowserActivities) left(ctx context.Context, in workflows.LoginInput) (at *workflows.Window, elsewhere bool) {
	if in.Window != nil {
		return in.Window, false
	}
	var noted workflows.Window
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &noted) != nil || noted.ID == "" {
		return nil, false
	}
	return &noted, noted.Host != b.Host.ID()
}

// loginWindow returns the window to sign in with: the one that was left, or a new one. No window: what to answer.
func (b *BrowserActivities) loginWindow(ctx context.Context, in workflows.LoginInput, at *workflows.Window, u *utilities.Utility) (*windowLease, workflows.PageResult, error) {
	w, err := b.findOrOpen(ctx, owner(ctx, in), at, u.WindowLifetime)
	if gone(err) {
		f := stopped(meterkey.WindowLost)
		f.Window = at
		return nil, f, nil
	}
	if err != nil {
		return nil, workflows.PageResult{}, err
	}
	l, err := b.lease(ctx, in.Task, w, u)
	if err != nil {
		return nil, workflows.PageResult{}, err
	}
	if in.Window == nil {
		l.end = append([]func(){b.Host.UseReservation()}, l.end...)
	}
	// The id first: from here on no attempt starts over without having looked.
	l.end = append([]func(){beat(ctx, b.ref(w))}, l.end...)
	return l, workflows.PageResult{}, nil
}

func (b *BrowserActivities) findOrOpen(ctx context.Context, owner string, at *workflows.Window, lifetime time.Duration) (*browser.Window, error) {
	if at != nil {
		w, err := b.Host.Window(ctx, at.ID)
		return w, wrap("finding the window", err)
	}
	w, err := b.Host.WindowOf(ctx, owner)
	if err == nil || !errors.Is(err, browser.ErrWindowLost) {
		return w, err
	}
	w, err = b.Host.OpenWindow(ctx, owner, lifetime)
	return w, wrap("opening a window", err)
}

// owner names a sign-in, so that a retry on the same host finds its window even when no heartbeat got through.
func owner(ctx context.Context, in workflows.LoginInput) string {
	return fmt.Sprintf("%s/%s/%d", in.Request.RequestID, activity.GetInfo(ctx).WorkflowExecution.RunID, in.Progress.SignIns)
}

// signIn types the login, unless an earlier attempt did; then it reads what came of that.
func (b *BrowserActivities) signIn(ctx context.Context, l *windowLease, login meterkey.Credentials) (workflows.PageResult, error) {
	var seen flow.Observation
	var err error
	typedBefore := l.Begun(stepLogin)
	if typedBefore {
		seen, err = l.run.Look(ctx)
	} else {
		seen, err = l.run.SignIn(ctx, login)
	}
	if err != nil {
		return b.loginFailed(ctx, l, err)
	}
	if typedBefore && seen.Page == utilities.LoginForm {
		// Typed, but nobody knows whether it was sent: it must not be typed again without the customer.
		return b.lost(l), nil
	}
	seen.Typed = seen.Typed || typedBefore
	return b.report(ctx, l, seen)
}

func (b *BrowserActivities) loginFailed(ctx context.Context, l *windowLease, err error) (workflows.PageResult, error) {
	if canceled(ctx) {
		b.close(ctx, l.Window)
		return workflows.PageResult{}, ctx.Err()
	}
	if gone(err) {
		l.log.Warn("window lost while signing in", zap.Error(err))
		return b.lost(l), nil
	}
	return workflows.PageResult{}, fmt.Errorf("signing in: %w", err)
}

// close closes a window that nobody needs any more, also after the activity was canceled.
func (b *BrowserActivities) close(ctx context.Context, w *browser.Window) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := w.Close(bounded); err != nil {
		b.Log.Warn("window left to the sweeper", zap.String("window", w.ID()), zap.Error(err))
	}
}

// lost answers that the window is no more; it still names the window, so that what is left of it gets closed.
func (b *BrowserActivities) lost(l *windowLease) workflows.PageResult {
	f := stopped(meterkey.WindowLost)
	at := b.ref(l.Window)
	f.Window, f.Typed = &at, true
	return f
}
