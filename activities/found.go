package activities

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// stops says why a request cannot go on from a page. Pages that are not in it have answers of their own.
var stops = map[utilities.PageKind]meterkey.Reason{
	utilities.RejectedLogin:          meterkey.InvalidCredentials,
	utilities.Locked:                 meterkey.AccountLocked,
	utilities.Captcha:                meterkey.Captcha,
	utilities.PasswordExpired:        meterkey.PasswordExpired,
	utilities.RegistrationUnfinished: meterkey.RegistrationUnfinished,
	utilities.SessionEnded:           meterkey.SessionEnded,
	utilities.Unavailable:            meterkey.UtilityUnavailable,
}

func stopped(r meterkey.Reason) workflows.Found {
	return workflows.Found{Outcome: workflows.OutcomeStopped, Reason: r}
}

// report tells the workflow what the page turned out to be, and leaves a page that waits parked.
func (s *Site) report(ctx context.Context, w *work, seen flow.Observation) (workflows.Found, error) {
	f := s.found(w, seen)
	f.Typed = seen.Typed
	if f.Outcome == workflows.OutcomeChallenge || f.Outcome == workflows.OutcomeCodeRejected {
		if err := s.park(ctx, w); err != nil {
			return workflows.Found{}, err
		}
	}
	if f.Outcome == workflows.OutcomeSignedIn {
		if err := w.ExpireAt(time.Now().Add(w.utility.WindowLifetime)); err != nil {
			// A code typed at the last moment leaves no time to read the meters in.
			return workflows.Found{}, fmt.Errorf("setting the window's end: %w", err)
		}
	}
	at := s.ref(w.Window)
	f.Window = &at
	w.log.Info("page seen", zap.String("page", string(seen.Page)), zap.String("outcome", string(f.Outcome)),
		zap.String("reason", string(f.Reason)), zap.String("window", at.ID), zap.String("evidence", f.Evidence))
	return f, nil
}

func (s *Site) found(w *work, seen flow.Observation) workflows.Found {
	switch seen.Page {
	case utilities.SignedIn:
		return workflows.Found{Outcome: workflows.OutcomeSignedIn}
	case utilities.CodeForm, utilities.QuestionForm, utilities.ChoiceForm:
		if w.utility.MFA.Policy == utilities.TurnOff {
			return stopped(meterkey.MFAUnsupported)
		}
		return workflows.Found{Outcome: workflows.OutcomeChallenge, Challenge: seen.Challenge}
	case utilities.RejectedCode:
		return workflows.Found{Outcome: workflows.OutcomeCodeRejected, Challenge: seen.Challenge}
	}
	if reason, known := stops[seen.Page]; known {
		return stopped(reason)
	}
	f := stopped(meterkey.SiteChanged)
	f.Evidence = s.keep(w, seen.Evidence)
	return f
}

// keep stores evidence; an operator can do without it, the request cannot wait for it.
func (s *Site) keep(w *work, e *flow.Evidence) string {
	if e == nil {
		return ""
	}
	name, err := s.Evidence.Save(w.utility.ID, *e)
	if err != nil {
		w.log.Warn("evidence not stored", zap.Error(err))
	}
	return name
}

// park prepares the window for a long wait. Its life is counted from the first challenge on, so that the customer has
// all of it.
func (s *Site) park(ctx context.Context, w *work) error {
	const step = "challenge"
	if !w.Begun(step) {
		if err := w.ExpireAt(time.Now().Add(w.utility.WindowLifetime)); err != nil {
			return fmt.Errorf("setting the window's end: %w", err)
		}
		if err := w.BeginOnce(step); err != nil {
			return fmt.Errorf("noting the challenge: %w", err)
		}
	}
	if err := w.Park(ctx); err != nil {
		// An unparked window costs processor time, no more.
		w.log.Warn("window not parked", zap.Error(err))
	}
	return nil
}
