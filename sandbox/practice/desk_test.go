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

// quiet is a desk on which nothing happens by itself.
func quiet() *desk {
	return newDesk(Options{ResendAfter: time.Nanosecond, EndsAfter: time.Hour}.withDefaults())
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
	d, u := quiet(), demo()
	_, v := d.login("s", u, "code@example.com", Password)
	require.NoError(t, d.send(v, ""))
	code := d.look(v).asks.code
	require.Equal(t, 1, sideBySide(20, func(int) bool { return d.submit(v, code) == right }))
	require.Equal(t, Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 20, CodesWrong: 19, SignIns: 1}, d.ledger(u, "code@example.com"))
}

func TestAnAccountIsLockedOnceHoweverManyFail(t *testing.T) {
	t.Parallel()
	d, u := quiet(), demo()
	locked := sideBySide(20, func(i int) bool {
		said, _ := d.login(fmt.Sprint(i), u, "plain@example.com", "wrong")
		return said == accountLocked
	})
	require.Equal(t, 20-(rejectionsToLock-1), locked)
	require.Equal(t, Ledger{Logins: 20, LoginsRejected: 20, Lockouts: 1}, d.ledger(u, "plain@example.com"))
}

func TestATicketIsGoodOnceHoweverManyUseIt(t *testing.T) {
	t.Parallel()
	d := quiet()
	_, v := d.login("s", demo(), "plain@example.com", Password)
	ticket := d.ticket(v)
	require.Same(t, v, d.bearer(ticket))
	require.Equal(t, 1, sideBySide(20, func(i int) bool { return d.join(fmt.Sprint("session", i), ticket) != nil }))
	require.Nil(t, d.bearer(ticket))
	require.Nil(t, d.join("s", "made-up"))
}

func TestManyCustomersDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	d, u := quiet(), demo()
	in := sideBySide(50, func(i int) bool {
		user := fmt.Sprintf("code.%d@example.com", i)
		_, v := d.login(user, u, user, Password)
		if d.send(v, "") != nil || d.submit(v, d.inbox(u, user)[0].Code) != right {
			return false
		}
		d.shown(v)
		d.shown(v)
		return d.visit(user) == v
	})
	require.Equal(t, 50, in)
	for _, l := range d.ledgers() {
		require.Equal(t, Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 1, SignIns: 1, MetersRead: 1}, l.Ledger, l.User)
	}
}

// TestHowAVisitGoesOn takes one visit from stage to stage.
func TestHowAVisitGoesOn(t *testing.T) {
	t.Parallel()
	d, u := quiet(), demo()
	_, v := d.login("s", u, "choice@example.com", Password)
	require.Equal(t, "choice", d.look(v).asks.kind)
	require.Equal(t, ended, d.submit(nobody(u), "1"), "a visit that never signed in")
	require.Equal(t, wrong, d.submit(v, ""), "an empty code is a wrong one, and the first of three")
	require.ErrorIs(t, d.send(v, "pigeon"), errNoOption)
	require.NoError(t, d.send(v, "email"))
	require.Equal(t, "code", d.look(v).asks.kind)
	require.NoError(t, d.send(v, ""), "again, the way chosen before")
	require.Equal(t, "email", d.look(v).asks.sent.ID)
	require.Equal(t, right, d.submit(v, " "+d.look(v).asks.code+"\n"))
	require.Equal(t, inside, d.look(v).is)
	require.Empty(t, d.look(v).asks.code, "nothing is asked any more")
	require.ErrorIs(t, d.send(v, ""), errEnded, "nor is a code sent")
	d.leave("s")
	require.Nil(t, d.visit("s"))
	require.ErrorIs(t, d.send(nil, ""), errEnded)
	require.Equal(t, nowhere, d.look(nil).is)
}

func nobody(u *utility) *visit { return &visit{account: newAccount(u, "plain@example.com")} }

func TestASecondLoginTakesThePlaceOfTheFirst(t *testing.T) {
	t.Parallel()
	d, u := quiet(), demo()
	_, first := d.login("s", u, "plain@example.com", Password)
	require.Same(t, first, d.visit("s"))
	d.login("s", u, "plain@example.com", "wrong")
	require.Nil(t, d.visit("s"), "a rejected login signs out whoever was in")
	_, second := d.login("s", u, "plain.b@example.com", Password)
	require.Same(t, second, d.visit("s"))
}

