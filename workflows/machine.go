package workflows

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

const (
	// patience is how long the customer may take to sign in before the request expires. It starts anew each time the
	// customer is asked to.
	patience = 7 * 24 * time.Hour
	// maxRejectedLogins ends a request before the utility locks the account.
	maxRejectedLogins = 3
	// defaultTries is how many codes may be typed where the utility's file does not say.
	defaultTries = 3
	maxTimeline  = 100
	maxIgnored   = 10
)

// Progress is all that a run must not forget. It is carried over when a run continues as new.
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
	// DownSince is when the utility's site was first found down during this sign-in.
	DownSince time.Time `json:"down_since"`
}

// inbox holds what has arrived and has not been acted on. Which of several comes first is decide's to say.
type inbox struct {
	canceled    bool
	declined    bool
	login       meterkey.Sealed
	utility     string // that the login is for, where the request names none
	code        meterkey.Sealed
	resendCode  bool
	left        bool
	resend      bool
	deadline    bool
	windowEnded meterkey.Reason
}

// machine is a data request without its clock and its world: pure, so that every order of arrival can be tested.
type machine struct {
	request meterkey.Request
	Progress
	inbox inbox
	login meterkey.Sealed // kept only while signing in
}

// newMachine begins a request, or goes on where the run before it stopped.
func newMachine(r meterkey.Request, continued *Progress, now time.Time) *machine {
	m := &machine{request: r}
	if continued != nil {
		m.Progress = *continued
		return m
	}
	m.State = meterkey.State{RequestID: r.RequestID, Requester: r.Requester, Utility: r.Utility, Meters: []meterkey.Meter{}, LinkedAt: now.Truncate(time.Microsecond)}
	m.enter(meterkey.AwaitingLogin, "", now)
	return m
}

// apply moves to the status that the event leads to.
func (m *machine) apply(e event, reason meterkey.Reason, now time.Time) error {
	to, err := after(m.State.Status, e)
	if err != nil {
		return err
	}
	if e == eventResend {
		reason = m.State.Reason // why the customer is asked has not changed
		m.State.LinkedAt = now.Truncate(time.Microsecond)
	}
	m.enter(to, reason, now)
	return nil
}

func (m *machine) enter(to meterkey.Status, reason meterkey.Reason, now time.Time) {
	s := &m.State
	if s.Status != to && to == meterkey.AwaitingMFAOff {
		m.Reminders = 0
	}
	s.Status, s.Reason, s.WaitingOn, s.Since = to, reason, to.WaitingOn(), now
	s.Until = m.deadline(now)
	s.Message = message(to, reason)
	if !to.AsksCustomer() && to != meterkey.SubmittingCode {
		s.Challenge = nil
	}
	s.Timeline = lastOf(append(s.Timeline, meterkey.Moment{Status: to, Reason: reason, At: now}), maxTimeline)
	s.Revision++
}

// deadline is when the status just entered ends by itself.
func (m *machine) deadline(now time.Time) *time.Time {
	switch {
	case m.State.Status.TakesLogin():
		until := now.Add(patience)
		return &until
	case m.State.Status.AsksCustomer() && m.Window != nil:
		until := m.Window.ExpiresAt
		return &until
	}
	return nil
}

// message is what the customer is told.
func message(s meterkey.Status, reason meterkey.Reason) string {
	if text := reason.Text(); text.Customer != "" {
		if s == meterkey.SigningIn {
			return "Your utility's website is not available. We keep trying for an hour; you may leave this page open."
		}
		return text.Customer
	}
	return s.Message()
}

// ask puts the site's challenge before the customer under a new id, with the tries that are left.
func (m *machine) ask(c meterkey.Challenge, tries int) {
	m.Challenges++
	c.ID, c.ExpiresAt, c.TriesLeft = fmt.Sprintf("c-%d", m.Challenges), m.Window.ExpiresAt, tries
	if c.Options == nil {
		c.Options = []meterkey.Option{}
	}
	m.State.Challenge = &c
}

// present asks what the site asks, where the event says that it does, and tells whether the customer is asked now.
func (m *machine) present(e event, c *meterkey.Challenge) bool {
	if m.Window == nil {
		return false
	}
	switch {
	case c != nil && (e == eventCodeAsked || e == eventChoiceAsked):
		tries := c.TriesLeft
		if tries <= 0 {
			tries = defaultTries
		}
		m.ask(*c, tries)
	case e == eventCodeRejected, e == eventChoiceAsked:
		last := m.State.Challenge
		if c == nil { // the site did not say it again
			c = last
		}
		m.ask(*c, last.TriesLeft)
	default:
		return false
	}
	return true
}

// spend takes the customer's answer for typing. The try is counted before anyone looks at the code.
func (m *machine) spend() meterkey.Sealed {
	code := m.inbox.code
	m.inbox.code = ""
	if m.State.Challenge.Kind != meterkey.MethodChoice {
		m.State.Challenge.TriesLeft--
	}
	return code
}

// taken clears from the inbox what the event used up, and what belonged to a wait that is over.
func (m *machine) taken(e event) {
	resend, canceled, left := m.inbox.resend && e != eventResend, m.inbox.canceled, m.inbox.left
	switch e {
	case eventSubmitLogin:
		m.login = m.inbox.login
		if m.request.Utility == "" {
			m.State.Utility = m.inbox.utility
		}
		left = false
	case eventSignInAgain, eventMFAUnsupported:
		left = false
	case eventCodeResent, eventResend:
		m.inbox.resendCode, m.inbox.resend = false, resend
		return
	case eventMetersRead, eventDecline, eventCancel:
		resend = false // it came before the end that was asked for, and does not undo it
	case eventSubmitCode:
		m.inbox.resendCode = false
		return // spend takes the code itself
	}
	m.inbox = inbox{canceled: canceled, resend: resend, left: left, declined: m.inbox.declined && e != eventDecline,
		windowEnded: m.inbox.windowEnded}
}

func lastOf[T any](list []T, most int) []T { return list[max(0, len(list)-most):] }
