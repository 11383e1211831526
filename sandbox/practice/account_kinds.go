package practice

import (
	"strconv"
	"strings"
)

// Kind says what happens to an account. It is the part of a user name before its first '.', '+' or '@'.
type Kind string

// The kinds of account. Not every site can show every one of them; see GET /utilities.
const (
	Plain      Kind = "plain"      // signs in at once
	Code       Kind = "code"       // is asked for a number code
	Question   Kind = "question"   // is asked a security question
	Choice     Kind = "choice"     // chooses how to get the code, then is asked for it
	Wrong      Kind = "wrong"      // every password is rejected
	Locked     Kind = "locked"     // locked before the first login
	Expired    Kind = "expired"    // the password is right and has to be renewed
	Unfinished Kind = "unfinished" // the registration was never finished
	Nag        Kind = "nag"        // has to dismiss something before the accounts show
	Captcha    Kind = "captcha"    // meets a captcha
	Down       Kind = "down"       // the site breaks once the login is submitted
	Slow       Kind = "slow"       // as code, with everything late
	Ends       Kind = "ends"       // as code, and the site ends the session while it waits
	Changed    Kind = "changed"    // lands on a page nobody knows
	Many       Kind = "many"       // many-57 has 57 accounts, many has 23
	None       Kind = "none"       // signs in and has no accounts
)

const manyByDefault = 23

// KindInfo explains a kind to people and to tests.
type KindInfo struct {
	Kind  Kind   `json:"kind"`
	Means string `json:"means"`
	// AsksFor is "code", "choice" or "question" for accounts protected by MFA until it is turned off, else empty.
	AsksFor string `json:"asks_for,omitempty"`
}

// Kinds lists every kind of account with its meaning.
func Kinds() []KindInfo {
	return []KindInfo{
		{Plain, "signs in at once", ""},
		{Code, "is asked for a number code", "code"},
		{Question, "is asked a security question", "question"},
		{Choice, "chooses how to get the code, then is asked for it", "choice"},
		{Wrong, "has every password rejected", ""},
		{Locked, "is locked from the start", ""},
		{Expired, "has to renew the password", ""},
		{Unfinished, "has never finished the registration", ""},
		{Nag, "has to dismiss something first", ""},
		{Captcha, "meets a captcha", ""},
		{Down, "meets a site that breaks once the login is submitted", ""},
		{Slow, "is asked for a number code, and everything is late", "code"},
		{Ends, "is asked for a number code, and the session ends while the site waits for it", "code"},
		{Changed, "lands on a page nobody knows", ""},
		{Many, "has many accounts: many-57 has 57, many has 23", ""},
		{None, "signs in and has no accounts", ""},
	}
}

// commonKinds are the kinds every site can show, and those the site adds to them.
func commonKinds(more ...Kind) []Kind {
	return append([]Kind{Plain, Code, Wrong, Locked, Expired, Unfinished, Nag, Captcha, Down, Slow, Ends, Changed, Many, None}, more...)
}

// parseUser reads the kind and the number of accounts out of a user name. A name of no kind gives its first part as it
// stands, which no site can show.
func parseUser(user string) (Kind, int) {
	first := strings.ToLower(user)
	if end := strings.IndexAny(first, ".+@"); end >= 0 {
		first = first[:end]
	}
	name, count, counted := strings.Cut(first, "-")
	if Kind(name) == Many && counted {
		if n, err := strconv.Atoi(count); err == nil && n >= 0 && n <= maxAccounts {
			return Many, n
		}
	}
	switch Kind(first) {
	case Many:
		return Many, manyByDefault
	case None:
		return None, 0
	}
	return Kind(first), 1
}

// maxAccounts bounds many-N, so that a slip of the finger does not fill the memory.
const maxAccounts = 100_000

func (k Kind) asksFor() string {
	for _, info := range Kinds() {
		if info.Kind == k {
			return info.AsksFor
		}
	}
	return ""
}
