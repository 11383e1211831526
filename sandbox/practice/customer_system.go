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

// maxWrongCodes is how many wrong codes end a session.
const maxWrongCodes = 3

var (
	errEnded    = errors.New("the session has ended")
	errCooling  = errors.New("a code was sent a moment ago")
	errNoOption = errors.New("no such way to get a code")
)

// customerSystem is what utilities call their customer information system: everything the practice utilities remember of
// their customers' accounts, sessions and outages. All of it stands behind one lock: the work done under it is short.
type customerSystem struct {
	opts Options

	mu       sync.Mutex
	accounts map[string]*account
	sessions map[string]*session // by cookie
	tickets  map[string]*session // by one-time ticket or bearer token
	outages  map[string]time.Time
}

func newCustomerSystem(opts Options) *customerSystem {
	return &customerSystem{
		opts: opts, accounts: map[string]*account{}, sessions: map[string]*session{},
		tickets: map[string]*session{}, outages: map[string]time.Time{},
	}
}

// account finds the account of a user name, or opens it. The lock is held by the caller.
func (cs *customerSystem) account(u *utility, user string) *account {
	user = strings.ToLower(strings.TrimSpace(user))
	key := u.id + "/" + user
	if cs.accounts[key] == nil {
		cs.accounts[key] = newAccount(u, user)
	}
	return cs.accounts[key]
}

// login decides on a user name and a password typed by the browser with this cookie and begins a session if they are right.
func (cs *customerSystem) login(cookie string, u *utility, user, password string) (loginResult, *session) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	a := cs.account(u, user)
	sess := &session{account: a, state: awaitingCode, nag: a.kind == Nag}
	delete(cs.sessions, cookie)
	result := a.checkLogin(password)
	switch result {
	case admitted:
		cs.signIn(sess)
	case challenged:
		sess.challenge.kind = a.asksFor()
	default:
		return result, sess
	}
	cs.sessions[cookie] = sess
	a.sessions = append(a.sessions, sess)
	return result, sess
}

// skipChallenge lets a session in without the code: the site knows the browser.
func (cs *customerSystem) skipChallenge(sess *session) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.signIn(sess)
}

func (cs *customerSystem) signIn(sess *session) {
	sess.state, sess.challenge, sess.endsAt = signedIn, challenge{}, time.Time{}
	sess.account.ledger.SignIns++
}

func (cs *customerSystem) end(sess *session) {
	if sess.state != endedBySite {
		sess.state, sess.challenge = endedBySite, challenge{}
		sess.account.ledger.SessionsEnded++
	}
}

// endIfDue ends a session whose time has come. It goes before everything that looks at one.
func (cs *customerSystem) endIfDue(sess *session) {
	if !sess.endsAt.IsZero() && sess.state == awaitingCode && !time.Now().Before(sess.endsAt) {
		cs.end(sess)
	}
}

// snapshot tells how a session stands. Without one, nobody has signed in.
func (cs *customerSystem) snapshot(sess *session) snapshot {
	if sess == nil {
		return snapshot{}
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.endIfDue(sess)
	s := snapshot{
		user: sess.account.user, kind: sess.account.kind, state: sess.state, challenge: sess.challenge, nag: sess.nag, pickedAccount: sess.pickedAccount,
		slow: sess.account.kind == Slow, records: sess.account.records, options: sess.account.options(),
	}
	if !sess.endsAt.IsZero() && sess.state == awaitingCode {
		s.endsIn = time.Until(sess.endsAt)
	}
	return s
}

// sessionOf gives the session of a cookie, or nil.
func (cs *customerSystem) sessionOf(cookie string) *session {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.sessions[cookie]
}

// forget forgets the session of a cookie.
func (cs *customerSystem) forget(cookie string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.sessions, cookie)
}

// askQuestion shows the security question, and tells the practice phone its answer.
func (cs *customerSystem) askQuestion(sess *session) string {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	question, answer := sess.account.security()
	sess.challenge.question, sess.challenge.code, sess.challenge.sentAt = question, answer, time.Now()
	sess.account.inbox = append(sess.account.inbox, Message{
		At: time.Now(), Method: "question", Code: answer, Text: fmt.Sprintf("The answer to %q is %q.", question, answer),
	})
	return question
}

