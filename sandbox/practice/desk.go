package practice

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// codesToEnd is how many wrong codes end a session.
const codesToEnd = 3

var (
	errEnded    = errors.New("the session has ended")
	errCooling  = errors.New("a code was sent a moment ago")
	errNoOption = errors.New("no such way to get a code")
)

// desk is everything the practice utilities remember. All of it stands behind one lock: the work done under it is short.
type desk struct {
	opts Options

	mu       sync.Mutex
	accounts map[string]*account
	sessions map[string]*visit // by session cookie
	tickets  map[string]*visit // by one-time ticket or bearer token
	outages  map[string]time.Time
}

func newDesk(opts Options) *desk {
	return &desk{
		opts: opts, accounts: map[string]*account{}, sessions: map[string]*visit{},
		tickets: map[string]*visit{}, outages: map[string]time.Time{},
	}
}

// stage is how far a visit has come.
type stage int

const (
	nowhere stage = iota // nobody has signed in
	asked                // a code or answer is awaited
	inside
	over // ended by the site
)

// visit is one sign-in, from the right password to its end, seen by every host of the site it passes through.
type visit struct {
	account   *account
	stage     stage
	challenge challenge
	endsAt    time.Time // zero: not by itself
	nag       bool      // there is still something to dismiss
	read      bool      // the meter list was shown
	picked    string    // the account number chosen on the site, if it has such a thing
}

// challenge is what a visit waits for. A code is good once, for this visit alone.
type challenge struct {
	kind     string // code, choice or question
	question string
	sent     option
	code     string
	sentAt   time.Time
	wrong    int
}

// account finds the account of a user name, or opens it. The lock is held by the caller.
func (d *desk) account(u *utility, user string) *account {
	user = strings.ToLower(strings.TrimSpace(user))
	key := u.id + "/" + user
	if d.accounts[key] == nil {
		d.accounts[key] = newAccount(u, user)
	}
	return d.accounts[key]
}

// login decides on a user name and a password typed in a browser session and begins a visit if they are right.
func (d *desk) login(session string, u *utility, user, password string) (verdict, *visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.account(u, user)
	v := &visit{account: a, stage: asked, nag: a.kind == Nag}
	delete(d.sessions, session)
	said := a.judge(password)
	switch said {
	case admitted:
		d.enter(v)
	case challenged:
		v.challenge.kind = a.asksFor()
	default:
		return said, v
	}
	d.sessions[session] = v
	a.visits = append(a.visits, v)
	return said, v
}

// skipChallenge lets a visit in without the code: the site knows the browser.
func (d *desk) skipChallenge(v *visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enter(v)
}

func (d *desk) enter(v *visit) {
	v.stage, v.challenge, v.endsAt = inside, challenge{}, time.Time{}
	v.account.ledger.SignIns++
}

func (d *desk) end(v *visit) {
	if v.stage != over {
		v.stage, v.challenge = over, challenge{}
		v.account.ledger.SessionsEnded++
	}
}

// settle ends a visit whose time has come. Everything that looks at a visit looks at a settled one.
func (d *desk) settle(v *visit) {
	if !v.endsAt.IsZero() && v.stage == asked && !time.Now().Before(v.endsAt) {
		d.end(v)
	}
}

// seen is what a visit looks like at one moment.
type seen struct {
	user    string
	kind    Kind
	is      stage
	asks    challenge
	endsIn  time.Duration // zero: not by itself
	nag     bool
	picked  string
	slow    bool
	records []record
	options []option
}

// shown gives the meters as far as the site shows them.
func (s seen) shown(u *utility) []Meter {
	list := make([]Meter, 0, len(s.records))
	for _, r := range s.records {
		list = append(list, u.shape.shows(r.Meter))
	}
	return list
}

// look tells how a visit stands. Without a visit, nobody has signed in.
func (d *desk) look(v *visit) seen {
	if v == nil {
		return seen{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle(v)
	s := seen{
		user: v.account.user, kind: v.account.kind, is: v.stage, asks: v.challenge, nag: v.nag, picked: v.picked,
		slow: v.account.kind == Slow, records: v.account.records, options: v.account.options(),
	}
	if !v.endsAt.IsZero() && v.stage == asked {
		s.endsIn = time.Until(v.endsAt)
	}
	return s
}

// visit gives the visit of a browser session, or nil.
func (d *desk) visit(session string) *visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[session]
}

// leave forgets the visit of a browser session.
func (d *desk) leave(session string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, session)
}

