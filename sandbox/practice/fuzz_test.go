package practice

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What tests, people and browsers send may be anything. Each of these is also a test over its seeds.

// served is a running server whose requests need no network.
func served(tb testing.TB) http.Handler {
	tb.Helper()
	srv, err := Start(context.Background(), Options{SlowDelay: time.Nanosecond, ResendAfter: time.Nanosecond, FormDelay: time.Nanosecond})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, srv.Close(context.Background())) })
	return srv.http.Handler
}

func send(t *testing.T, to http.Handler, method, host, path, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", strings.NewReader(body))
	r.Host, r.URL = host, &url.URL{Path: path}
	r.Header.Set("Content-Type", contentType)
	answer := httptest.NewRecorder()
	to.ServeHTTP(answer, r)
	return answer
}

// FuzzControl sends anything to the endpoints for tests: each answer is JSON and says what would be right.
func FuzzControl(f *testing.F) {
	for _, seed := range [][2]string{
		{"a@example.com", `{"enabled":true}`}, {"a@example.com", `{"on":false}`}, {"", `{"seconds":1e300}`}, {"../..", `{"seconds":-1}`},
		{"a/b", `null`}, {"a b", `[]`}, {"%", `{"on":"yes"}`}, {"<script>", `{"enabled":null}`}, {"many-99999", ``}, {"many-9@x", `{"seconds":NaN}`},
	} {
		f.Add(seed[0], seed[1])
	}
	handler := served(f)
	f.Fuzz(func(t *testing.T, user, body string) {
		for _, path := range []string{"/mfa/DEMO/", "/outage/DEMO", "/mfa/NOBODY/", "/outage/NOBODY"} {
			if strings.HasSuffix(path, "/") {
				path += url.PathEscape(user)
			}
			answer := send(t, handler, http.MethodPost, "127.0.0.1:80", path, "application/json", body)
			if answer.Code == http.StatusMovedPermanently || answer.Code == http.StatusTemporaryRedirect || !json.Valid(answer.Body.Bytes()) {
				require.Contains(t, []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusNotFound}, answer.Code, "a path that is none: %q", path)
				continue
			}
			require.Contains(t, []int{http.StatusOK, http.StatusBadRequest, http.StatusNotFound}, answer.Code)
			if answer.Code != http.StatusOK {
				var told struct{ Error string }
				require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &told))
				require.NotEmpty(t, told.Error)
			}
		}
		send(t, handler, http.MethodPost, "127.0.0.1:80", "/outage/DEMO", "application/json", `{"on":false}`)
	})
}

// FuzzLogins types anything into every site's login: none of them breaks, and nobody gets in without the password.
func FuzzLogins(f *testing.F) {
	for _, seed := range [][2]string{
		{"plain@example.com", "practic"}, {"", ""}, {"many-5@example.com", "Practice"}, {"nag.\x00", "x"}, {"code@é", "practice "}, {"{", `"`},
		{strings.Repeat("x", 5000), "y"},
	} {
		f.Add(seed[0], seed[1])
	}
	handler := served(f)
	f.Fuzz(func(t *testing.T, user, password string) {
		if password == Password {
			password += "?"
		}
		form := func(names ...string) string {
			return url.Values{names[0]: {user}, names[1]: {password}, "request_type": {"RESPONSE"}}.Encode()
		}
		text := func(names ...string) string {
			raw, err := json.Marshal(map[string]any{names[0]: user, names[1]: password, "credentials": map[string]string{"passcode": password}})
			require.NoError(t, err)
			return string(raw)
		}
		for host, c := range map[string][3]string{
			"demo.localhost":    {"/sign-in", "application/x-www-form-urlencoded", form("username", "password")},
			"heco.localhost":    {hecoLogon, "application/x-www-form-urlencoded", form("sap-user", "sap-password")},
			"coned.localhost":   {conedAPI + "Login", "application/json", text("LoginEmail", "LoginPassword")},
			"sce.localhost":     {sceAPI + "authn", "application/json", text("username", "password")},
			"sdge.localhost":    {sdgeLogin, "application/json", text("username", "password")},
			"id.pseg.localhost": {"/idp/idx/challenge/password", "application/json", text("identifier", "x")},
		} {
			answer := send(t, handler, http.MethodPost, host, c[0], c[1], c[2])
			require.Contains(t, []int{http.StatusOK, http.StatusSeeOther, http.StatusServiceUnavailable}, answer.Code, host)
			page, home := answer.Body.String(), answer.Header().Get("Location")
			for _, in := range []string{"/meters", hecoHome, "sessionCookieRedirect", sceHome, sdgeHome, "/login/token/redirect"} {
				require.NotContains(t, page+home, in, "%s let %q in with %q", host, user, password)
			}
		}
	})
}

