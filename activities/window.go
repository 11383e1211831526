package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// HoldWindow watches a window while the customer is thinking, so that its end is known at once. It returns why the
// window ended; being canceled, or the worker's stop, leaves the window as it is.
func (s *Site) HoldWindow(ctx context.Context, in workflows.WindowInput) (workflows.Found, error) {
	defer beat(ctx)()
	log := s.logger(in.RequestID, in.Utility)
	u, err := s.Utilities.Find(in.Utility)
	if err != nil {
		return stopped(meterkey.UnknownUtility), nil
	}
	w, err := s.Host.Window(ctx, in.Window.ID)
	if err != nil {
		return windowFailed(log, in.Window, fmt.Errorf("finding the window: %w", err))
	}
	origins, err := s.originsFor(in.Test)
	if err != nil {
		return workflows.Found{}, err
	}
	defer w.Claim()()
	run := flow.New(u, w.Page, flow.Options{Origins: origins, Log: log})
	defer run.Close()
	reason, err := watch(ctx, w, run)
	if err == nil {
		log.Info("window ended", zap.String("window", w.ID()), zap.String("reason", string(reason)), zap.Error(w.Err()))
	}
	return stopped(reason), err
}

// watch returns why the window ended, or ctx's error.
func watch(ctx context.Context, w *browser.Window, run *flow.Run) (meterkey.Reason, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("holding the window: %w", ctx.Err())
		case <-w.Done():
			return meterkey.WindowLost, nil
		case <-ticker.C:
			if reason := glance(ctx, w, run); reason != "" {
				return reason, nil
			}
		}
	}
}

// glance looks at the window unless another activity works in it. A look that fails says nothing yet: only the
// window's own check tells whether it is gone.
func glance(ctx context.Context, w *browser.Window, run *flow.Run) meterkey.Reason {
	unlock, free := w.TryLock()
	if !free {
		return ""
	}
	defer unlock()
	page, err := run.Glance(ctx)
	switch {
	case err == nil && page == utilities.SessionEnded:
		return meterkey.SessionEnded
	case err != nil && ctx.Err() == nil && gone(w.Check(ctx)):
		return meterkey.WindowLost
	}
	return ""
}

// SubmitCode types the customer's answer: a code, a security answer or a chosen option. What it types, it types once;
// a retry reads what came of it.
func (s *Site) SubmitCode(ctx context.Context, in workflows.SubmitCodeInput) (workflows.Found, error) {
	defer beat(ctx)()
	answer, err := s.Identity.Open(in.Code)
	if err != nil {
		s.logger(in.RequestID, in.Utility).Warn("code cannot be opened", zap.Error(err))
		return stopped(meterkey.Unreadable), nil
	}
	w, err := s.open(ctx, workflows.WindowInput{RequestID: in.RequestID, Utility: in.Utility, Test: in.Test, Window: in.Window})
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	defer w.leave()
	step := "answer " + in.ChallengeID
	if w.Begun(step) {
		return s.readAnswered(ctx, w, in)
	}
	seen, err := s.answer(ctx, w, in.Kind, string(answer), step)
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	return s.reportAnswered(ctx, w, in, seen)
}

func (s *Site) answer(ctx context.Context, w *work, kind meterkey.ChallengeKind, answer, step string) (flow.Observation, error) {
	if err := w.Unpark(ctx); err != nil {
		return flow.Observation{}, fmt.Errorf("waking the window: %w", err)
	}
	if kind != meterkey.MethodChoice {
		seen, err := w.run.SubmitCode(ctx, answer, step)
		return seen, wrap("submitting the code", err)
	}
	if err := w.BeginOnce(step); err != nil {
		return flow.Observation{}, fmt.Errorf("noting the choice: %w", err)
	}
	seen, err := w.run.Choose(ctx, answer)
	return seen, wrap("choosing the method", err)
}

// readAnswered is the retry after an interruption: the code was typed, perhaps sent.
func (s *Site) readAnswered(ctx context.Context, w *work, in workflows.SubmitCodeInput) (workflows.Found, error) {
	seen, err := w.run.Look(ctx)
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	if in.Kind != meterkey.MethodChoice && (seen.Page == utilities.CodeForm || seen.Page == utilities.QuestionForm) {
		if err := s.park(ctx, w); err != nil {
			return workflows.Found{}, err
		}
		// Nobody knows whether it was sent, and a second time is not ours to decide: the customer types it again.
		f := stopped(meterkey.Unreadable)
		f.Challenge, f.Window = seen.Challenge, &in.Window
		return f, nil
	}
	return s.reportAnswered(ctx, w, in, seen)
}

func (s *Site) reportAnswered(ctx context.Context, w *work, in workflows.SubmitCodeInput, seen flow.Observation) (workflows.Found, error) {
	if seen.Page == utilities.LoginForm {
		seen.Page = utilities.SessionEnded
	}
	if in.Kind != meterkey.MethodChoice && in.Kind == kindOf(seen) && seen.Page != utilities.RejectedCode {
		seen.Page = utilities.RejectedCode // the same form again, without a word: the site did not take it
	}
	return s.report(ctx, w, seen)
}

func kindOf(seen flow.Observation) meterkey.ChallengeKind {
	if seen.Challenge == nil {
		return ""
	}
	return seen.Challenge.Kind
}

// ResendCode presses the site's "send again", once for each challenge.
func (s *Site) ResendCode(ctx context.Context, in workflows.WindowInput) (workflows.Found, error) {
	defer beat(ctx)()
	w, err := s.open(ctx, in)
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	defer w.leave()
	act := w.run.Look
	if w.BeginOnce("resend "+in.ChallengeID) == nil {
		act = w.run.ResendCode
	}
	seen, err := act(ctx)
	if errors.Is(err, flow.ErrNotOffered) {
		seen, err = w.run.Look(ctx)
	}
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	return s.report(ctx, w, seen)
}

// FetchMeterList reads the meter list, all accounts and pages of it.
func (s *Site) FetchMeterList(ctx context.Context, in workflows.WindowInput) (workflows.Found, error) {
	defer beat(ctx)()
	w, err := s.open(ctx, in)
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	defer w.leave()
	meters, seen, err := w.run.Meters(ctx)
	if err != nil {
		return windowFailed(s.logger(in.RequestID, in.Utility), in.Window, err)
	}
	if seen.Page == utilities.LoginForm {
		seen.Page = utilities.SessionEnded
	}
	f, err := s.report(ctx, w, seen)
	f.Meters = meters
	return f, err
}

// CloseWindow closes a window. One that is gone already is closed.
func (s *Site) CloseWindow(ctx context.Context, in workflows.WindowInput) error {
	return wrap("closing the window", s.Host.CloseWindow(ctx, in.Window.ID))
}

// windowFailed answers with a lost window where no retry can mend the error.
func windowFailed(log *zap.Logger, at workflows.Window, err error) (workflows.Found, error) {
	if !gone(err) {
		return workflows.Found{}, err
	}
	log.Warn("window lost", zap.String("window", at.ID), zap.Error(err))
	f := stopped(meterkey.WindowLost)
	f.Window = &at
	return f, nil
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
