package meterkey

import "time"

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
	// Revision counts the changes of this state. Of two projections with the same LinkedAt, the one with the lower
	// revision is older; a later LinkedAt is always newer, since a revived request counts from one again.
	Revision int `json:"revision"`
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

// Result is what the workflow returns: how the request ended.
type Result struct {
	RequestID string  `json:"request_id"`
	Status    Status  `json:"status"`
	Reason    Reason  `json:"reason"`
	Meters    []Meter `json:"meters"`
}
