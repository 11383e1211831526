package dashboard

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func credentials(password string) url.Values {
	return url.Values{"email": {patsEmail}, "password": {password}}
}

// cookieOf is the session cookie that an answer sets, nil without one.
func cookieOf(a answer) *http.Cookie {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if strings.Contains(cookie.Name, "session") {
			return cookie
		}
	}
	return nil
}

func TestTheCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	t.Parallel()
	for address, secure := range map[string]bool{"http://127.0.0.1:8400": false, "https://portal.example": true} {
		f := newFixture(t, options{portalURL: address})
		cookie := cookieOf(f.visitor().post("/dashboard/sign-in", credentials(rightPassword)))
		require.NotNil(t, cookie)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
		require.Equal(t, secure, cookie.Secure)
		require.Equal(t, secure, strings.HasPrefix(cookie.Name, "__Host-"))
		require.Equal(t, "/", cookie.Path)
		require.Empty(t, cookie.Domain)
		require.Equal(t, int((12 * time.Hour).Seconds()), cookie.MaxAge)
	}
}

func TestAWrongPasswordSaysNothingAboutTheAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.visitor()
	wrong := v.post("/dashboard/sign-in", credentials("wrong password"))
	unknown := v.post("/dashboard/sign-in", url.Values{"email": {"nobody@acme.example"}, "password": {"wrong password"}})
	endless := v.post("/dashboard/sign-in", credentials(strings.Repeat("x", 10_000)))
	for _, a := range []answer{wrong, unknown, endless} {
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Contains(t, a.body, "do not belong together")
		require.Nil(t, cookieOf(a))
	}
	require.Equal(t, strings.ReplaceAll(wrong.body, patsEmail, ""), strings.ReplaceAll(unknown.body, "nobody@acme.example", ""))
}

func TestEveryPageSendsStrangersToSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	for _, path := range []string{"/dashboard/requests", "/dashboard/requests/new", "/dashboard/imports", "/dashboard/keys", "/dashboard/webhooks",
		"/dashboard/numbers", "/dashboard/account", "/dashboard/nowhere", "/dashboard/requests/live"} {
		a := f.visitor().get(path)
		require.Equal(t, http.StatusSeeOther, a.status, path)
		require.True(t, strings.HasPrefix(a.location(), "/dashboard/sign-in"), path)
	}
	a := f.visitor().post("/dashboard/keys", url.Values{"name": {"mine"}})
	require.Equal(t, http.StatusSeeOther, a.status)
	keys, err := f.store.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, keys)
}

func TestAFragmentAskedForAfterSigningOutLeadsToSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dashboard/requests", http.NoBody)
	r.Header.Set("HX-Request", "true")
	recorder := httptest.NewRecorder()
	f.handler.ServeHTTP(recorder, r)
	require.Equal(t, http.StatusUnauthorized, recorder.Code)
	require.Equal(t, "/dashboard/sign-in", recorder.Header().Get("HX-Redirect"))
}

func TestSigningInLeadsOnToOurPagesOnly(t *testing.T) {
	t.Parallel()
	for next, leads := range map[string]string{
		"/dashboard/numbers?days=7": "/dashboard/numbers?days=7", "": "/dashboard/requests", "https://evil.example/": "/dashboard/requests",
		"//evil.example/dashboard/": "/dashboard/requests", "/api/v2/forms": "/dashboard/requests", `/\evil.example`: "/dashboard/requests",
		"/dashboard/%zz": "/dashboard/requests",
	} {
		require.Equal(t, leads, map[bool]string{true: ours(next), false: listPath}[ours(next) != ""], next)
	}
	f := newFixture(t, options{})
	form := credentials(rightPassword)
	form.Set("next", "/dashboard/keys")
	require.Equal(t, "/dashboard/keys", f.visitor().post("/dashboard/sign-in", form).location())
}

