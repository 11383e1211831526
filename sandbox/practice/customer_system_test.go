package practice

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newTestSystem is a customer system in which nothing happens by itself.
func newTestSystem() *customerSystem {
	return newCustomerSystem(Options{ResendAfter: time.Nanosecond, EndsAfter: time.Hour}.withDefaults())
}

// sideBySide does something many times at once and counts how often it came out true.
func sideBySide(times int, do func(i int) bool) int {
	var all sync.WaitGroup
	var came atomic.Int32
	begin := make(chan struct{})
	for i := range times {
		all.Go(func() {
			<-begin
			if do(i) {
				came.Add(1)
			}
		})
	}
	close(begin)
	all.Wait()
	return int(came.Load())
}

// TestACodeIsGoodOnceHoweverManyTryIt is what the ledger's promise rests on.
func TestACodeIsGoodOnceHoweverManyTryIt(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	_, sess := cs.login("s", u, "code@example.com", Password)
	require.NoError(t, cs.sendCode(sess, ""))
	code := cs.snapshot(sess).challenge.code
	require.Equal(t, 1, sideBySide(20, func(int) bool { return cs.submitCode(sess, code) == codeRight }))
	require.Equal(t, Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 20, CodesWrong: 19, SignIns: 1}, cs.ledger(u, "code@example.com"))
}

func TestAnAccountIsLockedOnceHoweverManyFail(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	locked := sideBySide(20, func(i int) bool {
		result, _ := cs.login(fmt.Sprint(i), u, "plain@example.com", "wrong")
		return result == accountLocked
	})
	require.Equal(t, 20-(maxRejectedLogins-1), locked)
	require.Equal(t, Ledger{Logins: 20, LoginsRejected: 20, Lockouts: 1}, cs.ledger(u, "plain@example.com"))
}

func TestATicketIsGoodOnceHoweverManyUseIt(t *testing.T) {
	t.Parallel()
	cs := newTestSystem()
	_, sess := cs.login("s", demo(), "plain@example.com", Password)
	ticket := cs.issueTicket(sess)
	require.Same(t, sess, cs.ticketSession(ticket))
	require.Equal(t, 1, sideBySide(20, func(i int) bool { return cs.join(fmt.Sprint("session", i), ticket) != nil }))
	require.Nil(t, cs.ticketSession(ticket))
	require.Nil(t, cs.join("s", "made-up"))
}

func TestManyCustomersDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	in := sideBySide(50, func(i int) bool {
		user := fmt.Sprintf("code.%d@example.com", i)
		_, sess := cs.login(user, u, user, Password)
		if cs.sendCode(sess, "") != nil || cs.submitCode(sess, cs.inbox(u, user)[0].Code) != codeRight {
			return false
		}
		cs.noteMetersRead(sess)
		cs.noteMetersRead(sess)
		return cs.sessionOf(user) == sess
	})
	require.Equal(t, 50, in)
	for _, l := range cs.ledgers() {
		require.Equal(t, Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 1, SignIns: 1, MetersRead: 1}, l.Ledger, l.User)
	}
}

// TestHowASessionGoesOn takes one session from state to state.
func TestHowASessionGoesOn(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	_, sess := cs.login("s", u, "choice@example.com", Password)
	require.Equal(t, "choice", cs.snapshot(sess).challenge.kind)
	require.Equal(t, sessionEnded, cs.submitCode(nobody(u), "1"), "a session that never signed in")
	require.Equal(t, codeWrong, cs.submitCode(sess, ""), "an empty code is a wrong one, and the first of three")
	require.ErrorIs(t, cs.sendCode(sess, "pigeon"), errNoOption)
	require.NoError(t, cs.sendCode(sess, "email"))
	require.Equal(t, "code", cs.snapshot(sess).challenge.kind)
	require.NoError(t, cs.sendCode(sess, ""), "again, the way chosen before")
	require.Equal(t, "email", cs.snapshot(sess).challenge.sent.ID)
	require.Equal(t, codeRight, cs.submitCode(sess, " "+cs.snapshot(sess).challenge.code+"\n"))
	require.Equal(t, signedIn, cs.snapshot(sess).state)
	require.Empty(t, cs.snapshot(sess).challenge.code, "nothing is asked any more")
	require.ErrorIs(t, cs.sendCode(sess, ""), errEnded, "nor is a code sent")
	cs.forget("s")
	require.Nil(t, cs.sessionOf("s"))
	require.ErrorIs(t, cs.sendCode(nil, ""), errEnded)
	require.Equal(t, signedOut, cs.snapshot(nil).state)
}

func nobody(u *utility) *session { return &session{account: newAccount(u, "plain@example.com")} }

