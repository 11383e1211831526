package store

import (
	"slices"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
)

// Types of notes. The first group is UtilityAPI's; the second is ours, for what UtilityAPI has no name for.
const (
	NoteAccessValid            = "access_valid"
	NoteAccessInvalid          = "access_invalid"
	NoteAccessLocked           = "access_locked"
	NoteAccessUnsupported      = "access_unsupported"
	NoteAccessCodeNeeded       = "access_code_needed"
	NoteLiveInteraction        = "live_interaction_occurred"
	NoteIncompleteRegistration = "incomplete_registration"
	NoteRetrying               = "retrying"
	NoteMetersFull             = "meters_full"

	NoteMetersEmpty           = "meters_empty"
	NoteAccessDeclined        = "access_declined"
	NoteAccessPasswordExpired = "access_password_expired"
	NoteAccessAttemptsUsed    = "access_attempts_used"
	NoteAccessCaptcha         = "access_captcha"
	NoteAccessInterrupted     = "access_interrupted"
	NoteAccessUnreadable      = "access_unreadable"
	NoteMFATimeout            = "mfa_timeout"
	NoteMFAInvalid            = "mfa_invalid"
	NoteMFAAbandoned          = "mfa_abandoned"
	NoteUtilityUnavailable    = "utility_unavailable"
	NoteUtilityChanged        = "utility_changed"
	NoteUtilityUnknown        = "utility_unknown"
	NoteRequestCanceled       = "request_canceled"
	NoteRequestExpired        = "request_expired"
	NoteRequestTerminated     = "request_terminated"
	NoteServiceMisconfigured  = "service_misconfigured"
)

// statusMapping is how an authorization stands while its request is at a status for a reason.
type statusMapping struct {
	at      meterkey.Status
	because meterkey.Reason // "" also serves for the reasons that have no row of their own
	status  AuthorizationStatus
	message string
	note    string    // the note's type; "" for no note
	event   EventType // what entering the status tells; "" for nothing
}

// statusMap is the one table of what a request's status and reason make of its authorization.
var statusMap = []statusMapping{
	{meterkey.AwaitingLogin, "", Pending, "Waiting for the customer to sign in", "", ""},
	{meterkey.AwaitingLogin, meterkey.InvalidCredentials, Errored, "The utility did not accept the login", NoteAccessInvalid, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.AccountLocked, Errored, "The account is locked at the utility", NoteAccessLocked, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.PasswordExpired, Errored, "The password at the utility has expired", NoteAccessPasswordExpired, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.RegistrationUnfinished, Errored, "Account holder needs to finish registration", NoteIncompleteRegistration, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.CodeTimeout, Errored, "The code was not entered in time", NoteMFATimeout, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.CodeAttemptsUsed, Errored, "The codes entered were not right", NoteMFAInvalid, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.WindowClosed, Errored, "The customer left before the code was entered", NoteMFAAbandoned, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.WindowLost, Errored, "Signing in was interrupted", NoteAccessInterrupted, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.SessionEnded, Errored, "The utility ended the session", NoteAccessInterrupted, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.UtilityUnavailable, Errored, "The utility's website is not available", NoteUtilityUnavailable, EventAuthorizationUpdateErrored},
	{meterkey.AwaitingLogin, meterkey.Unreadable, Errored, "What the customer typed could not be read", NoteAccessUnreadable, EventAuthorizationUpdateErrored},
	{meterkey.SigningIn, "", Pending, "Signing in at the utility", "", EventAuthorizationUpdateStarted},
	{meterkey.SigningIn, meterkey.UtilityUnavailable, Pending, "The utility's website is not available; trying again", NoteRetrying, EventAuthorizationUpdateRetrying},
	{meterkey.AwaitingChoice, "", Pending, "MFA choice needed", NoteAccessCodeNeeded, EventAuthorizationUpdateDelayed},
	{meterkey.AwaitingCode, "", Pending, "MFA code needed", NoteAccessCodeNeeded, EventAuthorizationUpdateDelayed},
	{meterkey.AwaitingCode, meterkey.CodeRejected, Pending, "MFA code not accepted; another one is needed", NoteAccessCodeNeeded, EventAuthorizationUpdateDelayed},
	{meterkey.SubmittingCode, "", Pending, "The utility is checking the MFA code", "", EventAuthorizationUpdateProgress},
	{meterkey.AwaitingMFAOff, "", Errored, "MFA must be turned off at the utility", NoteAccessUnsupported, EventAuthorizationUpdateErrored},
	{meterkey.FetchingMeters, "", Pending, "Signed in; reading the meter list", NoteAccessValid, EventAuthorizationUpdateProgress},
	{meterkey.Connected, "", Updated, "The meter list is complete", NoteMetersFull, EventAuthorizationUpdateFinished},
	{meterkey.Declined, "", Errored, "The customer declined", NoteAccessDeclined, EventAuthorizationDeclined},
	{meterkey.Canceled, "", Errored, "The request was called off", NoteRequestCanceled, EventAuthorizationUpdateErrored},
	{meterkey.Expired, "", Errored, "The customer did not act in time", NoteRequestExpired, EventAuthorizationUpdateErrored},
	{meterkey.Failed, "", Errored, "The request could not be completed", NoteAccessUnsupported, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.TooManyLogins, Errored, "The utility rejected too many logins", NoteAccessAttemptsUsed, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.Captcha, Errored, "The utility asked for a captcha", NoteAccessCaptcha, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.SiteChanged, Errored, "The utility's website has changed", NoteUtilityChanged, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.NoMeters, Errored, "The account shows no meters", NoteMetersEmpty, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.UnknownUtility, Errored, "The utility is not known", NoteUtilityUnknown, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.Misconfigured, Errored, "The workers are not set up for this request", NoteServiceMisconfigured, EventAuthorizationUpdateErrored},
	{meterkey.Failed, meterkey.Terminated, Errored, "An operator ended the request", NoteRequestTerminated, EventAuthorizationUpdateErrored},
}