// sendCode makes a new code and delivers it. An empty option means the usual way or, for a further code, the one used
// before. The earlier code is void from then on.
func (cs *customerSystem) sendCode(sess *session, optionID string) error {
	if sess == nil {
		return errEnded
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.endIfDue(sess)
	if sess.state != awaitingCode {
		return errEnded
	}
	to, err := sess.target(optionID)
	if err != nil {
		return err
	}
	if to == sess.challenge.sent && time.Since(sess.challenge.sentAt) < cs.opts.ResendAfter {
		return errCooling
	}
	code := randomCode()
	sess.challenge.kind, sess.challenge.sent, sess.challenge.code, sess.challenge.sentAt = "code", to, code, time.Now()
	sess.account.deliver(to, code)
	if sess.account.kind == Ends && sess.endsAt.IsZero() {
		sess.endsAt = time.Now().Add(cs.opts.EndsAfter)
	}
	return nil
}

func (a *account) deliver(to option, code string) {
	a.ledger.CodesSent++
	a.inbox = append(a.inbox, Message{
		At: time.Now(), Method: to.Method, To: to.To, Code: code,
		Text: fmt.Sprintf("Practice utility %s: your code is %s. It works once.", a.utility.id, code),
	})
}

// codeResult is what a site makes of a code or an answer.
type codeResult string

const (
	codeRight    codeResult = "right"
	codeWrong    codeResult = "wrong"
	sessionEnded codeResult = "ended" // by this wrong code or before it
)

// submitCode decides on a code or an answer.
func (cs *customerSystem) submitCode(sess *session, given string) codeResult {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.endIfDue(sess)
	sess.account.ledger.CodesSubmitted++
	if sess.state == awaitingCode && cs.matches(sess.challenge, given) {
		cs.signIn(sess)
		return codeRight
	}
	sess.account.ledger.CodesWrong++
	if sess.state != awaitingCode {
		return sessionEnded
	}
	sess.challenge.wrong++
	if sess.challenge.wrong < maxWrongCodes {
		return codeWrong
	}
	cs.end(sess)
	return sessionEnded
}

func (cs *customerSystem) matches(c challenge, given string) bool {
	fresh := time.Since(c.sentAt) < cs.opts.CodeLifetime
	return fresh && c.code != "" && strings.EqualFold(strings.TrimSpace(given), c.code)
}

// dismissNag closes what stood between the session and its accounts.
func (cs *customerSystem) dismissNag(sess *session) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	sess.nag = false
}

// pickAccount chooses one of the session's accounts; it tells whether there is such an account.
func (cs *customerSystem) pickAccount(sess *session, accountNumber string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, r := range sess.account.records {
		if r.AccountNumber == accountNumber {
			sess.pickedAccount = accountNumber
			return true
		}
	}
	return false
}

// noteMetersRead notes that the session's account or meter list was shown; a session counts once.
func (cs *customerSystem) noteMetersRead(sess *session) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !sess.metersRead {
		sess.metersRead = true
		sess.account.ledger.MetersRead++
	}
}

// issueTicket makes a token by which another host of the site can join the session.
func (cs *customerSystem) issueTicket(sess *session) string {
	token := rand.Text()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.tickets[token] = sess
	return token
}

// ticketSession gives the session behind a token, or nil.
func (cs *customerSystem) ticketSession(token string) *session {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.tickets[token]
}

// join lets the cookie of another host stand for the session behind the ticket, which is used up.
func (cs *customerSystem) join(cookie, ticket string) *session {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	sess := cs.tickets[ticket]
	if sess != nil {
		delete(cs.tickets, ticket)
		cs.sessions[cookie] = sess
	}
	return sess
}

func randomCode() string { return fmt.Sprintf("%06d", randomBelow(1_000_000)) }

// randomBelow draws a number from 0 to n-1.
func randomBelow(n uint64) uint64 {
	raw := make([]byte, 8)
	// The error is documented to be nil at all times.
	_, _ = rand.Read(raw)
	return binary.BigEndian.Uint64(raw) % n
}
