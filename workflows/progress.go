package workflows

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

const (
	// loginTimeout is how long the customer may take to sign in before the request expires. It starts anew each time the
	// customer is asked to.
	loginTimeout = 7 * 24 * time.Hour
	// siteDownTimeout is how long a site that is down is tried before the customer is asked to come back later.
	siteDownTimeout = time.Hour
	// maxRejectedLogins ends a request before the utility locks the account.
	maxRejectedLogins = 3
	// maxFaults is how often in a row an activity may fail in a way that nobody foresaw before the request ends.
	maxFaults = 3
	// defaultTries is how many codes may be typed where the utility's file does not say.
	defaultTries = 3
	maxTimeline  = 100
	maxIgnored   = 10
)

// Progress is all that a run must not forget. It is carried over when a run continues as new, and activities are told it.
// Everything that changes it is pure.
type Progress struct {
	State meterkey.State `json:"state"`
	// Window is the open browser window, if any.
	Window *Window `json:"window,omitempty"`
	// Evidence names what was stored of a page nobody knew.
	Evidence string `json:"evidence,omitempty"`
	// MFAWasOff: the customer was asked to turn MFA off.
	MFAWasOff      bool `json:"mfa_was_off,omitempty"`
	SignIns        int  `json:"sign_ins"`
	RejectedLogins int  `json:"rejected_logins"`
	Challenges     int  `json:"challenges"`
	Notices        int  `json:"notices"`
	Reminders      int  `json:"reminders"`
	// Faults counts the activities that failed in a row, for reasons that nobody foresaw.
	Faults int `json:"faults,omitempty"`
	// LastLogin is a digest of the sealed login that was taken last: the same one is never typed again.
	LastLogin string `json:"last_login,omitempty"`
	// DownSince is when the utility's site was first found down during this sign-in.
	DownSince time.Time `json:"down_since"`
}

func begin(r meterkey.Request, now time.Time) Progress {
	p := Progress{State: meterkey.State{RequestID: r.RequestID, Requester: r.Requester, Utility: r.Utility,
		Meters: []meterkey.Meter{}, LinkedAt: now.Truncate(time.Microsecond)}}
	p.enter(meterkey.AwaitingLogin, "", now)
	return p
}

// apply moves to the status that the event leads to. An event that cannot happen there is a defect of ours: it panics,
// which blocks the workflow task, and with it the request, until a mended worker is deployed. No customer's request ends
// by a defect.
func (p *Progress) apply(e event, reason meterkey.Reason, now time.Time) {
	to, err := after(p.State.Status, e)
	if err != nil {
		panic(err)
	}
	if e == eventResend {
		reason = p.State.Reason // why the customer is asked has not changed
		p.State.LinkedAt = now.Truncate(time.Microsecond)
	}
	p.enter(to, reason, now)
}

func (p *Progress) enter(to meterkey.Status, reason meterkey.Reason, now time.Time) {
	s := &p.State
	if s.Status != to && to == meterkey.AwaitingMFAOff {
		p.Reminders = 0
	}
	s.Status, s.Reason, s.WaitingOn, s.Since = to, reason, to.WaitingOn(), now
	s.Until = p.deadline(now)
	s.Message = customerText(to, reason)
	if !to.AsksCustomer() && to != meterkey.SubmittingCode {
		s.Challenge = nil
	}
	s.Timeline = lastOf(append(s.Timeline, meterkey.Moment{Status: to, Reason: reason, At: now}), maxTimeline)
	s.Revision++
}

// deadline is when the status just entered ends by itself.
func (p *Progress) deadline(now time.Time) *time.Time {
	switch {
	case p.State.Status.TakesLogin():
		until := now.Add(loginTimeout)
		return &until
	case p.State.Status.AsksCustomer() && p.Window != nil:
		until := p.Window.ExpiresAt
		return &until
	}
	return nil
}

// customerText is what the customer is told.
func customerText(s meterkey.Status, reason meterkey.Reason) string {
	if text := reason.Text(); text.Customer != "" {
		if s == meterkey.SigningIn {
			return "Your utility's website is not available. We keep trying for an hour; you may leave this page open."
		}
		return text.Customer
	}
	return s.Message()
}

// nextChallenge is the id of the challenge that is asked next.
func (p *Progress) nextChallenge() string { return fmt.Sprintf("c-%d", p.Challenges+1) }

// ask puts the site's challenge before the customer under a new id, with the tries that are left.
func (p *Progress) ask(c meterkey.Challenge, tries int) {
	c.ID, c.ExpiresAt, c.TriesLeft = p.nextChallenge(), p.Window.ExpiresAt, tries
	p.Challenges++
	if c.Options == nil {
		c.Options = []meterkey.Option{}
	}
	p.State.Challenge = &c
}

// present asks what the site asks, where the event says that it does.
func (p *Progress) present(e event, c *meterkey.Challenge) {
	switch {
	case p.Window == nil:
	case c != nil && (e == eventCodeAsked || e == eventChoiceAsked):
		tries := c.TriesLeft
		if tries <= 0 {
			tries = defaultTries
		}
		p.ask(*c, tries)
	case e == eventCodeRejected, e == eventChoiceAsked, e == eventCodeResent:
		last := p.State.Challenge
		if c == nil { // the site did not say it again
			c = last
		}
		p.ask(*c, last.TriesLeft)
	}
}

func lastOf[T any](list []T, most int) []T { return list[max(0, len(list)-most):] }