func TestASecondLoginTakesThePlaceOfTheFirst(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	_, first := cs.login("s", u, "plain@example.com", Password)
	require.Same(t, first, cs.sessionOf("s"))
	cs.login("s", u, "plain@example.com", "wrong")
	require.Nil(t, cs.sessionOf("s"), "a rejected login signs out whoever was in")
	_, second := cs.login("s", u, "plain.b@example.com", Password)
	require.Same(t, second, cs.sessionOf("s"))
}

func TestTheEndOfASessionIsCountedOnce(t *testing.T) {
	t.Parallel()
	cs, u := newCustomerSystem(Options{EndsAfter: time.Nanosecond}.withDefaults()), demo()
	_, sess := cs.login("s", u, "ends@example.com", Password)
	require.Equal(t, awaitingCode, cs.snapshot(sess).state, "it does not end before a code was sent")
	require.NoError(t, cs.sendCode(sess, ""))
	require.Equal(t, endedBySite, cs.snapshot(sess).state)
	require.Equal(t, sessionEnded, cs.submitCode(sess, "1"))
	require.Equal(t, 1, cs.ledger(u, "ends@example.com").SessionsEnded)

	v2 := &session{account: sess.account, state: signedIn, endsAt: time.Now().Add(-time.Hour)}
	require.Equal(t, signedIn, cs.snapshot(v2).state, "who got in stays in")
}

func TestPickingAnAccount(t *testing.T) {
	t.Parallel()
	cs, u := newTestSystem(), demo()
	_, sess := cs.login("s", u, "many-3@example.com", Password)
	second := cs.snapshot(sess).records[1].AccountNumber
	require.False(t, cs.pickAccount(sess, ""))
	require.False(t, cs.pickAccount(sess, second+"0"))
	require.Empty(t, cs.snapshot(sess).pickedAccount)
	require.True(t, cs.pickAccount(sess, second))
	require.Equal(t, second, cs.snapshot(sess).pickedAccount)
}

func TestOutagesAreTheUtilitysOwn(t *testing.T) {
	t.Parallel()
	cs := newTestSystem()
	cs.setOutage(demo(), time.Now().Add(time.Hour))
	require.True(t, cs.isDown(demo()))
	require.False(t, cs.isDown(heco()))
	cs.setOutage(demo(), time.Time{})
	require.False(t, cs.isDown(demo()))
}

