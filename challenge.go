package meterkey

import (
	"strings"
	"time"
)

// ChallengeKind says what the utility asks for.
type ChallengeKind string

// The kinds of challenge.
const (
	NumberCode     ChallengeKind = "number_code"
	SecurityAnswer ChallengeKind = "security_answer"
	MethodChoice   ChallengeKind = "method_choice"
)

// Challenge is a question of the utility's that only the customer can answer. What the utility's site shows of it is read in
// the browser window; ID, ExpiresAt and the tries that are left are the workflow's to say, and mean nothing before it has.
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
	// TriesLeft is how many codes may still be typed: as many as the site takes, less those that were.
	TriesLeft int `json:"tries_left"`
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
