package practice

import "time"

// sessionState is how far a session has come.
type sessionState int

const (
	signedOut    sessionState = iota // nobody has signed in
	awaitingCode                     // a code or answer is awaited
	signedIn
	endedBySite
)

// session is one sign-in, from the right password to its end, seen by every host of the site it passes through. Each host
// knows it by a cookie of its own.
type session struct {
	account       *account
	state         sessionState
	challenge     challenge
	endsAt        time.Time // zero: not by itself
	nag           bool      // there is still something to dismiss
	metersRead    bool      // the meter list was shown
	pickedAccount string    // the account number chosen on the site, if it has such a thing
}

// challenge is what a session waits for. A code is good once, for this session alone.
type challenge struct {
	kind     string // code, choice or question
	question string
	sent     option
	code     string
	sentAt   time.Time
	wrong    int
}

// snapshot is what a session looks like at one moment.
type snapshot struct {
	user          string
	kind          Kind
	state         sessionState
	challenge     challenge
	endsIn        time.Duration // zero: not by itself
	nag           bool
	pickedAccount string
	slow          bool
	records       []meterRecord
	options       []option
}

// meters gives the meters as far as the site shows them.
func (s snapshot) meters(u *utility) []Meter {
	list := make([]Meter, 0, len(s.records))
	for _, r := range s.records {
		list = append(list, u.meters.shows(r.Meter))
	}
	return list
}

func (sess *session) target(optionID string) (option, error) {
	if optionID == "" && sess.challenge.sent.ID != "" {
		return sess.challenge.sent, nil
	}
	if optionID == "" {
		return sess.account.options()[0], nil
	}
	to, known := sess.account.option(optionID)
	if !known {
		return option{}, errNoOption
	}
	return to, nil
}