// TestNumbersOfEveryUtility draws many accounts of each and looks at every number.
func TestNumbersOfEveryUtility(t *testing.T) {
	t.Parallel()
	for _, u := range utilities() {
		seen, states, classes := map[string]bool{}, map[string]int{}, map[string]int{}
		for _, r := range newAccount(u, "many-200@example.com").records {
			for kind, d := range map[string]struct {
				numberFormat
				number string
			}{"account": {u.meters.account, r.AccountNumber}, "service": {u.meters.service, r.ServiceIdentifier}, "meter": {numberFormat{length: u.meters.meterDigits}, r.MeterNumber}} {
				require.Len(t, d.number, d.length, "%s %s", u.id, kind)
				require.True(t, strings.HasPrefix(d.number, d.prefix), "%s %s", u.id, kind)
				require.NotContains(t, strings.TrimPrefix(d.number, d.prefix), "0", "leading zeros get lost on some sites")
				require.False(t, seen[d.number], "%s %s is given twice", u.id, d.number)
				seen[d.number] = true
			}
			require.Equal(t, fmt.Sprintf("%s, %s, %s %s", r.Street, r.City, r.State, r.Zip), r.ServiceAddress)
			require.Regexp(t, `^\d{5}$`, r.Zip)
			require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`, r.UUID)
			require.Equal(t, r.Gas(), r.Tariff == u.meters.gasTariff && u.meters.gasTariff != "", "%s: the tariff goes with the service", u.id)
			states[r.Status]++
			classes[r.ServiceClass]++
		}
		require.Len(t, states, 2, "%s has open accounts and closed ones", u.id)
		require.Equal(t, u.meters.gasTariff != "", classes["gas"] > 0, u.id)
	}
}

// TestOneAccountMayHaveSeveralMeters at the same place.
func TestOneAccountMayHaveSeveralMeters(t *testing.T) {
	t.Parallel()
	for _, u := range utilities() {
		records := newAccount(u, "plain@example.com").records
		require.Len(t, records, u.meters.perAccount, u.id)
		require.Equal(t, 1, accountCount(records), u.id)
		for _, r := range records {
			require.Equal(t, records[0].ServiceAddress, r.ServiceAddress)
			require.Equal(t, records[0].Status, r.Status)
		}
	}
}

// TestWhatEachSiteShows are the fields that the real sites are known to show, and no others.
func TestWhatEachSiteShows(t *testing.T) {
	t.Parallel()
	all := Meter{"account", "meter", "service", "address", "class", "tariff", "status"}
	exelonShows := Meter{"account", "", "service", "address", "class", "tariff", "status"}
	want := map[string]Meter{
		"DEMO": all, "ACE": exelonShows, "BGE": exelonShows, "COMED": exelonShows, "PECO": exelonShows, "PEPCO": exelonShows,
		"CONED":      {"account", "meter", "", "address", "class", "", ""},
		"EVERSOURCE": {"account", "meter", "", "address", "class", "", "status"},
		"HECO":       {"account", "meter", "", "address", "", "tariff", "status"},
		"PSEG":       {"account", "meter", "", "address", "class", "", ""},
		"SCE":        {"", "", "service", "address", "", "tariff", ""},
		"SDGE":       {"account", "meter", "", "", "class", "", ""},
	}
	for _, u := range utilities() {
		require.Equal(t, want[u.id], u.meters.shows(all), u.id)
	}
}

func TestUsualOptions(t *testing.T) {
	t.Parallel()
	usual := Options{}.withDefaults()
	require.Equal(t, "127.0.0.1:0", usual.Addr)
	require.NotNil(t, usual.Log)
	require.Equal(t, 10*time.Minute, usual.CodeLifetime)
	require.Equal(t, 8*time.Second, usual.EndsAfter)
	own := Options{Addr: "localhost:1", FormDelay: 1, SlowDelay: 2, EndsAfter: 3, ResendAfter: 4, CodeLifetime: 5, Log: usual.Log}
	require.Equal(t, own, own.withDefaults(), "what was set stays")
}

func TestLoopbackAddresses(t *testing.T) {
	t.Parallel()
	for addr, fine := range map[string]bool{
		"127.0.0.1:0": true, "127.9.9.9:80": true, "[::1]:4000": true, "localhost:1": true, "0.0.0.0:1": false, "10.0.0.1:1": false,
		"[fe80::1]:1": false, "localhost.evil.example:1": false, "": false, "127.0.0.1": false, ":1": false,
	} {
		require.Equal(t, fine, loopbackOnly(addr) == nil, addr)
	}
}

// TestASlowAccountWhoseCallerLeaves is not waited for.
func TestASlowAccountWhoseCallerLeaves(t *testing.T) {
	t.Parallel()
	s := &site{utility: demo(), system: newCustomerSystem(Options{SlowDelay: time.Hour}.withDefaults())}
	_, sess := s.system.login("s", s.utility, "slow@example.com", Password)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.delayIfSlow(ctx, sess), context.Canceled)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
	result, err := s.submitCode(&exchange{httptest.NewRecorder(), r, sess}, "1")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, sessionEnded, result)
	require.Zero(t, s.system.ledger(s.utility, "slow@example.com").CodesSubmitted, "no code was decided on")
	result, err = s.submitCode(&exchange{httptest.NewRecorder(), r, nil}, "1")
	require.NoError(t, err)
	require.Equal(t, sessionEnded, result)
}

// TestWhatCannotBeWritten is an error of ours that shows as one.
func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	writeJSON(answer, http.StatusOK, func() {})
	require.Equal(t, http.StatusInternalServerError, answer.Code)

	s := &site{utility: demo(), system: newTestSystem(), pages: &pages{}, log: Options{}.withDefaults().Log}
	answer = httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	s.show(answer, r, "no/such", "", nil)
	require.Equal(t, http.StatusInternalServerError, answer.Code)
	answer = httptest.NewRecorder()
	s.fail(answer, r, errNoOption)
	require.Equal(t, http.StatusInternalServerError, answer.Code)
}

func TestClosingWaitsNoLongerThanToldTo(t *testing.T) {
	t.Parallel()
	srv, err := Start(t.Context(), Options{SlowDelay: time.Hour})
	require.NoError(t, err)
	waiting := make(chan struct{})
	inner := srv.http.Handler
	srv.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { close(waiting); inner.ServeHTTP(w, r) })
	gone := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, srv.URL()+"/sign-in", strings.NewReader("username=slow%40example.com&password="+Password))
		if err == nil {
			r.Host = "demo.localhost"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			var answer *http.Response
			if answer, err = new(http.Client).Do(r); err == nil {
				err = answer.Body.Close()
			}
		}
		gone <- err
	}()
	<-waiting
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, srv.Close(ctx), context.DeadlineExceeded)
	require.Error(t, <-gone, "whoever still waited is let go")
}
