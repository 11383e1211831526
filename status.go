package meterkey

// Status is where a data request stands. workflows/transitions.mermaid draws how one leads to another.
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

type statusRow struct {
	status  Status
	waits   WaitingOn
	message string
}

// statusTable is the one table of statuses, in the order of a request's life.
var statusTable = []statusRow{
	{AwaitingLogin, Customer, "Sign in to your utility account to go on."},
	{SigningIn, Utility, "Signing in at your utility. This usually takes a few seconds."},
	{AwaitingChoice, Customer, "Choose how your utility should send you the code."},
	{AwaitingCode, Customer, "Your utility asks for a code. Type it here."},
	{SubmittingCode, Utility, "Your utility is checking the code."},
	{AwaitingMFAOff, Customer, "Turn multi-factor authentication off at your utility, then sign in here again."},
	{FetchingMeters, Utility, "You are signed in. Your meter list is being read."},
	{Connected, Nobody, "Your account is connected. There is nothing more to do."},
	{Declined, Nobody, "You declined this request. Nothing was read."},
	{Canceled, Nobody, "This request was called off. There is nothing to do."},
	{Expired, Nobody, "This request has expired. Ask for a new one if you still want to connect your account."},
	{Failed, Nobody, "This request could not be completed."},
}

// Statuses lists all statuses, in the order of a request's life.
func Statuses() []Status {
	all := make([]Status, len(statusTable))
	for i, row := range statusTable {
		all[i] = row.status
	}
	return all
}

// Terminal tells whether nothing follows this status.
func (s Status) Terminal() bool { return s.row().waits == Nobody }

// WaitingOn says who has to act while a request stands at this status.
func (s Status) WaitingOn() WaitingOn { return s.row().waits }

// Message is what the customer is told at this status, unless a reason says more.
func (s Status) Message() string { return s.row().message }

// Valid tells whether this is one of the statuses.
func (s Status) Valid() bool { return s != "" && s.row().status == s }

// TakesLogin tells whether a login is awaited.
func (s Status) TakesLogin() bool { return s == AwaitingLogin || s == AwaitingMFAOff }

// AsksCustomer tells whether an answer to a challenge is awaited.
func (s Status) AsksCustomer() bool { return s == AwaitingChoice || s == AwaitingCode }

// AtWork tells whether the utility's site is being worked at for the customer.
func (s Status) AtWork() bool { return s == SigningIn || s == SubmittingCode || s == FetchingMeters }

func (s Status) row() statusRow {
	for _, row := range statusTable {
		if row.status == s {
			return row
		}
	}
	return statusRow{waits: Nobody}
}
