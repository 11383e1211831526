package workflows

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

// signal is one message as it arrived; unreadable says why its payload could not be read.
type signal struct {
	name       string
	login      meterkey.SubmitLogin
	code       meterkey.SubmitCode
	resendCode meterkey.ResendCode
	unreadable error
}

// receive puts a signal into the inbox, or notes why it changes nothing. No signal ever ends a run.
func (m *machine) receive(s signal, now time.Time) {
	if why := m.take(s); why != "" {
		m.State.Ignored = lastOf(append(m.State.Ignored, meterkey.Ignored{Signal: s.name, Why: why, At: now}), maxIgnored)
		m.State.Revision++
	}
}

// take returns why the signal changes nothing, or "" once it is in the inbox.
func (m *machine) take(s signal) string {
	switch {
	case s.unreadable != nil:
		return "it cannot be read: " + s.unreadable.Error()
	case s.name == meterkey.SignalSubmitLogin:
		return m.takeLogin(s.login)
	case s.name == meterkey.SignalSubmitCode:
		return m.takeCode(s.code)
	case s.name == meterkey.SignalResendCode:
		return m.takeResendCode(s.resendCode)
	case s.name == meterkey.SignalLeave:
		return m.takeLeave()
	case s.name == meterkey.SignalDecline:
		return m.takeDecline()
	case s.name == meterkey.SignalResend:
		m.inbox.resend = true
	}
	return ""
}

func (m *machine) takeLogin(l meterkey.SubmitLogin) string {
	if !m.State.Status.TakesLogin() {
		return fmt.Sprintf("no login is awaited while the request is %s", m.State.Status)
	}
	if m.inbox.login != "" {
		return "another login arrived before it"
	}
	if err := l.Credentials.Check(); err != nil {
		return err.Error()
	}
	if why := m.takeUtility(l.Utility); why != "" {
		return why
	}
	m.inbox.login = l.Credentials
	return ""
}

// takeUtility takes in which utility the login is for. Only a request that names none leaves that to the customer, who may
// choose another one with the next login.
func (m *machine) takeUtility(id string) string {
	asked := m.request.Utility
	switch {
	case asked != "" && id != "" && id != asked:
		return fmt.Sprintf("the request is for %s, the login for another utility", asked)
	case asked == "" && meterkey.ValidID(id) != nil:
		return "the request names no utility, and neither does the login"
	}
	m.inbox.utility = id
	return ""
}

func (m *machine) takeCode(c meterkey.SubmitCode) string {
	if why := m.answers(c.ChallengeID); why != "" {
		return why
	}
	switch {
	case m.inbox.code != "":
		return "another code arrived before it"
	case m.inbox.resendCode:
		return "the utility's site is sending another code"
	}
	if err := c.Code.Check(); err != nil {
		return err.Error()
	}
	m.inbox.code, m.inbox.left = c.Code, false
	return ""
}

func (m *machine) takeResendCode(r meterkey.ResendCode) string {
	if why := m.answers(r.ChallengeID); why != "" {
		return why
	}
	if m.State.Status != meterkey.AwaitingCode || !m.State.Challenge.CanResend {
		return "the utility's site does not offer to send the code again"
	}
	m.inbox.resendCode = true
	return ""
}

// answers returns why something addressed to this challenge does not count now.
func (m *machine) answers(challengeID string) string {
	switch s := m.State.Status; {
	case s == meterkey.SubmittingCode:
		return "a code is being submitted already"
	case !s.AsksCustomer():
		return fmt.Sprintf("no code is awaited while the request is %s", s)
	case challengeID != m.State.Challenge.ID:
		return fmt.Sprintf("it is for challenge %.20q, not for %s", challengeID, m.State.Challenge.ID)
	}
	return ""
}

// takeLeave keeps a leave that arrives while the site is at work: it counts at the next wait, unless the customer shows
// by a code that they are back.
func (m *machine) takeLeave() string {
	switch m.State.Status {
	case meterkey.SigningIn, meterkey.AwaitingChoice, meterkey.AwaitingCode, meterkey.SubmittingCode:
		m.inbox.left = true
		return ""
	default:
		return "there is no window to leave"
	}
}

