package workflows

import (
	"time"

	"github.com/meterkey/meterkey"
)

// Activity names, and the task queues beside the workflow's own that serve them.
const (
	ActivityLogin          = "Login"
	ActivityHoldWindow     = "HoldWindow"
	ActivitySubmitCode     = "SubmitCode"
	ActivityResendCode     = "ResendCode"
	ActivityFetchMeterList = "FetchMeterList"
	ActivityCloseWindow    = "CloseWindow"
	ActivityNotify         = "Notify"
	ActivityRecord         = "Record"

	// SignInTaskQueue serves Login, by any worker whose browser host has a free window.
	SignInTaskQueue = "sign-in"
)

// WindowTaskQueue serves the activities that work in the windows of one browser host.
func WindowTaskQueue(host string) string { return "windows-" + host }

// Window names an open browser window: the host that holds it, its id there, and when it ends.
type Window struct {
	Host      string    `json:"host"`
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Outcome is what a window activity found on the utility's site. It is a value, not an error: errors are for what a
// retry can mend.
type Outcome string

// The outcomes.
const (
	// OutcomeSignedIn: the customer is signed in.
	OutcomeSignedIn Outcome = "signed_in"
	// OutcomeChallenge: the site asks the customer for something (Found.Challenge).
	OutcomeChallenge Outcome = "challenge"
	// OutcomeCodeRejected: the code was wrong; the form is still there (Found.Challenge).
	OutcomeCodeRejected Outcome = "code_rejected"
	// OutcomeStopped: it cannot go on, for Found.Reason.
	OutcomeStopped Outcome = "stopped"
	// OutcomeElsewhere: a retry ran on another host than the one that holds the window (Found.Window).
	OutcomeElsewhere Outcome = "elsewhere"
)

// Found is what a window activity found.
type Found struct {
	Outcome Outcome         `json:"outcome"`
	Reason  meterkey.Reason `json:"reason,omitempty"`
	Window  *Window         `json:"window,omitempty"`
	// Challenge is what the site asks for. Its id and end are not set, and its tries are all that the site gives.
	Challenge *meterkey.Challenge `json:"challenge,omitempty"`
	// Typed tells that the password was typed: signing in must not be tried again without the customer.
	Typed bool `json:"typed,omitempty"`
	// Meters is the meter list (FetchMeterList only).
	Meters []meterkey.Meter `json:"meters,omitempty"`
	// Evidence names the stored screenshot and outline of a page nobody knows. It is for operators.
	Evidence string `json:"evidence,omitempty"`
}

// LoginInput is Login's input.
type LoginInput struct {
	RequestID string `json:"request_id"`
	Utility   string `json:"utility"`
	// Test: only the practice site of this utility may be opened.
	Test        bool            `json:"test,omitempty"`
	Credentials meterkey.Sealed `json:"credentials"`
	// Attempt numbers the sign-ins of a run from 1: it keeps the windows of one request apart.
	Attempt int `json:"attempt"`
	// Window is set when an earlier attempt left a window behind: its page is read, nothing is started over.
	Window *Window `json:"window,omitempty"`
}

// WindowInput is the input of HoldWindow, FetchMeterList, CloseWindow and ResendCode.
type WindowInput struct {
	RequestID string `json:"request_id"`
	Utility   string `json:"utility"`
	Test      bool   `json:"test,omitempty"`
	Window    Window `json:"window"`
	// ChallengeID is the challenge on the page (ResendCode only).
	ChallengeID string `json:"challenge_id,omitempty"`
}

// SubmitCodeInput is SubmitCode's input.
type SubmitCodeInput struct {
	RequestID   string                 `json:"request_id"`
	Utility     string                 `json:"utility"`
	Test        bool                   `json:"test,omitempty"`
	Window      Window                 `json:"window"`
	ChallengeID string                 `json:"challenge_id"`
	Kind        meterkey.ChallengeKind `json:"kind"`
	Code        meterkey.Sealed        `json:"code"`
}
