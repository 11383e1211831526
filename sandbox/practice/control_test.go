package practice_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func utilitiesOf(t *testing.T, srv *practice.Server) map[string]practice.UtilityInfo {
	t.Helper()
	var list []practice.UtilityInfo
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodGet, "/utilities", "", &list))
	byID := map[string]practice.UtilityInfo{}
	for _, u := range list {
		byID[u.ID] = u
	}
	return byID
}

func TestEveryUtilityIsServed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	all := utilitiesOf(t, srv)
	require.Equal(t, []string{"ACE", "BGE", "COMED", "CONED", "DEMO", "EVERSOURCE", "HECO", "PECO", "PEPCO", "PSEG", "SCE", "SDGE"},
		slices.Sorted(maps.Keys(all)))
	for id, u := range all {
		require.Equal(t, id == "CONED" || id == "DEMO", slices.Contains(u.Kinds, practice.Question), id)
		got := newClient(t, srv).gets(u.LoginURL)
		require.Contains(t, []int{http.StatusOK, http.StatusFound}, got.status, id)
	}
}

func TestEveryPageSaysItIsPractice(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for _, u := range utilitiesOf(t, srv) {
		c := newClient(t, srv)
		got := c.gets(u.LoginURL)
		if got.status == http.StatusFound {
			got = c.gets(got.location)
		}
		require.Contains(t, got.body, "practice-banner", u.ID)
	}
	require.Contains(t, newClient(t, srv).gets(srv.URL()+"/").body, "practice-banner")
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":0", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.com:0"} {
		_, err := practice.Start(t.Context(), practice.Options{Addr: addr})
		require.ErrorContains(t, err, "not a loopback address", addr)
	}
	_, err := practice.Start(t.Context(), practice.Options{Addr: "127.0.0.1"})
	require.ErrorContains(t, err, "reading the address")
}

func TestAPortTakenIsToldPlainly(t *testing.T) {
	t.Parallel()
	srv := start(t)
	_, err := practice.Start(t.Context(), practice.Options{Addr: strings.TrimPrefix(srv.URL(), "http://")})
	require.ErrorContains(t, err, "listening for practice sites")
}

func TestHostNamesChooseTheSite(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	require.Contains(t, c.gets(demo+"/sign-in").body, "practice site DEMO")
	require.Equal(t, http.StatusNotFound, c.gets("https://www.coned.com/sign-in").status, "a page of another site")
	u, err := url.Parse(srv.URL())
	require.NoError(t, err)
	require.Equal(t, http.StatusMisdirectedRequest, c.gets("http://evil.example:"+u.Port()+"/").status)
	require.Equal(t, http.StatusMisdirectedRequest, c.gets("http://nobody.localhost:"+u.Port()+"/").status)
}

func TestASessionIsGoodAtItsUtilityAlone(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.signsIn("plain.a@example.com", practice.Password)
	cookies := c.Jar.Cookies(&url.URL{Scheme: "http", Host: "demo.localhost"})
	require.NotEmpty(t, cookies)
	got := newClient(t, srv).gets("https://eservice.hawaiianelectric.com/bdisu/accounts.sap", "Cookie", cookies[0].String())
	require.Equal(t, "/bdisu/logon.sap", got.location)
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	srv := start(t)
	origins := srv.Origins()
	u, err := url.Parse(srv.URL())
	require.NoError(t, err)
	require.Equal(t, "http://coned.localhost:"+u.Port(), origins["https://www.coned.com"])
	require.Equal(t, "http://id.pseg.localhost:"+u.Port(), origins["https://id.myaccount.pseg.com"])
	for origin, here := range origins {
		require.Regexp(t, `^https://[a-z0-9.-]+$`, origin)
		require.NotEqual(t, http.StatusMisdirectedRequest, newClient(t, srv).gets(here+"/").status, here)
	}
	var told map[string]string
	ask(t, srv, http.MethodGet, "/origins", "", &told)
	require.Equal(t, origins, told)
}

