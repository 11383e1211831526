package workflows

import (
	"strings"
	"time"
)

// Names on the wire. They are registered as explicit strings, so that renaming a Go identifier never changes them.
const (
	// WorkflowType is the name a data request's workflow is registered under.
	WorkflowType = "DataRequest"
	// TaskQueue serves the workflow itself, Notify and Record.
	TaskQueue = "data-requests"
	// SignInTaskQueue serves Login, by any worker whose browser host has a free window.
	SignInTaskQueue = "sign-in"

	SignalSubmitLogin = "submit-login" // carries SubmitLogin
	SignalSubmitCode  = "submit-code"  // carries SubmitCode
	SignalResendCode  = "resend-code"  // carries ResendCode: have the site send the code again
	SignalLeave       = "leave"        // no payload: the customer left for good
	SignalResend      = "resend"       // no payload: send the data request to the customer again
	SignalDecline     = "decline"      // no payload: the customer says no

	// QueryStatus answers with a State.
	QueryStatus = "status"
)

// Activity names.
const (
	ActivityLogin          = "Login"
	ActivityHoldWindow     = "HoldWindow"
	ActivitySubmitCode     = "SubmitCode"
	ActivityResendCode     = "ResendCode"
	ActivityFetchMeterList = "FetchMeterList"
	ActivityCloseWindow    = "CloseWindow"
	ActivityNotify         = "Notify"
	ActivityRecord         = "Record"
)

// WorkflowID is the workflow id of the data request with the given request id.
func WorkflowID(requestID string) string { return "data-request-" + requestID }

// WindowTaskQueue serves the activities that work in the windows of one browser host.
func WindowTaskQueue(host string) string { return "windows-" + host }

// Request is the workflow's input: who asks whom for access to what.
type Request struct {
	// RequestID names the request: 1 to 64 of A-Z a-z 0-9 . _ -, unique for ever.
	RequestID string `json:"request_id"`
	// Requester is who asks: an id of the requester's own choosing, shown to operators. Same alphabet as RequestID.
	Requester string `json:"requester"`
	// RequesterName is how the customer knows the requester ("Acme Solar"). Optional.
	RequesterName string `json:"requester_name,omitempty"`
	// RequesterEmail receives the requester's notices. Without it the requester gets none.
	RequesterEmail string `json:"requester_email,omitempty"`
	// CustomerEmail receives the customer's notices. Without it the customer gets none.
	CustomerEmail string `json:"customer_email,omitempty"`
	// Utility is the id of the customer's utility, such as "CONED". Empty: the customer chooses, and their login says which.
	Utility string `json:"utility"`
	// Link is the page where the customer signs in. Empty: the portal's own page for this request.
	Link string `json:"link,omitempty"`
	// Test tells that this is for trying: only practice sites are ever opened for it, never a real utility's.
	Test bool `json:"test,omitempty"`
	// Continued carries a run's progress into its next run (continue-as-new). Starters leave it out.
	Continued *Progress `json:"continued,omitempty"`
}

// SubmitLogin is the payload of the submit-login signal.
type SubmitLogin struct {
	// Credentials is a Credentials document, sealed (see Seal).
	Credentials Sealed `json:"credentials"`
	// Utility is the id of the utility that the customer chose, where the request names none.
	Utility string `json:"utility,omitempty"`
}

// Credentials is what gets sealed into SubmitLogin. It never travels otherwise.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// SubmitCode is the payload of the submit-code signal.
type SubmitCode struct {
	// ChallengeID is the challenge that this answers; an answer to any other is ignored.
	ChallengeID string `json:"challenge_id"`
	// Code is the code, the security answer or the chosen option's id, sealed (see Seal).
	Code Sealed `json:"code"`
}

// ResendCode is the payload of the resend-code signal.
type ResendCode struct {
	ChallengeID string `json:"challenge_id"`
}

