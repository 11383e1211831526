package meterkey

import "time"

// Audience is who receives a notice.
type Audience string

// The audiences.
const (
	ToCustomer  Audience = "customer"
	ToRequester Audience = "requester"
	ToBoth      Audience = "both"
)

// String is how people call an audience.
func (a Audience) String() string {
	if a == ToBoth {
		return "customer and requester"
	}
	return string(a)
}

// NoticeKind names a notice's template.
type NoticeKind string

// The notices.
const (
	NoticeSignIn      NoticeKind = "sign_in"       // the link to sign in, to the customer
	NoticeCodeNeeded  NoticeKind = "code_needed"   // the utility asks for a code, to the customer
	NoticeTurnMFAOff  NoticeKind = "turn_mfa_off"  // how to turn MFA off, to the customer; that it is needed, to the requester
	NoticeMFAReminder NoticeKind = "mfa_reminder"  // a reminder of it, to the customer
	NoticeSignInAgain NoticeKind = "sign_in_again" // back to signing in, for Reason
	NoticeConnected   NoticeKind = "connected"     // done; MFA may be turned on again if it was turned off (MFAWasOff)
	NoticeFailed      NoticeKind = "failed"        // ended, for Reason
	NoticeDeclined    NoticeKind = "declined"      // the customer said no, to the requester
	NoticeExpired     NoticeKind = "expired"       // the customer did not act in time, to both
	NoticeCanceled    NoticeKind = "canceled"      // called off, to the customer
)

// NoticeKinds lists every kind.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{NoticeSignIn, NoticeCodeNeeded, NoticeTurnMFAOff, NoticeMFAReminder, NoticeSignInAgain,
		NoticeConnected, NoticeFailed, NoticeDeclined, NoticeExpired, NoticeCanceled}
}

// Notice is one message to one audience, or to both at once (see For).
type Notice struct {
	// ID is the same for every attempt to send this notice, and no other notice has it.
	ID      string     `json:"id"`
	Kind    NoticeKind `json:"kind"`
	To      Audience   `json:"to"`
	Reason  Reason     `json:"reason,omitempty"`
	Request Request    `json:"request"`
	// Until is the deadline that the notice names, if any.
	Until *time.Time `json:"until,omitempty"`
	// LinkedAt is when the link that the notice carries was first sent (see State).
	LinkedAt time.Time `json:"linked_at"`
	// Meters is how many meters were found (connected only).
	Meters int `json:"meters,omitempty"`
	// MFAWasOff tells that the customer had turned MFA off for this request (connected only).
	MFAWasOff bool `json:"mfa_was_off,omitempty"`
}

// For are the notices to single audiences that this one consists of.
func (n Notice) For() []Notice {
	if n.To != ToBoth {
		return []Notice{n}
	}
	customer, requester := n, n
	customer.To, customer.ID = ToCustomer, n.ID+"-"+string(ToCustomer)
	requester.To, requester.ID = ToRequester, n.ID+"-"+string(ToRequester)
	return []Notice{customer, requester}
}
