package workflows

import (
	"errors"
	"fmt"
)

// Status is where a data request stands. status.mermaid draws how one leads to another.
type Status string

// The statuses. The last five are terminal.
const (
	AwaitingLogin  Status = "awaiting_login"   // the customer is to sign in
	SigningIn      Status = "signing_in"       // the login is being typed at the utility's site
	AwaitingChoice Status = "awaiting_choice"  // the customer is to choose how to receive the code
	AwaitingCode   Status = "awaiting_code"    // the customer is to type the code, or the security answer
	SubmittingCode Status = "submitting_code"  // the code is being typed at the utility's site
	AwaitingMFAOff Status = "awaiting_mfa_off" // the customer is to turn MFA off and to sign in again
	FetchingMeters Status = "fetching_meters"  // the meter list is being read
	Connected      Status = "connected"        // the meter list is there
	Declined       Status = "declined"         // the customer said no
	Canceled       Status = "canceled"         // the requester called it off
	Expired        Status = "expired"          // the customer did not act in time
	Failed         Status = "failed"           // it cannot go on; the reason says why
)

// WaitingOn says who has to act next.
type WaitingOn string

// Who may have to act.
const (
	Customer  WaitingOn = "customer"
	Utility   WaitingOn = "utility"
	Requester WaitingOn = "requester"
	Operator  WaitingOn = "operator"
	Nobody    WaitingOn = "nobody"
)

// event is what leads from one status to another.
type event string

const (
	eventSubmitLogin    event = "submit_login"
	eventSubmitCode     event = "submit_code"
	eventDecline        event = "decline"
	eventResend         event = "resend"
	eventCancel         event = "cancel"
	eventDeadline       event = "deadline"
	eventSignedIn       event = "signed_in"
	eventCodeAsked      event = "code_asked"
	eventChoiceAsked    event = "choice_asked"
	eventCodeRejected   event = "code_rejected"
	eventCodeResent     event = "code_resent"
	eventMFAUnsupported event = "mfa_unsupported"
	eventSiteDown       event = "site_down"
	eventSignInAgain    event = "sign_in_again"
	eventGiveUp         event = "give_up"
	eventMetersRead     event = "meters_read"
)

type statusRow struct {
	status  Status
	waits   WaitingOn
	message string // to the customer, unless a reason says more
	leaves  []edge // in the order they are drawn
}

type edge struct {
	on event
	to Status
}

// statusTable is the one table of statuses. The query's answer, the search attributes, the details shown to operators
// and the drawing all derive from it.
var statusTable = []statusRow{
	{AwaitingLogin, Customer, "Sign in to your utility account to go on.", []edge{
		{eventSubmitLogin, SigningIn}, {eventResend, AwaitingLogin}, {eventDecline, Declined},
		{eventDeadline, Expired}, {eventCancel, Canceled},
	}},
	{SigningIn, Utility, "Signing in at your utility. This usually takes a few seconds.", []edge{
		{eventSignedIn, FetchingMeters}, {eventCodeAsked, AwaitingCode}, {eventChoiceAsked, AwaitingChoice},
		{eventMFAUnsupported, AwaitingMFAOff}, {eventSiteDown, SigningIn}, {eventSignInAgain, AwaitingLogin},
		{eventGiveUp, Failed}, {eventDecline, Declined}, {eventCancel, Canceled},
	}},
	{AwaitingChoice, Customer, "Choose how your utility should send you the code.", []edge{
		{eventSubmitCode, SubmittingCode}, {eventResend, AwaitingChoice}, {eventSignInAgain, AwaitingLogin},
		{eventDecline, Declined}, {eventCancel, Canceled},
	}},
	{AwaitingCode, Customer, "Your utility asks for a code. Type it here.", []edge{
		{eventSubmitCode, SubmittingCode}, {eventCodeResent, AwaitingCode}, {eventResend, AwaitingCode},
		{eventChoiceAsked, AwaitingChoice}, {eventSignedIn, FetchingMeters}, {eventSignInAgain, AwaitingLogin},
		{eventGiveUp, Failed}, {eventDecline, Declined}, {eventCancel, Canceled},
	}},
	{SubmittingCode, Utility, "Your utility is checking the code.", []edge{
		{eventSignedIn, FetchingMeters}, {eventCodeAsked, AwaitingCode}, {eventChoiceAsked, AwaitingChoice},
		{eventCodeRejected, AwaitingCode}, {eventSignInAgain, AwaitingLogin}, {eventGiveUp, Failed},
		{eventDecline, Declined}, {eventCancel, Canceled},
	}},
	{AwaitingMFAOff, Customer, "Turn multi-factor authentication off at your utility, then sign in here again.", []edge{
		{eventSubmitLogin, SigningIn}, {eventResend, AwaitingMFAOff}, {eventDecline, Declined},
		{eventDeadline, Expired}, {eventCancel, Canceled},
	}},
	{FetchingMeters, Utility, "You are signed in. Your meter list is being read.", []edge{
		{eventMetersRead, Connected}, {eventCodeAsked, AwaitingCode}, {eventChoiceAsked, AwaitingChoice},
		{eventSignInAgain, AwaitingLogin}, {eventGiveUp, Failed}, {eventCancel, Canceled},
	}},
	{Connected, Nobody, "Your account is connected. There is nothing more to do.", nil},
	{Declined, Nobody, "You declined this request. Nothing was read.", nil},
	{Canceled, Nobody, "This request was called off. There is nothing to do.", nil},
	{Expired, Nobody, "This request has expired. Ask for a new one if you still want to connect your account.", nil},
	{Failed, Nobody, "This request could not be completed.", nil},
}

// ErrInvalidTransition tells that an event cannot happen in a status. It is a defect of the workflow, never of input.
var ErrInvalidTransition = errors.New("invalid transition")

// Statuses lists all statuses, in the order of a request's life.
func Statuses() []Status {
	all := make([]Status, len(statusTable))
	for i, row := range statusTable {
		all[i] = row.status
	}
	return all
}

// Terminal tells whether nothing follows this status.
func (s Status) Terminal() bool { return len(s.row().leaves) == 0 }

// WaitingOn says who has to act while a request stands at this status.
func (s Status) WaitingOn() WaitingOn { return s.row().waits }

// Valid tells whether this is one of the statuses.
func (s Status) Valid() bool { return s != "" && s.row().status == s }

func (s Status) row() statusRow {
	for _, row := range statusTable {
		if row.status == s {
			return row
		}
	}
	return statusRow{waits: Nobody}
}

// after is the status that the event leads to.
func (s Status) after(e event) (Status, error) {
	for _, leave := range s.row().leaves {
		if leave.on == e {
			return leave.to, nil
		}
	}
	return s, fmt.Errorf("%w: %s in %s", ErrInvalidTransition, e, s)
}

// hasWindow tells whether a browser window is open in this status as far as the workflow knows.
func (s Status) hasWindow() bool {
	return s == AwaitingChoice || s == AwaitingCode || s == SubmittingCode || s == FetchingMeters
}

// asksCustomer tells whether an answer to a challenge is awaited.
func (s Status) asksCustomer() bool { return s == AwaitingChoice || s == AwaitingCode }

// takesLogin tells whether a login is awaited.
func (s Status) takesLogin() bool { return s == AwaitingLogin || s == AwaitingMFAOff }
