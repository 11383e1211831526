package flow

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// afterLogin: a login form that comes back without a known message, or that stays although the site has answered, means that the site
// did not take the login; an old message that stays means that the site repeats it.
var afterLogin = whenQuiet{
	fresh: meanings{utilities.LoginForm: utilities.RejectedLogin},
	stale: meanings{utilities.RejectedLogin: utilities.RejectedLogin},
	late:  meanings{utilities.LoginForm: utilities.RejectedLogin},
}

// SignIn opens the login page, types the login and returns the first page it recognises after. A site that is down is a page too
// (unavailable), and Typed tells whether the password went in before; errors are our own faults only.
func (r *Run) SignIn(ctx context.Context, c meterkey.Credentials) (Observation, error) {
	defer r.hiding(c.Username, c.Password)()
	if err := r.submitLogin(ctx, c); err != nil {
		return stoppedAt(err)
	}
	r.log.Info("login submitted")
	return r.await(ctx, r.flow.RenderWait, afterLogin)
}

func (r *Run) submitLogin(ctx context.Context, c meterkey.Credentials) error {
	if err := r.openLoginPage(ctx); err != nil {
		return err
	}
	for _, step := range r.flow.SignIn.Steps {
		if err := r.signInStep(ctx, step, c); err != nil {
			return err
		}
	}
	return nil
}

// messages are the pages that a site may also speak of where they do not apply, as in help for those who are locked out.
var messages = []utilities.PageKind{
	utilities.Locked, utilities.PasswordExpired, utilities.RegistrationUnfinished, utilities.RejectedLogin, utilities.RejectedCode,
	utilities.SessionEnded,
}

// openLoginPage opens the login page. What it says before anything was typed is no message about this login, then or later.
func (r *Run) openLoginPage(ctx context.Context) error {
	r.fromStart, r.excluded = nil, messages
	if err := r.open(ctx, r.flow.SignIn.Open); err != nil {
		return err
	}
	if _, err := r.reach(ctx, r.flow.SignIn.Steps[0].Target(), utilities.LoginForm); err != nil {
		return err
	}
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return err
	}
	for _, kind := range messages {
		if r.flow.holds(kind, s, false) {
			r.fromStart = append(r.fromStart, kind)
		}
	}
	r.excluded = []utilities.PageKind{utilities.RejectedCode}
	return nil
}

// signInStep types or presses one thing.
func (r *Run) signInStep(ctx context.Context, step utilities.Step, c meterkey.Credentials) error {
	if step.Type == "" {
		if err := r.takeBaseline(ctx); err != nil {
			return err
		}
		return r.pressTarget(ctx, step.Press, utilities.LoginForm)
	}
	at, err := r.reach(ctx, step.Into, utilities.LoginForm)
	if err != nil {
		return err
	}
	text := c.Username
	if step.Type == "password" {
		if err := r.beginOnce("login"); err != nil {
			return fmt.Errorf("before typing the password: %w", err)
		}
		r.typed, text = true, c.Password
	}
	if err := r.typeText(ctx, at, text); err != nil {
		return r.wrap("typing the "+step.Type, err)
	}
	r.log.Debug("typed", zap.String("what", step.Type), zap.String("field", at.CSS))
	return nil
}

// Look reads the page as it stands. It dismisses nags and does nothing else.
func (r *Run) Look(ctx context.Context) (Observation, error) {
	r.baseline, r.excluded, r.fromStart = baseline{}, nil, nil
	return r.await(ctx, r.flow.Settle, whenQuiet{})
}

// Glance is one cheap look, for watching a window that waits: code_form, question_form or choice_form while the challenge stands,
// session_ended when the site ended the session or showed its login form again.
func (r *Run) Glance(ctx context.Context) (utilities.PageKind, error) {
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return utilities.Unknown, err
	}
	for i := range r.flow.Nags {
		s.dismissed = append(s.dismissed, &r.flow.Nags[i])
	}
	kind := r.flow.recognise(s)
	if kind == utilities.LoginForm {
		return utilities.SessionEnded, nil
	}
	return kind, nil
}
