package practice

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// Password is the right password of every practice account.
const Password = "practice"

// maxRejectedLogins is how many rejected passwords in a row lock an account.
const maxRejectedLogins = 3

// Ledger counts what an account went through, so that a test can prove nothing happened twice.
type Ledger struct {
	Logins         int `json:"logins"`          // user name and password submitted
	LoginsRejected int `json:"logins_rejected"` // of these, turned away: wrong password or locked account
	CodesSent      int `json:"codes_sent"`      // codes that reached the practice phone
	CodesSubmitted int `json:"codes_submitted"` // codes or answers submitted
	CodesWrong     int `json:"codes_wrong"`     // of these, turned away
	Lockouts       int `json:"lockouts"`        // times the account was locked by rejected passwords
	SignIns        int `json:"sign_ins"`        // times somebody got in
	SessionsEnded  int `json:"sessions_ended"`  // sessions the site ended, by time or by too many wrong codes
	MetersRead     int `json:"meters_read"`     // signed-in sessions to which the account or meter list was shown
	MFATurnedOff   int `json:"mfa_turned_off"`  // times MFA was turned off in the settings
}

// Message is something that reached the practice phone or mailbox of an account. Method "question" is no message a site
// sends: it tells people the answer to the security question they were asked.
type Message struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"` // sms, call, email or question
	To     string    `json:"to"`     // masked
	Text   string    `json:"text"`
	Code   string    `json:"code"`
}

// account is one customer's account at one utility. The customer system's lock guards it.
type account struct {
	utility    *utility
	user       string
	kind       Kind
	count      int
	mfa        bool
	locked     bool
	rejections int
	ledger     Ledger
	inbox      []Message
	sessions   []*session
	records    []meterRecord
}

func newAccount(u *utility, user string) *account {
	kind, count := parseUser(user)
	return &account{
		utility: u, user: user, kind: kind, count: count,
		locked: kind == Locked, mfa: kind.asksFor() != "", inbox: []Message{},
		records: u.meters.generate(u.id, user, count),
	}
}

// loginResult is what a site makes of a user name and a password.
type loginResult string

const (
	admitted        loginResult = "admitted"
	challenged      loginResult = "challenged"
	rejected        loginResult = "rejected"
	accountLocked   loginResult = "locked"
	passwordExpired loginResult = "password_expired"
	notRegistered   loginResult = "registration_unfinished"
	captchaAsked    loginResult = "captcha"
	siteBroken      loginResult = "unavailable"
)

// checkLogin decides on a login and writes it into the ledger.
func (a *account) checkLogin(password string) loginResult {
	a.ledger.Logins++
	switch {
	case a.kind == Down:
		return siteBroken
	case a.kind == Captcha:
		return captchaAsked
	case a.locked:
		a.ledger.LoginsRejected++
		return accountLocked
	case a.kind == Wrong || !a.utility.can(a.kind) || password != Password:
		return a.reject()
	}
	a.rejections = 0
	switch {
	case a.kind == Expired:
		return passwordExpired
	case a.kind == Unfinished:
		return notRegistered
	case a.mfa:
		return challenged
	}
	return admitted
}

func (a *account) reject() loginResult {
	a.ledger.LoginsRejected++
	a.rejections++
	if a.rejections < maxRejectedLogins {
		return rejected
	}
	a.locked = true
	a.ledger.Lockouts++
	return accountLocked
}

// asksFor tells what an account protected by MFA is asked for. One of a kind that knows no MFA can still turn it on.
func (a *account) asksFor() string {
	if kind := a.kind.asksFor(); kind != "" {
		return kind
	}
	return "code"
}

// option is one way to get a code.
type option struct {
	ID     string // what the site calls it
	Method string // sms, call or email
	To     string // masked
}

// address gives the masked target of a method: slot 0 is the first phone, slot 1 a second one.
func (a *account) address(method string, slot int) string {
	if method == "email" {
		name, domain, _ := strings.Cut(a.user, "@")
		if domain == "" {
			domain = "example.com"
		}
		return fmt.Sprintf("%.1s*****@%s", name, domain)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "phone/%s/%s/%d", a.utility.id, a.user, slot))
	return fmt.Sprintf("(***) ***-%04d", (int(sum[0])<<8|int(sum[1]))%10_000)
}

// options lists the ways in which this account can get a code, the usual one first.
func (a *account) options() []option {
	var list []option
	for _, m := range a.utility.methods {
		list = append(list, option{ID: m.id, Method: m.by, To: a.address(m.by, m.phone)})
	}
	return list
}

func (a *account) option(id string) (option, bool) {
	for _, o := range a.options() {
		if o.ID == id {
			return o, true
		}
	}
	return option{}, false
}

// security gives the question this account answers. It is the same every time.
func (a *account) security() (question, answer string) {
	questions := [][2]string{
		{"What was the name of your first pet?", "biscuit"},
		{"In which town did your parents meet?", "riverton"},
		{"What was the make of your first car?", "corolla"},
	}
	sum := sha256.Sum256([]byte("question/" + a.user))
	picked := questions[int(sum[0])%len(questions)]
	return picked[0], picked[1]
}