// mapStatus is the row for a status and a reason.
func mapStatus(at meterkey.Status, because meterkey.Reason) statusMapping {
	for _, reason := range []meterkey.Reason{because, ""} {
		for _, row := range statusMap {
			if row.at == at && row.because == reason {
				return row
			}
		}
	}
	return statusMapping{at: at, because: because, status: Pending}
}

// stand has the authorization stand as the state of its request makes it.
func (a *Authorization) setStatus(state meterkey.State) {
	row := mapStatus(state.Status, state.Reason)
	a.Status, a.StatusMessage, a.StatusTS, a.Notes = row.status, row.message, exact(state.Since), notesOf(state)
}

// retryFor is how long a sign-in is retried while the utility's site is down.
const retryFor = time.Hour

// notesOf are an authorization's notes while its request is in this state.
func notesOf(state meterkey.State) []Note {
	row := mapStatus(state.Status, state.Reason)
	var notes []Note
	if row.note != "" {
		note := Note{Type: row.note, Msg: explain(row, state.Reason), TS: exact(state.Since)}
		if row.note == NoteRetrying {
			eta := exact(state.Since.Add(retryFor))
			note.ETA = &eta
		}
		notes = append(notes, note)
	}
	if state.Status == meterkey.Connected {
		notes = append(notes, Note{Type: NoteAccessValid, Msg: "The utility accepted the login.", TS: exact(state.Since)})
	}
	if at, asked := lastAsked(state.Timeline); asked {
		notes = append(notes, Note{Type: NoteLiveInteraction, Msg: "The utility asked the customer for more than the login on the latest sign-in.", TS: exact(at)})
	}
	return notes
}

// explain is a note's text: what the requester is told of the reason and of what happens next, where there is a reason.
func explain(row statusMapping, reason meterkey.Reason) string {
	text := reason.Text()
	if text.Requester == "" {
		return row.message + "."
	}
	return strings.TrimSpace(text.Requester + " " + text.Next)
}

// lastAsked tells whether, and when, the utility asked the customer for more than the login since the latest sign-in.
func lastAsked(timeline []meterkey.Moment) (time.Time, bool) {
	for _, m := range slices.Backward(timeline) {
		if slices.Contains(asking, m.Status) {
			return m.At, true
		}
		if m.Status == meterkey.SigningIn && m.Reason == "" {
			break
		}
	}
	return time.Time{}, false
}