func TestAnOutageTakesTheWholeSiteDown(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	status := func(real string) int { return c.gets(real).status }
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodPost, "/outage/pseg", `{"on": true}`, nil))
	require.Equal(t, http.StatusServiceUnavailable, status("https://nj.myaccount.pseg.com/user/login"))
	require.Equal(t, http.StatusServiceUnavailable, status("https://id.myaccount.pseg.com/oauth2/v1/authorize"))
	require.Equal(t, http.StatusOK, status(demo+"/sign-in"), "others stay up")
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodPost, "/outage/PSEG", `{"on": false}`, nil))
	require.Equal(t, http.StatusOK, status("https://nj.myaccount.pseg.com/user/login"))
}

func TestAnOutageEndsByItself(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodPost, "/outage/DEMO", `{"seconds": 0.3}`, nil))
	require.Equal(t, http.StatusServiceUnavailable, c.gets(demo+"/sign-in").status)
	require.Eventually(t, func() bool { return c.gets(demo+"/sign-in").status == http.StatusOK }, 3*time.Minute, 20*time.Millisecond)
}

func TestControlRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for path, body := range map[string]string{"/outage/DEMO": `{}`, "/outage/demo": `[`, "/mfa/DEMO/a@example.com": `{"on": true}`} {
		var told map[string]string
		require.Equal(t, http.StatusBadRequest, ask(t, srv, http.MethodPost, path, body, &told), path)
		require.Contains(t, told["error"], "send {")
	}
	for _, path := range []string{"/ledger/NOBODY/a", "/inbox/NOBODY/a", "/accounts/NOBODY/a"} {
		var told map[string]string
		require.Equal(t, http.StatusNotFound, ask(t, srv, http.MethodGet, path, "", &told))
		require.Contains(t, told["error"], "GET /utilities")
	}
}

func TestPagesFromElsewhereCannotPressTheButtons(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	body := `{"on": true}`
	require.Equal(t, http.StatusForbidden, c.posts(srv.URL()+"/outage/DEMO", body, "Sec-Fetch-Site", "cross-site").status)
	require.Equal(t, http.StatusOK, c.gets(demo+"/sign-in").status)
}

func TestLedgersOfAllAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.signsIn("plain.b@example.com", practice.Password)
	c.signsIn("plain.a@example.com", practice.Password)
	var all []practice.AccountLedger
	ask(t, srv, http.MethodGet, "/ledger", "", &all)
	require.Len(t, all, 2)
	require.Equal(t, "plain.a@example.com", all[0].User)
	require.Equal(t, 1, all[0].Logins)
}

func TestInboxOfAllPhones(t *testing.T) {
	t.Parallel()
	srv := start(t)
	require.Contains(t, newClient(t, srv).gets(srv.URL()+"/inbox").body, "No phone has a message yet.")
	for _, user := range []string{"code.first@example.com", "code.second@example.com"} {
		newClient(t, srv).signsIn(user, practice.Password)
	}
	shown := newClient(t, srv).gets(srv.URL() + "/inbox").body
	first, second := strings.Index(shown, "code.first@"), strings.Index(shown, "code.second@")
	require.Less(t, second, first, "the newest first")
	require.Contains(t, shown[second:first], lastCode(t, srv, "code.second@example.com"))
	require.Contains(t, shown[first:], lastCode(t, srv, "code.first@example.com"))
	require.NotContains(t, newClient(t, srv).gets(srv.URL()+"/inbox?utility=DEMO&user=code.first@example.com").body, "code.second@")
}

func TestFrontPageAndPhone(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.signsIn("code.page@example.com", practice.Password)
	front := c.gets(srv.URL() + "/").body
	for _, want := range []string{"EVERSOURCE", "code.page@example.com", "security question"} {
		require.Contains(t, front, want)
	}
	require.Contains(t, c.gets(srv.URL()+"/inbox?utility=DEMO&user=code.page@example.com").body, lastCode(t, srv, "code.page@example.com"))
	var health map[string]string
	require.Equal(t, http.StatusOK, ask(t, srv, http.MethodGet, "/healthz", "", &health))
	var kinds []practice.KindInfo
	ask(t, srv, http.MethodGet, "/kinds", "", &kinds)
	require.Len(t, kinds, 16)
}
