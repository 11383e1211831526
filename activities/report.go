package activities

import (
	"context"
	"fmt"

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

func stopped(r meterkey.Reason) workflows.PageResult {
	return workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: r}
}

// report tells the workflow what the page turned out to be, and leaves a page that waits parked.
func (b *BrowserActivities) report(ctx context.Context, l *windowLease, seen flow.Observation) (workflows.PageResult, error) {
	f := b.found(l, seen)
	f.Typed = seen.Typed
	if f.Outcome == workflows.OutcomeChallenge || f.Outcome == workflows.OutcomeCodeRejected {
		if err := b.park(ctx, l); err != nil {
			return workflows.PageResult{}, err
		}
	}
	if f.Outcome == workflows.OutcomeSignedIn {
		if err := l.ExpireIn(l.utility.WindowLifetime); err != nil {
			// A code typed at the last moment leaves no time to read the meters in.
			return workflows.PageResult{}, fmt.Errorf("setting the window's end: %w", err)
		}
	}
	at := b.ref(l.Window)
	f.Window = &at
	l.log.Info("page seen", zap.String("page", string(seen.Page)), zap.String("outcome", string(f.Outcome)),
		zap.String("reason", string(f.Reason)), zap.String("window", at.ID), zap.String("evidence", f.Evidence))
	return f, nil
}

func (b *BrowserActivities) found(l *windowLease, seen flow.Observation) workflows.PageResult {
	switch seen.Page {
	case utilities.SignedIn:
		return workflows.PageResult{Outcome: workflows.OutcomeSignedIn}
	case utilities.CodeForm, utilities.QuestionForm, utilities.ChoiceForm:
		if l.utility.MFA.Policy == utilities.TurnOff {
			return stopped(meterkey.MFAUnsupported)
		}
		return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: seen.Challenge}
	case utilities.RejectedCode:
		return workflows.PageResult{Outcome: workflows.OutcomeCodeRejected, Challenge: seen.Challenge}
	}
	if reason, known := stops[seen.Page]; known {
		return stopped(reason)
	}
	f := stopped(meterkey.SiteChanged)
	f.Evidence = b.keep(l, seen.Evidence)
	return f
}

// keep stores evidence; an operator can do without it, the request cannot wait for it.
func (b *BrowserActivities) keep(l *windowLease, e *flow.Evidence) string {
	if e == nil {
		return ""
	}
	name, err := b.Evidence.Save(l.utility.ID, *e)
	if err != nil {
		l.log.Warn("evidence not stored", zap.Error(err))
	}
	return name
}

// park prepares the window for a long wait. Its life is counted from the first challenge on, so that the customer has
// all of it.
func (b *BrowserActivities) park(ctx context.Context, l *windowLease) error {
	const step = "challenge"
	if !l.Begun(step) {
		if err := l.ExpireIn(l.utility.WindowLifetime); err != nil {
			return fmt.Errorf("setting the window's end: %w", err)
		}
		if err := l.BeginOnce(step); err != nil {
			return fmt.Errorf("noting the challenge: %w", err)
		}
	}
	if err := l.Park(ctx); err != nil {
		// An unparked window costs processor time, no more.
		l.log.Warn("window not parked", zap.Error(err))
	}
	return nil
}