// State answers the status query: all there is to know about a data request, for the customer's page, the requester
// and operators alike. It holds no secret.
type State struct {
	RequestID string `json:"request_id"`
	Requester string `json:"requester"`
	// Utility is the utility's id; empty until the customer has chosen one, where the request names none.
	Utility   string    `json:"utility"`
	Status    Status    `json:"status"`
	Reason    Reason    `json:"reason"`
	WaitingOn WaitingOn `json:"waiting_on"`
	// Since is when the status was entered.
	Since time.Time `json:"since"`
	// Until is when the wait ends by itself; absent while nothing limits it.
	Until *time.Time `json:"until,omitempty"`
	// Message tells the customer where things stand and what to do.
	Message string `json:"message"`
	// Challenge is what the utility asks the customer for, while it does.
	Challenge *Challenge `json:"challenge,omitempty"`
	// Meters is the meter list once connected; empty before.
	Meters []Meter `json:"meters"`
	// Timeline lists every status since the request started, oldest first; after 100 entries the oldest go.
	Timeline []Moment `json:"timeline"`
	// Ignored lists the last signals that changed nothing and why, oldest first, 10 at most.
	Ignored []Ignored `json:"ignored,omitempty"`
	// LinkedAt is when the link to sign in that counts now was sent, in whole microseconds: at the start, and anew with
	// each resend.
	LinkedAt time.Time `json:"linked_at"`
	// Version counts the changes of this state. Of two projections with the same LinkedAt, the one with the lower
	// version is older; a later LinkedAt is always newer, since a revived request counts from one again.
	Version int `json:"version"`
}

// Moment is one entry of the timeline.
type Moment struct {
	Status Status    `json:"status"`
	Reason Reason    `json:"reason"`
	At     time.Time `json:"at"`
}

// Ignored is a signal that changed nothing.
type Ignored struct {
	Signal string    `json:"signal"`
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}

// ChallengeKind says what the utility asks for.
type ChallengeKind string

// The kinds of challenge.
const (
	NumberCode     ChallengeKind = "number_code"
	SecurityAnswer ChallengeKind = "security_answer"
	MethodChoice   ChallengeKind = "method_choice"
)

// Challenge is a question of the utility's that only the customer can answer.
type Challenge struct {
	// ID changes each time the customer is asked, so that a late answer to an earlier question is told apart.
	ID     string        `json:"id"`
	Kind   ChallengeKind `json:"kind"`
	Prompt string        `json:"prompt"`
	// SentTo is the masked phone or address the code went to, as the site shows it. Empty if it shows none.
	SentTo string `json:"sent_to,omitempty"`
	// Options are the methods to choose from (method_choice only).
	Options []Option `json:"options"`
	// Digits is how many digits the code has; 0 if the site does not say.
	Digits int `json:"digits,omitempty"`
	// CanResend tells that the site can send the code again (resend-code).
	CanResend bool `json:"can_resend,omitempty"`
	// ExpiresAt is the end of the browser window, the only deadline there is.
	ExpiresAt time.Time `json:"expires_at"`
	TriesLeft int       `json:"tries_left"`
}

// Option is one method of receiving a code.
type Option struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Target is the masked phone or address, as the site shows it.
	Target string `json:"target,omitempty"`
}

// Text is the label with the target, which many sites have in the label already.
func (o Option) Text() string {
	if strings.Contains(o.Label, o.Target) {
		return o.Label
	}
	return o.Label + " " + o.Target
}

// Meter is one line of the meter list. What the site does not show is absent.
type Meter struct {
	AccountNumber     string `json:"account_number,omitempty"`
	MeterNumber       string `json:"meter_number,omitempty"`
	ServiceIdentifier string `json:"service_identifier,omitempty"`
	ServiceAddress    string `json:"service_address,omitempty"`
	// ServiceClass is electric, gas or water.
	ServiceClass string `json:"service_class,omitempty"`
	Tariff       string `json:"tariff,omitempty"`
	Status       string `json:"status,omitempty"`
}

// Result is what the workflow returns: how the request ended.
type Result struct {
	RequestID string  `json:"request_id"`
	Status    Status  `json:"status"`
	Reason    Reason  `json:"reason"`
	Meters    []Meter `json:"meters"`
}
