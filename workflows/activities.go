package workflows

import (
	"slices"
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

// Types of the application errors of activities that the workflow tells apart. Any other error is nobody's to mend but
// time's, or a defect.
const (
	// ErrTypeMisconfigured: the worker is not set up for this request; only an operator can mend that.
	ErrTypeMisconfigured = "misconfigured"
	// ErrTypeUnknownUtility: no utility has this id; the requester names another.
	ErrTypeUnknownUtility = "unknown_utility"
	// ErrTypeRefused: this notice will never be accepted.
	ErrTypeRefused = "notice_refused"
	// ErrTypeWindowGone: the window is no more; the customer signs in again.
	ErrTypeWindowGone = "window_gone"
)

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
	// OutcomeSignedIn: the customer is signed in; after FetchMeterList, PageResult.Meters is the list.
	OutcomeSignedIn Outcome = "signed_in"
	// OutcomeChallenge: the site asks the customer for something (PageResult.Challenge).
	OutcomeChallenge Outcome = "challenge"
	// OutcomeCodeRejected: the code was wrong; the form is still there (PageResult.Challenge).
	OutcomeCodeRejected Outcome = "code_rejected"
	// OutcomeStopped: it cannot go on, for PageResult.Reason.
	OutcomeStopped Outcome = "stopped"
	// OutcomeElsewhere: a retry ran on another host than the one that holds the window (PageResult.Window).
	OutcomeElsewhere Outcome = "elsewhere"
)

// PageResult is what a window activity found.
type PageResult struct {
	Outcome Outcome         `json:"outcome"`
	Reason  meterkey.Reason `json:"reason,omitempty"`
	Window  *Window         `json:"window,omitempty"`
	// Challenge is what the site asks for. Its id and end are not set yet, and its tries are all that the site gives.
	Challenge *meterkey.Challenge `json:"challenge,omitempty"`
	// Typed tells that the password was typed: signing in must not be tried again without the customer.
	Typed bool `json:"typed,omitempty"`
	// Meters is the meter list (FetchMeterList only).
	Meters []meterkey.Meter `json:"meters,omitempty"`
	// Closed tells that the window was closed, since nothing more is to be read in it.
	Closed bool `json:"closed,omitempty"`
	// Evidence names the stored screenshot and outline of a page nobody knows. It is for operators.
	Evidence string `json:"evidence,omitempty"`
	// At is when it was found, by Temporal's clock.
	At time.Time `json:"at"`
	// Attempt is the activity's attempt that found it, from 1.
	Attempt int `json:"attempt,omitempty"`
	// Recorded tells that the state that follows from this (Task.After) is in the database.
	Recorded bool `json:"recorded,omitempty"`
}

// Task is what every activity that works for a request is told of it: the request, and how far it has come. It is also the
// whole input of ResendCode and FetchMeterList, which work in Progress.Window.
type Task struct {
	Request  meterkey.Request `json:"request"`
	Progress Progress         `json:"progress"`
}

// State is where the request stands while the activity works.
func (t Task) State() meterkey.State { return t.Progress.State }

// Utility is the id of the customer's utility.
func (t Task) Utility() string { return t.Progress.State.Utility }

// After is where the request stands once the activity has found this. The workflow comes to the same state by the same
// rules, so an activity that causes a status can record it at once.
func (t Task) After(found PageResult) meterkey.State {
	after := t.Progress
	after.State.Timeline = slices.Clone(after.State.Timeline)
	if asked := after.State.Challenge; asked != nil {
		challenge := *asked
		after.State.Challenge = &challenge
	}
	after.conclude(found, found.At)
	return after.State
}

// LoginInput is Login's input.
type LoginInput struct {
	Task
	Credentials meterkey.Sealed `json:"credentials"`
	// Window is set when an earlier attempt left a window behind: its page is read, nothing is started over.
	Window *Window `json:"window,omitempty"`
}

// SubmitCodeInput is SubmitCode's input: the answer to Progress.State.Challenge.
type SubmitCodeInput struct {
	Task
	// Code is the sealed code, security answer or option's id; or Option is the id of the chosen option.
	Code   meterkey.Sealed `json:"code,omitempty"`
	Option string          `json:"option,omitempty"`
}

// HoldWindowInput is HoldWindow's input.
type HoldWindowInput struct {
	Task
	// Notice goes to the customer if after a while nobody has answered and no page is open.
	Notice meterkey.Notice `json:"notice"`
}

// CloseWindowInput is CloseWindow's input.
type CloseWindowInput struct {
	RequestID string `json:"request_id"`
	Window    Window `json:"window"`
}

// NotifyInput is Notify's input.
type NotifyInput struct {
	Notice meterkey.Notice `json:"notice"`
	// Record is recorded before anybody is told of it; nil where somebody else has done so.
	Record *meterkey.Projection `json:"record,omitempty"`
}

// NotifyResult is Notify's result.
type NotifyResult struct {
	// Recorded tells that what was to be recorded is in the database.
	Recorded bool `json:"recorded,omitempty"`
}