// ask shows the security question, and tells the practice phone its answer.
func (d *desk) ask(v *visit) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	question, answer := v.account.security()
	v.challenge.question, v.challenge.code, v.challenge.sentAt = question, answer, time.Now()
	v.account.inbox = append(v.account.inbox, Message{
		At: time.Now(), Method: "question", Code: answer, Text: fmt.Sprintf("The answer to %q is %q.", question, answer),
	})
	return question
}

// send makes a new code and delivers it. An empty option means the usual way or, for a further code, the one used
// before. The earlier code is void from then on.
func (d *desk) send(v *visit, optionID string) error {
	if v == nil {
		return errEnded
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle(v)
	if v.stage != asked {
		return errEnded
	}
	to, err := v.target(optionID)
	if err != nil {
		return err
	}
	if to == v.challenge.sent && time.Since(v.challenge.sentAt) < d.opts.ResendAfter {
		return errCooling
	}
	code := randomCode()
	v.challenge.kind, v.challenge.sent, v.challenge.code, v.challenge.sentAt = "code", to, code, time.Now()
	v.account.deliver(to, code)
	if v.account.kind == Ends && v.endsAt.IsZero() {
		v.endsAt = time.Now().Add(d.opts.EndsAfter)
	}
	return nil
}

func (v *visit) target(optionID string) (option, error) {
	if optionID == "" && v.challenge.sent.ID != "" {
		return v.challenge.sent, nil
	}
	if optionID == "" {
		return v.account.options()[0], nil
	}
	to, known := v.account.option(optionID)
	if !known {
		return option{}, errNoOption
	}
	return to, nil
}

func (a *account) deliver(to option, code string) {
	a.ledger.CodesSent++
	a.inbox = append(a.inbox, Message{
		At: time.Now(), Method: to.Method, To: to.To, Code: code,
		Text: fmt.Sprintf("Practice utility %s: your code is %s. It works once.", a.utility.id, code),
	})
}

// outcome is what a site makes of a code or an answer.
type outcome string

const (
	right outcome = "right"
	wrong outcome = "wrong"
	ended outcome = "ended" // by this wrong code or before it
)

// submit decides on a code or an answer.
func (d *desk) submit(v *visit, given string) outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle(v)
	v.account.ledger.CodesSubmitted++
	if v.stage == asked && d.matches(v.challenge, given) {
		d.enter(v)
		return right
	}
	v.account.ledger.CodesWrong++
	if v.stage != asked {
		return ended
	}
	v.challenge.wrong++
	if v.challenge.wrong < codesToEnd {
		return wrong
	}
	d.end(v)
	return ended
}

func (d *desk) matches(c challenge, given string) bool {
	fresh := time.Since(c.sentAt) < d.opts.CodeLifetime
	return fresh && c.code != "" && strings.EqualFold(strings.TrimSpace(given), c.code)
}

// dismiss closes what stood between the visit and its accounts.
func (d *desk) dismiss(v *visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.nag = false
}

// pick chooses one of the visit's accounts; it tells whether there is such an account.
func (d *desk) pick(v *visit, accountNumber string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range v.account.records {
		if r.AccountNumber == accountNumber {
			v.picked = accountNumber
			return true
		}
	}
	return false
}

// shown notes that the visit's account or meter list was shown; a visit counts once.
func (d *desk) shown(v *visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !v.read {
		v.read = true
		v.account.ledger.MetersRead++
	}
}

// ticket makes a token by which another host of the site can join the visit.
func (d *desk) ticket(v *visit) string {
	token := rand.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tickets[token] = v
	return token
}

// bearer gives the visit behind a token, or nil.
func (d *desk) bearer(token string) *visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tickets[token]
}

// join makes a browser session on another host part of the visit behind the ticket, which is used up.
func (d *desk) join(session, ticket string) *visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.tickets[ticket]
	if v != nil {
		delete(d.tickets, ticket)
		d.sessions[session] = v
	}
	return v
}

func randomCode() string { return fmt.Sprintf("%06d", randomBelow(1_000_000)) }

// randomBelow draws a number from 0 to n-1.
func randomBelow(n uint64) uint64 {
	raw := make([]byte, 8)
	// The error is documented to be nil at all times.
	_, _ = rand.Read(raw)
	return binary.BigEndian.Uint64(raw) % n
}
