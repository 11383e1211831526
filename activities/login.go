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

// stepLogin is begun before the password is typed.
const stepLogin = "login"

// Login opens a window, signs in and tells what the site showed. The window's id is in the heartbeat before anything is
// typed; a retry finds the window and reads its page instead of starting over.
func (s *Site) Login(ctx context.Context, in workflows.LoginInput) (workflows.Found, error) {
	u, err := s.Utilities.Find(in.Utility)
	if err != nil {
		return stopped(meterkey.UnknownUtility), nil
	}
	if _, err := s.originsFor(in.Test); err != nil { // before a window is opened for nothing
		return workflows.Found{}, err
	}
	login, err := s.Identity.OpenCredentials(in.Credentials)
	if err != nil {
		s.logger(in.RequestID, u.ID).Warn("login cannot be opened", zap.Error(err))
		return stopped(meterkey.Unreadable), nil
	}
	at, elsewhere := s.left(ctx, in)
	if elsewhere {
		return workflows.Found{Outcome: workflows.OutcomeElsewhere, Window: at}, nil
	}
	// A slow browser must not look like a dead worker. The first heartbeat should be the one that names the window,
	// though: it goes out at once, later ones do not.
	stop := keepBeating(ctx)
	w, found, err := s.loginWindow(ctx, in, at, u)
	stop()
	if w == nil {
		return found, err
	}
	defer w.leave()
	return s.signIn(ctx, w, login)
}

// left is the window that an earlier attempt noted, and whether another host holds it.
func (s *Site) left(ctx context.Context, in workflows.LoginInput) (at *workflows.Window, elsewhere bool) {
	if in.Window != nil {
		return in.Window, false
	}
	var noted workflows.Window
	if !activity.HasHeartbeatDetails(ctx) || activity.GetHeartbeatDetails(ctx, &noted) != nil || noted.ID == "" {
		return nil, false
	}
	return &noted, noted.Host != s.Host.ID()
}

// loginWindow returns the window to sign in with: the one that was left, or a new one. No window: what to answer.
func (s *Site) loginWindow(ctx context.Context, in workflows.LoginInput, at *workflows.Window, u *utilities.Utility) (*work, workflows.Found, error) {
	w, err := s.findOrOpen(ctx, owner(ctx, in), at, u.WindowLifetime)
	if gone(err) {
		f := stopped(meterkey.WindowLost)
		f.Window = at
		return nil, f, nil
	}
	if err != nil {
		return nil, workflows.Found{}, err
	}
	entered, err := s.enter(ctx, w, u, in.Test, s.logger(in.RequestID, u.ID))
	if err != nil {
		return nil, workflows.Found{}, err
	}
	if in.Window == nil {
		entered.end = append([]func(){s.Host.UseReservation()}, entered.end...)
	}
	// The id first: from here on no attempt starts over without having looked.
	entered.end = append([]func(){beat(ctx, s.ref(w))}, entered.end...)
	return entered, workflows.Found{}, nil
}

func (s *Site) findOrOpen(ctx context.Context, owner string, at *workflows.Window, lifetime time.Duration) (*browser.Window, error) {
	if at != nil {
		w, err := s.Host.Window(ctx, at.ID)
		if err != nil {
			return nil, fmt.Errorf("finding the window: %w", err)
		}
		return w, nil
	}
	w, err := s.Host.WindowOf(ctx, owner)
	if err == nil || !errors.Is(err, browser.ErrWindowLost) {
		return w, err
	}
	w, err = s.Host.OpenWindow(ctx, owner, time.Now().Add(lifetime))
	if err != nil {
		return nil, fmt.Errorf("opening a window: %w", err)
	}
	return w, nil
}

// owner names a sign-in, so that a retry on the same host finds its window even when no heartbeat got through.
func owner(ctx context.Context, in workflows.LoginInput) string {
	return fmt.Sprintf("%s/%s/%d", in.RequestID, activity.GetInfo(ctx).WorkflowExecution.RunID, in.Attempt)
}

func (s *Site) ref(w *browser.Window) workflows.Window {
	return workflows.Window{Host: s.Host.ID(), ID: w.ID(), ExpiresAt: w.Expires().UTC()}
}

// signIn types the login, unless an earlier attempt did; then it reads what came of that.
func (s *Site) signIn(ctx context.Context, w *work, login meterkey.Credentials) (workflows.Found, error) {
	var seen flow.Observation
	var err error
	typedBefore := w.Begun(stepLogin)
	if typedBefore {
		seen, err = w.run.Look(ctx)
	} else {
		seen, err = w.run.SignIn(ctx, login)
	}
	if err != nil {
		return s.loginFailed(ctx, w, err)
	}
	if typedBefore && seen.Page == utilities.LoginForm {
		// Typed, but nobody knows whether it was sent: it must not be typed again without the customer.
		return s.lost(w), nil
	}
	seen.Typed = seen.Typed || typedBefore
	return s.report(ctx, w, seen)
}

func (s *Site) loginFailed(ctx context.Context, w *work, err error) (workflows.Found, error) {
	if canceled(ctx) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if closeErr := w.Close(bounded); closeErr != nil {
			w.log.Warn("window left to the sweeper", zap.Error(closeErr))
		}
		return workflows.Found{}, ctx.Err()
	}
	if gone(err) {
		w.log.Warn("window lost while signing in", zap.Error(err))
		return s.lost(w), nil
	}
	return workflows.Found{}, fmt.Errorf("signing in: %w", err)
}

// lost answers that the window is no more; it still names the window, so that what is left of it gets closed.
func (s *Site) lost(w *work) workflows.Found {
	f := stopped(meterkey.WindowLost)
	at := s.ref(w.Window)
	f.Window, f.Typed = &at, true
	return f
}