// Whoever knew the token before somebody signed in (fixation) gains nothing by it.
func TestSigningInChangesTheToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.visitor()
	first := cookieOf(v.post("/dashboard/sign-in", credentials(rightPassword)))
	second := cookieOf(v.post("/dashboard/sign-in", credentials(rightPassword)))
	require.NotEqual(t, first.Value, second.Value)
	require.Equal(t, http.StatusSeeOther, f.with(first.Value).status, "the session before has ended")
	require.Equal(t, http.StatusOK, f.with(second.Value).status)
	require.Equal(t, http.StatusSeeOther, f.with(strings.Repeat("a", 52)+".1").status, "a token of somebody's own making is none")
}

// with asks for the list with a session cookie of this value.
func (f *fixture) with(value string) answer {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.server.URL+"/dashboard/requests", http.NoBody)
	require.NoError(f.t, err)
	r.Header.Set("Cookie", "meterkey-session="+value)
	v := f.visitor()
	return v.do(r)
}

func TestSigningOutEndsTheSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.visitor()
	cookie := cookieOf(v.post("/dashboard/sign-in", credentials(rightPassword)))
	out := v.post("/dashboard/sign-out", nil)
	require.Equal(t, http.StatusSeeOther, out.status)
	require.Negative(t, cookieOf(out).MaxAge)
	require.Equal(t, http.StatusSeeOther, f.with(cookie.Value).status)
}

func TestASessionLastsForAsLongAsItIsUsed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	cookie := cookieOf(f.visitor().post("/dashboard/sign-in", credentials(rightPassword)))
	old := strings.Split(cookie.Value, ".")[0] + ".1000000000" // as if given long ago
	require.Nil(t, cookieOf(f.with(cookie.Value)), "a fresh one is not renewed with every page")
	f.clock.Store(int64(11 * time.Hour))
	require.NotNil(t, cookieOf(f.with(old)), "renewed")
	f.clock.Store(int64(22 * time.Hour))
	require.Equal(t, http.StatusOK, f.with(cookie.Value).status, "eleven hours after the renewal")
	f.clock.Store(int64(24 * time.Hour))
	require.Equal(t, http.StatusSeeOther, f.with(old).status, "unused for more than twelve hours")
}

func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.visitor()
	for range accountAttempts {
		require.Equal(t, http.StatusUnauthorized, v.post("/dashboard/sign-in", credentials("")).status)
	}
	a := v.post("/dashboard/sign-in", credentials(rightPassword))
	require.Equal(t, http.StatusTooManyRequests, a.status, "even with the right password")
	require.Contains(t, a.body, "too many attempts")
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Nil(t, cookieOf(a))
}

func TestAStrangersFormIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.server.URL+"/dashboard/keys", strings.NewReader("name=evil"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range header {
			r.Header.Set(name, value)
		}
		require.Equal(t, http.StatusForbidden, v.do(r).status)
	}
	keys, err := f.store.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, keys)
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	here, elsewhere := f.signedIn(patsEmail), f.signedIn(patsEmail)
	form := url.Values{"old": {"wrong password"}, "new": {"a new long password"}}
	require.Contains(t, here.post("/dashboard/account", form).body, "This is not your present password.")
	form = url.Values{"old": {rightPassword}, "new": {"short"}}
	require.Contains(t, here.post("/dashboard/account", form).body, "at least 10 characters")
	form.Set("new", "a new long password")
	require.Equal(t, http.StatusSeeOther, here.post("/dashboard/account", form).status)
	require.Equal(t, http.StatusOK, here.get("/dashboard/account").status, "still signed in here")
	require.Equal(t, http.StatusSeeOther, elsewhere.get("/dashboard/account").status, "signed out elsewhere")
	require.Equal(t, http.StatusSeeOther, f.visitor().post("/dashboard/sign-in", credentials("a new long password")).status)
}

func TestAnEndlessFormIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	a := f.signedIn(patsEmail).post("/dashboard/keys", url.Values{"name": {strings.Repeat("x", maxForm+1)}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "The name is missing")
}
