package practice_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func TestRightPasswordSignsInAndIsCounted(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	require.Equal(t, "/meters", c.signsIn("plain.a@example.com", practice.Password).location)
	require.Contains(t, c.gets(demo+"/meters").body, metersOf(t, srv, "DEMO", "plain.a@example.com")[0].MeterNumber)
	c.gets(demo + "/meters")
	require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, ledgerOf(t, srv, "DEMO", "plain.a@example.com"))
}

func TestNobodyReadsMetersUnlessSignedIn(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	require.Equal(t, "/sign-in", c.gets(demo+"/meters").location)
	c.signsIn("code.a@example.com", practice.Password)
	require.Equal(t, "/sign-in", c.gets(demo+"/meters").location, "the code is still awaited")
}

func TestThreeRejectedLoginsLockAnAccount(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "plain.lock@example.com"
	require.Contains(t, c.signsIn(user, "one").body, "not right")
	require.Contains(t, c.signsIn(user, "two").body, "not right")
	require.Contains(t, c.signsIn(user, "three").body, "locked")
	require.Contains(t, c.signsIn(user, practice.Password).body, "locked", "the right password comes too late")
	require.Equal(t, practice.Ledger{Logins: 4, LoginsRejected: 4, Lockouts: 1}, ledgerOf(t, srv, "DEMO", user))
}

func TestARightPasswordForgivesTheRejectedOnes(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	for range 3 {
		c.signsIn("plain.slip@example.com", "not it")
		require.Equal(t, "/meters", c.signsIn("plain.slip@example.com", practice.Password).location)
	}
}

func TestUserNamesThatAreNoKindAreTurnedAway(t *testing.T) {
	t.Parallel()
	srv := start(t)
	require.Contains(t, newClient(t, srv).signsIn("alice@example.com", practice.Password).body, "not right")
	require.Equal(t, 1, ledgerOf(t, srv, "DEMO", "alice@example.com").LoginsRejected)
}

func TestKindsASiteCannotShowAreTurnedAway(t *testing.T) {
	t.Parallel()
	srv := start(t)
	got := newClient(t, srv).posts("https://myenergycenter.com/portal/PreLogin/Validate", `{"username": "question@example.com", "password": "practice"}`)
	require.Contains(t, got.body, "incorrect")
}

func TestUserNamesDifferInMoreThanCase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	newClient(t, srv).signsIn(" Plain.Case@Example.com ", practice.Password)
	require.Equal(t, 1, ledgerOf(t, srv, "DEMO", "plain.case@example.com").SignIns)
}

func TestWhereALoginEnds(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for user, location := range map[string]string{
		"expired@example.com": "/notice/password-expired", "unfinished@example.com": "/notice/finish-registration",
		"captcha@example.com": "/notice/captcha", "nag@example.com": "/tips", "changed@example.com": "/experience/begin",
		"choice@example.com": "/method", "question@example.com": "/question", "code@example.com": "/code", "slow@example.com": "/code",
		"ends@example.com": "/code", "many@example.com": "/meters", "none@example.com": "/meters",
	} {
		t.Run(user, func(t *testing.T) {
			c := newClient(t, srv)
			require.Equal(t, location, c.signsIn(user, practice.Password).location)
			require.Equal(t, http.StatusOK, c.gets(demo+location).status)
		})
	}
	require.Equal(t, http.StatusServiceUnavailable, newClient(t, srv).signsIn("down@example.com", practice.Password).status)
}

func TestOnlyTheNagOfThisSessionIsDismissed(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	c.signsIn("nag.b@example.com", practice.Password)
	require.Equal(t, "/meters", c.fills(demo+"/tips", "want", "no").location)
	require.Equal(t, "/tips", c.signsIn("nag.b@example.com", practice.Password).location)
}

func TestSlowAccountsWait(t *testing.T) {
	t.Parallel()
	const slow = 300 * time.Millisecond
	c := newClient(t, start(t, func(o *practice.Options) { o.SlowDelay = slow }))
	began := time.Now()
	c.signsIn("slow@example.com", practice.Password)
	require.GreaterOrEqual(t, time.Since(began), slow)
	require.Contains(t, c.gets(demo+"/code").body, `data-late="300"`)
}

func TestMetersAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	one, other := start(t), start(t)
	require.Equal(t, metersOf(t, one, "CONED", "plain@example.com"), metersOf(t, other, "CONED", "plain@example.com"))
	require.NotEqual(t, metersOf(t, one, "CONED", "plain@example.com"), metersOf(t, one, "CONED", "plain.b@example.com"))
	require.NotEqual(t, metersOf(t, one, "CONED", "plain@example.com"), metersOf(t, one, "DEMO", "plain@example.com"))
}

func TestNumberOfAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for user, want := range map[string]int{
		"many@example.com": 23, "many-57@example.com": 57, "many-57.b@example.com": 57, "many-0@example.com": 0, "none@example.com": 0,
	} {
		list := metersOf(t, srv, "BGE", user)
		require.Len(t, list, want, user)
		numbers := map[string]bool{}
		for _, m := range list {
			numbers[m.AccountNumber] = true
		}
		require.Len(t, numbers, want, "each account has its own number")
	}
}

func TestSitesShowNoMoreThanTheyDo(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for _, id := range []string{"ACE", "BGE", "COMED", "PEPCO", "PECO", "SCE"} {
		require.Empty(t, metersOf(t, srv, id, "plain@example.com")[0].MeterNumber, id)
	}
	full := metersOf(t, srv, "DEMO", "plain@example.com")[0]
	for _, field := range []string{full.AccountNumber, full.MeterNumber, full.ServiceIdentifier, full.ServiceAddress, full.ServiceClass, full.Tariff, full.Status} {
		require.NotEmpty(t, field)
	}
	require.Len(t, metersOf(t, srv, "HECO", "plain@example.com")[0].AccountNumber, 12)
	require.Equal(t, "8", metersOf(t, srv, "SCE", "plain@example.com")[0].ServiceIdentifier[:1])
}
