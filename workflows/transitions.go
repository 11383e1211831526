package workflows

import (
	"errors"
	"fmt"

	"github.com/meterkey/meterkey"
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

// edge is one way out of a status.
type edge struct {
	on event
	to meterkey.Status
}

// transitions is the one table of how a status leads to another, in the order in which transitions.mermaid draws it. What
// is not in it has ended.
var transitions = map[meterkey.Status][]edge{
	meterkey.AwaitingLogin: {
		{eventSubmitLogin, meterkey.SigningIn}, {eventResend, meterkey.AwaitingLogin}, {eventDecline, meterkey.Declined},
		{eventDeadline, meterkey.Expired}, {eventCancel, meterkey.Canceled},
	},
	meterkey.SigningIn: {
		{eventSignedIn, meterkey.FetchingMeters}, {eventCodeAsked, meterkey.AwaitingCode}, {eventChoiceAsked, meterkey.AwaitingChoice},
		{eventMFAUnsupported, meterkey.AwaitingMFAOff}, {eventSiteDown, meterkey.SigningIn}, {eventSignInAgain, meterkey.AwaitingLogin},
		{eventGiveUp, meterkey.Failed}, {eventDecline, meterkey.Declined}, {eventCancel, meterkey.Canceled},
	},
	meterkey.AwaitingChoice: {
		{eventSubmitCode, meterkey.SubmittingCode}, {eventResend, meterkey.AwaitingChoice}, {eventSignInAgain, meterkey.AwaitingLogin},
		{eventDecline, meterkey.Declined}, {eventCancel, meterkey.Canceled},
	},
	meterkey.AwaitingCode: {
		{eventSubmitCode, meterkey.SubmittingCode}, {eventCodeResent, meterkey.AwaitingCode}, {eventResend, meterkey.AwaitingCode},
		{eventChoiceAsked, meterkey.AwaitingChoice}, {eventSignedIn, meterkey.FetchingMeters}, {eventSignInAgain, meterkey.AwaitingLogin},
		{eventGiveUp, meterkey.Failed}, {eventDecline, meterkey.Declined}, {eventCancel, meterkey.Canceled},
	},
	meterkey.SubmittingCode: {
		{eventSignedIn, meterkey.FetchingMeters}, {eventCodeAsked, meterkey.AwaitingCode}, {eventChoiceAsked, meterkey.AwaitingChoice},
		{eventCodeRejected, meterkey.AwaitingCode}, {eventSignInAgain, meterkey.AwaitingLogin}, {eventGiveUp, meterkey.Failed},
		{eventDecline, meterkey.Declined}, {eventCancel, meterkey.Canceled},
	},
	meterkey.AwaitingMFAOff: {
		{eventSubmitLogin, meterkey.SigningIn}, {eventResend, meterkey.AwaitingMFAOff}, {eventDecline, meterkey.Declined},
		{eventDeadline, meterkey.Expired}, {eventCancel, meterkey.Canceled},
	},
	meterkey.FetchingMeters: {
		{eventMetersRead, meterkey.Connected}, {eventCodeAsked, meterkey.AwaitingCode}, {eventChoiceAsked, meterkey.AwaitingChoice},
		{eventSignInAgain, meterkey.AwaitingLogin}, {eventGiveUp, meterkey.Failed}, {eventCancel, meterkey.Canceled},
	},
}

// errInvalidTransition tells that an event cannot happen in a status. It is a defect of the workflow, never of input.
var errInvalidTransition = errors.New("invalid transition")

// after is the status that the event leads to.
func after(s meterkey.Status, e event) (meterkey.Status, error) {
	for _, edge := range transitions[s] {
		if edge.on == e {
			return edge.to, nil
		}
	}
	return s, fmt.Errorf("%w: %s in %s", errInvalidTransition, e, s)
}

// hasWindow tells whether a browser window is open in this status as far as the workflow knows.
func hasWindow(s meterkey.Status) bool {
	return s.AsksCustomer() || s == meterkey.SubmittingCode || s == meterkey.FetchingMeters
}
