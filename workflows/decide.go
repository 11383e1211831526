package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

// machine is a data request without its clock and its world: pure, so that every order of arrival can be tested.
type machine struct {
	request meterkey.Request
	Progress
	inbox  inbox
	login  meterkey.Sealed // kept only while signing in
	answer answer          // kept only while it is submitted
}

// newMachine begins a request, or goes on where the run before it stopped.
func newMachine(r meterkey.Request, continued *Progress, now time.Time) *machine {
	if continued != nil {
		return &machine{request: r, Progress: *continued}
	}
	return &machine{request: r, Progress: begin(r, now)}
}

// inbox holds what has arrived and has not been acted on. Which of several comes first is decide's to say.
type inbox struct {
	canceled    bool
	declined    bool
	login       meterkey.Sealed
	utility     string // that the login is for, where the request names none
	answer      answer
	resendCode  bool
	left        bool
	resend      bool
	deadline    bool
	windowEnded meterkey.Reason
}

// answer is a customer's answer to a challenge: a sealed code, or the method that they chose.
type answer struct {
	challengeID string // empty: there is none
	code        meterkey.Sealed
	option      string
}

// message is one signal or update as it arrived; unreadable says why its payload could not be read.
type message struct {
	name       string
	login      meterkey.SubmitLogin
	code       meterkey.SubmitCode
	resendCode meterkey.ResendCode
	choose     meterkey.Choose
	unreadable error
}

// receive takes a signal in, or notes why it changes nothing. No signal ever ends a run.
func (m *machine) receive(s message, now time.Time) {
	if why := m.refusal(s); why != "" {
		m.State.Ignored = lastOf(append(m.State.Ignored, meterkey.Ignored{Signal: s.name, Why: why, At: now}), maxIgnored)
		return
	}
	m.accept(s)
}

// refusal says why a message changes nothing, "" if it counts. It changes nothing itself.
func (m *machine) refusal(s message) string {
	switch {
	case s.unreadable != nil:
		return "it cannot be read: " + s.unreadable.Error()
	case s.name == meterkey.SignalSubmitLogin:
		return m.refusesLogin(s.login)
	case s.name == meterkey.SignalSubmitCode:
		return m.refusesCode(s.code)
	case s.name == meterkey.UpdateChoose:
		return m.refusesChoice(s.choose)
	case s.name == meterkey.SignalResendCode:
		return m.refusesResendCode(s.resendCode)
	case s.name == meterkey.SignalLeave:
		return m.refusesLeave()
	case s.name == meterkey.SignalDecline:
		return m.refusesDecline()
	}
	return ""
}

// accept puts a message that counts into the inbox.
func (m *machine) accept(s message) {
	switch s.name {
	case meterkey.SignalSubmitLogin:
		m.inbox.login, m.inbox.utility = s.login.Credentials, s.login.Utility
	case meterkey.SignalSubmitCode:
		m.inbox.answer, m.inbox.left = answer{challengeID: s.code.ChallengeID, code: s.code.Code}, false
	case meterkey.UpdateChoose:
		m.inbox.answer, m.inbox.left = answer{challengeID: s.choose.ChallengeID, option: s.choose.Option}, false
	case meterkey.SignalResendCode:
		m.inbox.resendCode = true
	case meterkey.SignalLeave:
		m.inbox.left = true
	case meterkey.SignalDecline:
		m.inbox.declined = true
	case meterkey.SignalResend:
		m.inbox.resend = true
	}
}

func (m *machine) refusesLogin(l meterkey.SubmitLogin) string {
	if !m.State.Status.TakesLogin() {
		return fmt.Sprintf("no login is awaited while the request is %s", m.State.Status)
	}
	if m.inbox.login != "" {
		return "another login arrived before it"
	}
	if err := l.Credentials.Check(); err != nil {
		return err.Error()
	}
	if digest(l.Credentials) == m.LastLogin {
		return "this very login was typed before"
	}
	asked := m.request.Utility
	switch {
	case asked != "" && l.Utility != "" && l.Utility != asked:
		return fmt.Sprintf("the request is for %s, the login for another utility", asked)
	case asked == "" && meterkey.ValidID(l.Utility) != nil:
		return "the request names no utility, and neither does the login"
	}
	return ""
}

// digest tells sealed texts apart: no two sealings of one text are alike.
func digest(s meterkey.Sealed) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

func (m *machine) refusesCode(c meterkey.SubmitCode) string {
	if why := m.refusesAnswer(c.ChallengeID); why != "" {
		return why
	}
	if err := c.Code.Check(); err != nil {
		return err.Error()
	}
	return ""
}