func (m *machine) takeDecline() string {
	if s := m.State.Status; s.Terminal() || s == meterkey.FetchingMeters {
		return fmt.Sprintf("the request is %s", s)
	}
	m.inbox.declined = true
	return ""
}

// decide says what a request that waits on its customer does next, "" for go on waiting. Several things may have
// arrived within one workflow task; their order is then unknown, and this is the order in which they count:
//
//   - canceling and declining come first: nothing may be typed at the utility after a no;
//   - a window that is gone comes before a code, which could only be typed into nothing;
//   - a code comes before leaving and before the deadline: it was typed in time by someone who was there.
func decide(s meterkey.Status, in inbox) (event, meterkey.Reason) {
	switch {
	case s.Terminal():
		return "", ""
	case in.canceled:
		return eventCancel, ""
	case s.TakesLogin():
		return decideLogin(in), ""
	case s.AsksCustomer():
		return decideCode(in)
	}
	return "", ""
}

func decideLogin(in inbox) event {
	switch {
	case in.declined:
		return eventDecline
	case in.login != "":
		return eventSubmitLogin
	case in.deadline:
		return eventDeadline
	case in.resend:
		return eventResend
	}
	return ""
}

func decideCode(in inbox) (event, meterkey.Reason) {
	switch {
	case in.declined:
		return eventDecline, ""
	case in.windowEnded != "":
		return eventSignInAgain, in.windowEnded
	case in.code != "":
		return eventSubmitCode, ""
	case in.left:
		return eventSignInAgain, meterkey.WindowClosed
	case in.deadline:
		return eventSignInAgain, meterkey.CodeTimeout
	case in.resendCode:
		return eventCodeResent, ""
	case in.resend:
		return eventResend, ""
	}
	return "", ""
}

// verdict says what follows from what an activity found at the utility's site.
func (m *machine) verdict(f Found, now time.Time) (event, meterkey.Reason) {
	switch f.Outcome {
	case OutcomeSignedIn:
		return eventSignedIn, ""
	case OutcomeChallenge:
		return asking(f.Challenge)
	case OutcomeCodeRejected:
		return m.codeRejected(meterkey.CodeRejected)
	case OutcomeStopped:
		return m.stopped(f, now)
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

func (m *machine) codeRejected(reason meterkey.Reason) (event, meterkey.Reason) {
	if m.State.Challenge == nil || m.State.Challenge.TriesLeft <= 0 {
		return eventSignInAgain, meterkey.CodeAttemptsUsed
	}
	return eventCodeRejected, reason
}

func (m *machine) stopped(f Found, now time.Time) (event, meterkey.Reason) {
	signingIn := m.State.Status == meterkey.SigningIn
	switch {
	case f.Reason == meterkey.InvalidCredentials && m.RejectedLogins+1 >= maxRejectedLogins:
		return eventGiveUp, meterkey.TooManyLogins
	case f.Reason == meterkey.Unreadable && m.State.Status == meterkey.SubmittingCode:
		if m.State.Challenge.Kind == meterkey.MethodChoice {
			return eventChoiceAsked, meterkey.Unreadable
		}
		return m.codeRejected(meterkey.Unreadable)
	case f.Reason == meterkey.MFAUnsupported && signingIn:
		return eventMFAUnsupported, meterkey.MFAUnsupported
	case f.Reason == meterkey.UtilityUnavailable && signingIn && !f.Typed && m.keepsTrying(now):
		return eventSiteDown, meterkey.UtilityUnavailable
	case f.Reason.Text().Leads == meterkey.Failed:
		return eventGiveUp, f.Reason
	case f.Reason.Text().Leads == meterkey.AwaitingLogin:
		return eventSignInAgain, f.Reason
	}
	return eventSignInAgain, meterkey.WindowLost
}

// keepsTrying tells whether a site that is down is tried again: for as long as a patient person would wait.
func (m *machine) keepsTrying(now time.Time) bool {
	return m.DownSince.IsZero() || now.Sub(m.DownSince) < siteDownPatience
}