func TestTheEndOfASessionIsCountedOnce(t *testing.T) {
	t.Parallel()
	d, u := newDesk(Options{EndsAfter: time.Nanosecond}.withDefaults()), demo()
	_, v := d.login("s", u, "ends@example.com", Password)
	require.Equal(t, asked, d.look(v).is, "it does not end before a code was sent")
	require.NoError(t, d.send(v, ""))
	require.Equal(t, over, d.look(v).is)
	require.Equal(t, ended, d.submit(v, "1"))
	require.Equal(t, 1, d.ledger(u, "ends@example.com").SessionsEnded)

	v2 := &visit{account: v.account, stage: inside, endsAt: time.Now().Add(-time.Hour)}
	require.Equal(t, inside, d.look(v2).is, "who got in stays in")
}

func TestPickingAnAccount(t *testing.T) {
	t.Parallel()
	d, u := quiet(), demo()
	_, v := d.login("s", u, "many-3@example.com", Password)
	second := d.look(v).records[1].AccountNumber
	require.False(t, d.pick(v, ""))
	require.False(t, d.pick(v, second+"0"))
	require.Empty(t, d.look(v).picked)
	require.True(t, d.pick(v, second))
	require.Equal(t, second, d.look(v).picked)
}

func TestOutagesAreTheUtilitysOwn(t *testing.T) {
	t.Parallel()
	d := quiet()
	d.setOutage(demo(), time.Now().Add(time.Hour))
	require.True(t, d.isDown(demo()))
	require.False(t, d.isDown(heco()))
	d.setOutage(demo(), time.Time{})
	require.False(t, d.isDown(demo()))
}

// TestNumbersOfEveryUtility draws many accounts of each and looks at every number.
func TestNumbersOfEveryUtility(t *testing.T) {
	t.Parallel()
	for _, u := range utilities() {
		seen, states, classes := map[string]bool{}, map[string]int{}, map[string]int{}
		for _, r := range newAccount(u, "many-200@example.com").records {
			for kind, d := range map[string]struct {
				digits
				number string
			}{"account": {u.shape.account, r.AccountNumber}, "service": {u.shape.service, r.ServiceIdentifier}, "meter": {digits{length: u.shape.meterDigits}, r.MeterNumber}} {
				require.Len(t, d.number, d.length, "%s %s", u.id, kind)
				require.True(t, strings.HasPrefix(d.number, d.prefix), "%s %s", u.id, kind)
				require.NotContains(t, strings.TrimPrefix(d.number, d.prefix), "0", "leading zeros get lost on some sites")
				require.False(t, seen[d.number], "%s %s is given twice", u.id, d.number)
				seen[d.number] = true
			}
			require.Equal(t, fmt.Sprintf("%s, %s, %s %s", r.Street, r.City, r.State, r.Zip), r.ServiceAddress)
			require.Regexp(t, `^\d{5}$`, r.Zip)
			require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`, r.UUID)
			require.Equal(t, r.Gas(), r.Tariff == u.shape.gasTariff && u.shape.gasTariff != "", "%s: the tariff goes with the service", u.id)
			states[r.Status]++
			classes[r.ServiceClass]++
		}
		require.Len(t, states, 2, "%s has open accounts and closed ones", u.id)
		require.Equal(t, u.shape.gasTariff != "", classes["gas"] > 0, u.id)
	}
}

// TestOneAccountMayHaveSeveralMeters at the same place.
func TestOneAccountMayHaveSeveralMeters(t *testing.T) {
	t.Parallel()
	for _, u := range utilities() {
		records := newAccount(u, "plain@example.com").records
		require.Len(t, records, u.shape.perAccount, u.id)
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
		require.Equal(t, want[u.id], u.shape.shows(all), u.id)
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
	s := &site{utility: demo(), desk: newDesk(Options{SlowDelay: time.Hour}.withDefaults())}
	_, v := s.desk.login("s", s.utility, "slow@example.com", Password)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.dawdle(ctx, v), context.Canceled)
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
	said, err := s.submit(&call{httptest.NewRecorder(), r, v}, "1")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, ended, said)
	require.Zero(t, s.desk.ledger(s.utility, "slow@example.com").CodesSubmitted, "no code was decided on")
	said, err = s.submit(&call{httptest.NewRecorder(), r, nil}, "1")
	require.NoError(t, err)
	require.Equal(t, ended, said)
}

// TestWhatCannotBeWritten is an error of ours that shows as one.
func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	writeJSON(answer, http.StatusOK, func() {})
	require.Equal(t, http.StatusInternalServerError, answer.Code)

	s := &site{utility: demo(), desk: quiet(), pages: &pages{}, log: Options{}.withDefaults().Log}
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