// FuzzUserNames draws the accounts of anybody: the same every time, and as many as the name says.
func FuzzUserNames(f *testing.F) {
	for _, user := range []string{"plain@example.com", "many-57", "many-100000000000", "many--1", "none.x", "", "@", "ÄÖ", "many-٣", "code+a@b@c", "MANY-3@x", "many-007"} {
		f.Add(user)
	}
	f.Fuzz(func(t *testing.T, user string) {
		kind, count := parseUser(user)
		if count > 500 {
			return // drawing them takes its time
		}
		require.GreaterOrEqual(t, count, 0)
		require.Equal(t, kind == None || kind == Many && count == 0, count == 0)
		a, again := newAccount(demo(), user), newAccount(demo(), user)
		require.Equal(t, a.records, again.records)
		require.Equal(t, count, accountCount(a.records))
		for _, o := range a.options() {
			require.Contains(t, o.To, "***", "no number or address is shown in full")
		}
		if question, answer := a.security(); true {
			require.True(t, strings.HasSuffix(question, "?"))
			require.NotEmpty(t, answer)
		}
	})
}

// FuzzHosts asks under any name: it is one of ours, or nothing is served.
func FuzzHosts(f *testing.F) {
	for _, host := range []string{"demo.localhost:80", "DEMO.LOCALHOST", "127.0.0.1", "[::1]:9", "localhost:", "evil.example", "", ":", "demo.localhost.", "x.demo.localhost", "[", "demo.localhost:80:80"} {
		f.Add(host)
	}
	handler := served(f)
	known := []string{"127.0.0.1", "localhost", "[::1]"}
	for _, u := range utilities() {
		for _, h := range u.hosts {
			known = append(known, h.name(u))
		}
	}
	f.Fuzz(func(t *testing.T, host string) {
		answer := send(t, handler, http.MethodGet, host, "/practice/assets/practice.css", "", "")
		name := strings.ToLower(host)
		ours := slices.ContainsFunc(known, func(k string) bool { return name == k || strings.HasPrefix(name, k+":") })
		if !ours {
			require.Equal(t, http.StatusMisdirectedRequest, answer.Code)
			return
		}
		require.Contains(t, []int{http.StatusOK, http.StatusMisdirectedRequest}, answer.Code)
	})
}

// FuzzPages cuts lists: every page holds rows of the list, and no page is out of bounds.
func FuzzPages(f *testing.F) {
	f.Add(5, 2, 2, "2")
	f.Add(0, -1, 1, "x")
	f.Add(100, 1<<40, 7, "99999999999999999999")
	f.Fuzz(func(t *testing.T, length, number, per int, query string) {
		if length < 0 || length > 1000 || per < 1 || per > 1000 {
			return
		}
		got := paginate(make([]int, length), number, per)
		require.LessOrEqual(t, len(got.Rows), per)
		require.Equal(t, length == 0, len(got.Rows) == 0)
		require.True(t, got.Number >= 1 && got.Number <= got.Pages)
		require.Equal(t, got.Number == got.Pages, got.Next() == 0)
		require.Equal(t, got.Number == 1, got.Previous() == 0)
		require.Positive(t, queryInt(url.Values{"page": {query}}, "page", 1))
	})
}