func (m *machine) refusesChoice(c meterkey.Choose) string {
	if why := m.refusesAnswer(c.ChallengeID); why != "" {
		return why
	}
	if m.State.Challenge != nil && m.State.Challenge.ID == c.ChallengeID {
		for _, option := range m.State.Challenge.Options {
			if option.ID == c.Option {
				return ""
			}
		}
	}
	return "the utility offers no such method"
}

// refusesAnswer says why an answer to this challenge does not count now. Whoever reads the database may know of the next
// challenge a moment before the workflow does: an answer to that one is kept.
func (m *machine) refusesAnswer(challengeID string) string {
	switch s := m.State.Status; {
	case m.inbox.answer.challengeID != "":
		return "another code arrived before it"
	case (s.AtWork() || m.inbox.resendCode) && challengeID == m.nextChallenge():
		return ""
	case m.inbox.resendCode:
		return "the utility's site is sending another code"
	case s == meterkey.SubmittingCode:
		return "a code is being submitted already"
	default:
		return m.refusesChallenge(challengeID)
	}
}

// refusesChallenge says why a challenge is not the present one.
func (m *machine) refusesChallenge(id string) string {
	switch s := m.State.Status; {
	case !s.AsksCustomer():
		return fmt.Sprintf("no code is awaited while the request is %s", s)
	case id != m.State.Challenge.ID:
		return fmt.Sprintf("it is for challenge %.20q, not for %s", id, m.State.Challenge.ID)
	}
	return ""
}

func (m *machine) refusesResendCode(r meterkey.ResendCode) string {
	if why := m.refusesChallenge(r.ChallengeID); why != "" {
		return why
	}
	if m.State.Status != meterkey.AwaitingCode || !m.State.Challenge.CanResend {
		return "the utility's site does not offer to send the code again"
	}
	return ""
}

// refusesLeave keeps a leave that arrives while the site is at work: it counts at the next wait, unless the customer shows
// by a code that they are back.
func (m *machine) refusesLeave() string {
	switch m.State.Status {
	case meterkey.SigningIn, meterkey.AwaitingChoice, meterkey.AwaitingCode, meterkey.SubmittingCode:
		return ""
	default:
		return "there is no window to leave"
	}
}

func (m *machine) refusesDecline() string {
	if s := m.State.Status; s.Terminal() || s == meterkey.FetchingMeters {
		return fmt.Sprintf("the request is %s", s)
	}
	return ""
}

// decide says what a request that waits on its customer does next, "" for go on waiting. Several things may have
// arrived within one workflow task; their order is then unknown, and this is the order in which they count:
//
//   - canceling and declining come first: nothing may be typed at the utility after a no;
//   - a window that is gone comes before a code, which could only be typed into nothing;
//   - a code comes before leaving and before the deadline, which is the window's own end: it was typed in time by someone
//     who was there.
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
	case in.windowEnded != "" && in.windowEnded != meterkey.CodeTimeout:
		return eventSignInAgain, in.windowEnded
	case in.answer.challengeID != "":
		return eventSubmitCode, ""
	case in.left:
		return eventSignInAgain, meterkey.WindowClosed
	case in.windowEnded != "":
		return eventSignInAgain, meterkey.CodeTimeout
	case in.resendCode:
		return eventCodeResent, ""
	case in.resend:
		return eventResend, ""
	}
	return "", ""
}

// act moves to the status that a decision of the workflow's own leads to.
func (m *machine) act(e event, reason meterkey.Reason, now time.Time) {
	if e == eventSubmitCode {
		m.answer = m.inbox.answer
		if asked := m.State.Challenge; asked.Kind != meterkey.MethodChoice {
			asked.TriesLeft-- // the try is counted before anyone looks at the code
		}
	}
	m.apply(e, reason, now)
	m.taken(e)
}

// taken clears from the inbox what the event that led to the present status used up, and what belonged to a wait that is
// over.
func (m *machine) taken(e event) {
	in := m.inbox
	kept := inbox{canceled: in.canceled, declined: in.declined && e != eventDecline, left: in.left, windowEnded: in.windowEnded,
		resend: in.resend && e != eventResend}
	switch e {
	case eventSubmitLogin:
		m.login, m.LastLogin, kept.left = in.login, digest(in.login), false
		if m.request.Utility == "" {
			m.State.Utility = in.utility
		}
	case eventSignInAgain, eventMFAUnsupported:
		kept.left = false
	case eventMetersRead, eventDecline, eventCancel:
		kept.resend = false // it came before the end that was asked for, and does not undo it
	}
	if asked := m.State.Challenge; asked != nil && in.answer.challengeID == asked.ID && e != eventSubmitCode {
		kept.answer = in.answer // it was sent a moment before we knew of the challenge
	}
	m.inbox = kept
}
