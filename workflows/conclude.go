package workflows

import (
	"time"

	"github.com/meterkey/meterkey"
)

// conclude takes in what an activity found at the site, moves to the status that follows and returns by which event and for
// which reason. It is pure, and the only way from a result to a status: see Task.After.
func (p *Progress) conclude(f PageResult, at time.Time) (event, meterkey.Reason) {
	e, reason := p.verdict(f, at)
	p.Faults = 0
	switch p.State.Status {
	case meterkey.SigningIn:
		p.signedIn(f, e, at)
	case meterkey.FetchingMeters:
		e, reason = p.fetched(f, e, reason)
	case meterkey.AwaitingCode: // the code was sent again
		if e == eventCodeAsked || e == eventCodeRejected { // nothing was typed: what is rejected there is an earlier code
			e, reason = eventCodeResent, ""
		}
	default: // SubmittingCode; no activity works in any other
	}
	if f.Evidence != "" {
		p.Evidence = f.Evidence
	}
	p.present(e, f.Challenge)
	p.apply(e, reason, at)
	p.State.Revision += max(0, f.Attempt-1) // an earlier attempt may have recorded another outcome, and was then cut off
	return e, reason
}

func (p *Progress) signedIn(f PageResult, e event, at time.Time) {
	p.Window, p.Evidence = f.Window, ""
	switch {
	case e != eventSiteDown:
		p.DownSince = time.Time{}
	case p.DownSince.IsZero():
		p.DownSince = at
	}
	if f.Reason == meterkey.InvalidCredentials {
		p.RejectedLogins++
	}
	p.MFAWasOff = p.MFAWasOff || e == eventMFAUnsupported
}

func (p *Progress) fetched(f PageResult, e event, reason meterkey.Reason) (event, meterkey.Reason) {
	p.Evidence = ""
	switch {
	case e == eventCodeAsked, e == eventChoiceAsked: // some sites ask only now
		if f.Window != nil {
			p.Window = f.Window // its life begins with the first challenge
		}
		return e, reason
	case e != eventSignedIn:
		return e, reason
	}
	if f.Closed {
		p.Window = nil
	}
	if len(f.Meters) == 0 {
		return eventGiveUp, meterkey.NoMeters
	}
	p.State.Meters = f.Meters
	return eventMetersRead, ""
}

// verdict says what follows from what an activity found at the utility's site.
func (p *Progress) verdict(f PageResult, at time.Time) (event, meterkey.Reason) {
	switch f.Outcome {
	case OutcomeSignedIn:
		return eventSignedIn, ""
	case OutcomeChallenge:
		return asking(f.Challenge)
	case OutcomeCodeRejected:
		return p.codeRejected(meterkey.CodeRejected)
	case OutcomeStopped:
		return p.stopped(f, at)
	case OutcomeElsewhere: // asked a second time on the right host, so this is none
	}
	return eventSignInAgain, meterkey.WindowLost
}

// asking: a page that asks for something which nobody can tell is a page nobody knows.
func asking(c *meterkey.Challenge) (event, meterkey.Reason) {
	switch {
	case c == nil:
		return eventGiveUp, meterkey.SiteChanged
	case c.Kind == meterkey.MethodChoice:
		return eventChoiceAsked, ""
	}
	return eventCodeAsked, ""
}

func (p *Progress) codeRejected(reason meterkey.Reason) (event, meterkey.Reason) {
	if p.State.Challenge == nil || p.State.Challenge.TriesLeft <= 0 {
		return eventSignInAgain, meterkey.CodeAttemptsUsed
	}
	return eventCodeRejected, reason
}

func (p *Progress) stopped(f PageResult, at time.Time) (event, meterkey.Reason) {
	signingIn := p.State.Status == meterkey.SigningIn
	switch {
	case f.Reason == meterkey.InvalidCredentials && p.RejectedLogins+1 >= maxRejectedLogins:
		return eventGiveUp, meterkey.TooManyLogins
	case f.Reason == meterkey.Unreadable && p.State.Status == meterkey.SubmittingCode:
		if p.State.Challenge.Kind == meterkey.MethodChoice {
			return eventChoiceAsked, meterkey.Unreadable
		}
		return p.codeRejected(meterkey.Unreadable)
	case f.Reason == meterkey.MFAUnsupported && signingIn:
		return eventMFAUnsupported, meterkey.MFAUnsupported
	case f.Reason == meterkey.UtilityUnavailable && signingIn && !f.Typed && p.keepsTrying(at):
		return eventSiteDown, meterkey.UtilityUnavailable
	case f.Reason.Text().Leads == meterkey.Failed:
		return eventGiveUp, f.Reason
	case f.Reason.Text().Leads == meterkey.AwaitingLogin:
		return eventSignInAgain, f.Reason
	}
	return eventSignInAgain, meterkey.WindowLost
}

// keepsTrying tells whether a site that is down is tried again: for as long as a patient person would wait.
func (p *Progress) keepsTrying(at time.Time) bool {
	return p.DownSince.IsZero() || at.Sub(p.DownSince) < siteDownTimeout
}
