package utilities

import (
	"context"
	"fmt"

	"go.uber.org/zap"
)

// afterLogin: a login form that comes back without a known message, or that stays although the site has answered, means that the site
// did not take the login; an old message that stays means that the site repeats it.
var afterLogin = doubts{
	fresh: map[PageKind]PageKind{LoginForm: RejectedLogin},
	stale: map[PageKind]PageKind{RejectedLogin: RejectedLogin},
	late:  map[PageKind]PageKind{LoginForm: RejectedLogin},
}

// SignIn opens the login page, types the login and returns the first page it recognises after. A site that is down is a Sight
// (unavailable), and Typed tells whether the password went in before; errors are our own faults only.
func (v *Visit) SignIn(ctx context.Context, c Credentials) (Sight, error) {
	defer v.keeping(c.Username, c.Password)()
	if sight, err := v.loginPage(ctx); err != nil || sight != nil {
		return orNone(sight), err
	}
	for _, step := range v.flow.SignIn.Steps {
		if sight, err := v.signInStep(ctx, step, c); err != nil || sight != nil {
			return orNone(sight), err
		}
	}
	v.log.Info("login submitted")
	return v.await(ctx, v.flow.RenderWait, afterLogin)
}

// messages are the pages that a site may also speak of where they do not apply, as in help for those who are locked out.
var messages = []PageKind{Locked, PasswordExpired, RegistrationUnfinished, RejectedLogin, RejectedCode, SessionEnded}

// loginPage opens the login page. What it says before anything was typed is no message about this login, then or later.
func (v *Visit) loginPage(ctx context.Context) (*Sight, error) {
	v.static, v.beside = nil, messages
	kind, err := v.open(ctx, v.flow.SignIn.Open)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		return &Sight{Page: kind}, nil
	}
	_, sight, err := v.reach(ctx, v.flow.SignIn.Steps[0].target(), LoginForm)
	if err != nil || sight != nil {
		return sight, err
	}
	s, err := v.lookSoon(ctx)
	if err != nil {
		return nil, v.fault("looking at the login page", err)
	}
	for _, kind := range messages {
		if v.flow.holds(kind, s, false) {
			v.static = append(v.static, kind)
		}
	}
	v.beside = []PageKind{RejectedCode}
	return nil, nil
}

func orNone(sight *Sight) Sight {
	if sight == nil {
		return Sight{}
	}
	return *sight
}

// signInStep types or presses one thing, or tells what page stands in its way.
func (v *Visit) signInStep(ctx context.Context, step Step, c Credentials) (*Sight, error) {
	if step.Type == "" {
		if err := v.begin(ctx); err != nil {
			return nil, err
		}
		return v.pressTarget(ctx, step.Press, LoginForm)
	}
	spot, sight, err := v.reach(ctx, step.Into, LoginForm)
	if err != nil || sight != nil {
		return sight, err
	}
	text := c.Username
	if step.Type == "password" {
		if err := v.once("login"); err != nil {
			return nil, fmt.Errorf("before typing the password: %w", err)
		}
		v.typed, text = true, c.Password
	}
	if err := v.keys(ctx, spot, text); err != nil {
		return nil, v.fault("typing the "+step.Type, err)
	}
	v.log.Debug("typed", zap.String("what", step.Type), zap.String("field", spot.CSS))
	return nil, nil
}

// Look reads the page as it stands. It dismisses nags and does nothing else.
func (v *Visit) Look(ctx context.Context) (Sight, error) {
	v.before, v.beside, v.static = before{}, nil, nil
	return v.await(ctx, v.flow.Settle, doubts{})
}

// Glance is one cheap look, for watching a window that waits: code_form, question_form or choice_form while the challenge stands,
// session_ended when the site ended the session or showed its login form again.
func (v *Visit) Glance(ctx context.Context) (PageKind, error) {
	s, err := v.lookSoon(ctx)
	if err != nil {
		return Unknown, v.fault("looking at the page", err)
	}
	for i := range v.flow.Nags {
		s.Dismissed = append(s.Dismissed, &v.flow.Nags[i])
	}
	kind := recognise(v.flow, s)
	if kind == LoginForm {
		return SessionEnded, nil
	}
	return kind, nil
}
