package meterkey

import (
	"cmp"
	"math"
	"slices"
	"time"
)

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
	// Revision counts the changes of this state; a revived request counts from one again. See NewerThan.
	Revision int `json:"revision"`
}

// NewerThan tells which of two states of one request is the newer one: that with the later LinkedAt, then that with the
// higher revision.
func (s State) NewerThan(other State) bool {
	return cmp.Or(s.LinkedAt.Compare(other.LinkedAt), cmp.Compare(s.Revision, other.Revision)) > 0
}

// Differs tells whether anything has happened to the request between this state and another one of it, if only that a
// signal changed nothing.
func (s State) Differs(other State) bool {
	return s.Revision != other.Revision || s.Status != other.Status || !s.LinkedAt.Equal(other.LinkedAt) ||
		!s.Since.Equal(other.Since) || !s.lastIgnored().Equal(other.lastIgnored())
}

func (s State) lastIgnored() (at time.Time) {
	if n := len(s.Ignored); n > 0 {
		at = s.Ignored[n-1].At
	}
	return at
}

// lastRevision is higher than any that a run counts to.
const lastRevision = math.MaxInt32

// TerminatedAt is the state of a request that stood here when an operator ended its run or deleted it. Where the request
// had ended by itself before, it is left as it is. Nothing of that run is newer.
func (s State) TerminatedAt(at time.Time) State {
	if s.Status.Terminal() {
		return s
	}
	s.Status, s.Reason, s.WaitingOn = Failed, Terminated, Failed.WaitingOn()
	s.Since, s.Until, s.Challenge = at, nil, nil
	s.Message = Terminated.Text().Customer
	s.Timeline = append(slices.Clip(s.Timeline), Moment{Status: Failed, Reason: Terminated, At: at})
	s.Revision = lastRevision
	return s
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
