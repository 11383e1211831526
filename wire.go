package meterkey

// Names on the wire. They are registered as explicit strings, so that renaming a Go identifier never changes them.
const (
	// WorkflowType is the name a data request's workflow is registered under.
	WorkflowType = "DataRequest"
	// TaskQueue serves the workflow itself.
	TaskQueue = "data-requests"

	SignalSubmitLogin = "submit-login" // carries SubmitLogin
	SignalSubmitCode  = "submit-code"  // carries SubmitCode
	SignalResendCode  = "resend-code"  // carries ResendCode: have the site send the code again
	SignalLeave       = "leave"        // no payload: the customer left for good
	SignalResend      = "resend"       // no payload: send the data request to the customer again
	SignalDecline     = "decline"      // no payload: the customer says no

	// QueryStatus answers with a State.
	QueryStatus = "status"

	// Updates say at once whether something counts. They answer with the State that it led to, or are refused with an
	// application error of type ErrTypeNotAwaited, which leaves no trace in the request.
	UpdateSubmitLogin = "submit-login" // carries SubmitLogin
	UpdateSubmitCode  = "submit-code"  // carries SubmitCode
	UpdateChoose      = "choose"       // carries Choose

	// ErrTypeNotAwaited: the request does not wait for this; the message says why.
	ErrTypeNotAwaited = "not_awaited"
	// ErrTypeInvalidRequest ends a run whose input is not a valid Request.
	ErrTypeInvalidRequest = "invalid_request"
)

// Search attributes that the workflow keeps current. All are to be registered as Keyword.
const (
	AttributeStatus    = "MeterkeyStatus"
	AttributeUtility   = "MeterkeyUtility"
	AttributeRequester = "MeterkeyRequester"
	AttributeWaitingOn = "MeterkeyWaitingOn"
)

// WorkflowID is the workflow id of the data request with the given request id.
func WorkflowID(requestID string) string { return "data-request-" + requestID }

// SubmitLogin is the payload of the submit-login signal.
type SubmitLogin struct {
	// Credentials is a Credentials document, sealed (see Seal).
	Credentials Sealed `json:"credentials"`
	// Utility is the id of the utility that the customer chose, where the request names none.
	Utility string `json:"utility,omitempty"`
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

// Choose is the payload of the choose update: the method by which the utility is to send its code. It is no secret.
type Choose struct {
	ChallengeID string `json:"challenge_id"`
	// Option is the id of one of the challenge's options.
	Option string `json:"option"`
}
