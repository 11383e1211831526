package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/requests"
)

// owned are things of Acme's, one of each kind, by the section of the dashboard that they are in.
func (f *fixture) owned() map[string]string {
	f.t.Helper()
	request := f.record("acme", pastRequest{email: "ana@example.com", utility: "CONED", asked: true, statuses: byCode, meters: 2})
	hook, err := f.store.AddWebhook(f.t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://hooks.acme.example/", SecretSealed: "sealed", Enabled: true})
	require.NoError(f.t, err)
	key, _, err := f.store.AddKey(f.t.Context(), "acme", "Ledger", nil)
	require.NoError(f.t, err)
	kept, err := f.store.AddImport(f.t.Context(), store.Import{RequesterUID: "acme", FileName: "customers.csv"},
		[]store.ImportRow{{Line: 2, Email: "import@example.com", Outcome: store.ImportReady}})
	require.NoError(f.t, err)
	return map[string]string{"requests": request, "keys": key.UID, "webhooks": hook.UID, "imports": kept.UID}
}

// addresses are all routes of a method, with the uids of things that are there.
func addresses(t *testing.T, method string, own map[string]string) []string {
	t.Helper()
	var all []string
	for _, route := range routes(t) {
		verb, path, _ := strings.Cut(route, " ")
		if verb == method && path != signInPath && path != "/dashboard/sign-out" {
			section := strings.Split(path, "/")[2]
			all = append(all, strings.NewReplacer("{uid}", own[section], "{delivery}", "none", "{action}", "archive", "{$}", "").Replace(path))
		}
	}
	return all
}

// state is all of Acme's that a page could change.
func (f *fixture) state(own map[string]string) string {
	f.t.Helper()
	request, err := f.store.Request(f.t.Context(), "acme", own["requests"])
	require.NoError(f.t, err)
	authorization, err := f.store.Authorization(f.t.Context(), "acme", request.AuthorizationUID)
	require.NoError(f.t, err)
	listed, err := f.store.ListRequests(f.t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(f.t, err)
	keys, err := f.store.Keys(f.t.Context(), "acme")
	require.NoError(f.t, err)
	hooks, err := f.store.Webhooks(f.t.Context(), "acme")
	require.NoError(f.t, err)
	imports, err := f.store.Imports(f.t.Context(), "acme", 10)
	require.NoError(f.t, err)
	events, err := f.store.ListEvents(f.t.Context(), store.EventFilter{Requester: "acme"})
	require.NoError(f.t, err)
	return fmt.Sprint(request.Updated, request.IsArchived, authorization.Revoked, len(listed.Items), keys[0].Revoked, len(keys), hooks, imports, len(events.Items))
}

// No form does anything for whoever is not signed in, was signed in, or comes from another site's page.
func TestNoFormServesStrangers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	own := f.owned()
	before := f.state(own)
	signedIn := f.signedIn(patsEmail)
	posts := addresses(t, http.MethodPost, own)
	require.Greater(t, len(posts), 12)
	form := url.Values{"name": {"mine"}, "url": {"https://evil.example/"}, "email": {"a@b.example"}, "old": {rightPassword}, "new": {"a new long password"}}
	for _, address := range posts {
		a := f.visitor().post(address, form)
		require.Equal(t, http.StatusSeeOther, a.status, address)
		require.Equal(t, signInPath, a.location(), "%s: a form is not to be sent again after signing in", address)
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.server.URL+address, strings.NewReader(form.Encode()))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			require.Equal(t, http.StatusForbidden, signedIn.do(r).status, "%s with %s", address, name)
		}
	}
	require.Equal(t, before, f.state(own))
	require.Equal(t, http.StatusSeeOther, f.visitor().post(signInPath, credentials(rightPassword)).status, "the password was changed")
}

// No page shows anything to whoever is not signed in, and none of them is kept by a browser or a proxy for somebody else.
func TestNoPageServesStrangers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	own := f.owned()
	v := f.signedIn(patsEmail)
	for _, address := range addresses(t, http.MethodGet, own) {
		a := f.visitor().get(address)
		require.Equal(t, http.StatusSeeOther, a.status, address)
		require.NotContains(t, a.body, "ana@example.com", address)
		if strings.HasSuffix(address, "/live") {
			continue // a stream: it has no end to be read to
		}
		page := v.get(address)
		require.Contains(t, page.header.Get("Cache-Control"), "no-store", address)
		if page.status == http.StatusOK {
			require.NotEmpty(t, page.header.Get("Content-Security-Policy"), address)
		}
	}
}

// Who is shut out is out at once, in the middle of a session, and in again when let in.
func TestAShutOutRequestersPeopleAreOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v, sams := f.signedIn(patsEmail), f.signedIn(rivalsEmail)
	shut := func(out bool) {
		_, err := f.store.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme Solar", Disabled: out})
		require.NoError(t, err)
	}
	shut(true)
	require.Equal(t, http.StatusSeeOther, v.get("/dashboard/requests").status)
	require.Equal(t, http.StatusUnauthorized, f.visitor().post(signInPath, credentials(rightPassword)).status)
	require.Equal(t, http.StatusOK, sams.get("/dashboard/requests").status, "others stay in")
	shut(false)
	require.Equal(t, http.StatusOK, v.get("/dashboard/requests").status)
}

// A password that an operator sets ends every session: whoever had found the old one out is out.
func TestANewPasswordEndsEverySession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	here, there := f.signedIn(patsEmail), f.signedIn(patsEmail)
	require.NoError(t, f.store.SetPassword(t.Context(), patsEmail, "set by the operator"))
	for _, v := range []*visitor{here, there} {
		require.Equal(t, http.StatusSeeOther, v.get("/dashboard/requests").status)
	}
	require.Equal(t, http.StatusUnauthorized, here.post(signInPath, credentials(rightPassword)).status)
	require.Equal(t, http.StatusSeeOther, here.post(signInPath, credentials("set by the operator")).status)
}

// A session that ended while a form was filled in leads to sign in, and nothing of the form is done.
func TestAFormSentAfterTheSessionsEndDoesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	require.Equal(t, http.StatusOK, v.get("/dashboard/keys").status)
	f.clock.Store(int64(13 * time.Hour))
	a := v.post("/dashboard/keys", url.Values{"name": {"late"}})
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, signInPath, a.location())
	keys, err := f.store.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, keys)
	page := v.get("/dashboard/requests?q=ana&status=connected")
	require.Equal(t, signInPath+"?next="+url.QueryEscape("/dashboard/requests?q=ana&status=connected"), page.location(), "where one was is found again")
	require.Contains(t, v.get(page.location()).body, `value="/dashboard/requests?q=ana&amp;status=connected"`)
}

func TestWhoIsSignedInNeedNotSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	require.Equal(t, listPath, f.signedIn(patsEmail).get(signInPath).location())
	require.Equal(t, http.StatusOK, f.visitor().get(signInPath).status)
	require.Equal(t, listPath, f.visitor().get("/dashboard/").location())
	out := f.visitor().post("/dashboard/sign-out", nil)
	require.Equal(t, signInPath, out.location(), "signing out twice is signing out")
}

// Cookies that browsers do not make open nothing and break nothing.
func TestOddCookies(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	good := cookieOf(f.visitor().post(signInPath, credentials(rightPassword))).Value
	token, _, _ := strings.Cut(good, ".")
	for value, status := range map[string]int{"": 303, ".": 303, "." + token: 303, token + "x": 303, strings.ToUpper(token): 303, strings.Repeat("a", 5000): 303,
		token: 200, token + ".soon": 200, token + ".-1": 200, token + ".99999999999999999999": 200, good + "; meterkey-session=other": 200} {
		require.Equal(t, status, f.with(value).status, "%.40q", value)
	}
}

// An office shares an address, a guesser goes through many accounts from one: after some dozens in a minute it is enough.
func TestManyAccountsFromOneAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.visitor()
	tooMany := 0
	for i := range addressAttempts + 5 {
		a := v.post(signInPath, url.Values{"email": {fmt.Sprintf("p%d@acme.example", i)}, "password": {""}})
		if a.status == http.StatusTooManyRequests {
			tooMany++
			require.Contains(t, a.body, "too many attempts")
		}
	}
	require.Positive(t, tooMany)
	require.LessOrEqual(t, tooMany, 5+addressAttempts/2, "an office was shut out early")
}

// A database that is away is our fault: pages say so in words, without a cause, and nobody is signed out by it.
func TestPagesWithoutADatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	own := f.owned()
	v := f.signedIn(patsEmail)
	require.NoError(t, f.store.Close())
	for _, address := range append(addresses(t, http.MethodGet, own), "/dashboard/nowhere") {
		if address == "/dashboard/" {
			continue // a redirect
		}
		a := v.get(address)
		require.Equal(t, http.StatusInternalServerError, a.status, address)
		require.Contains(t, a.body, "Something went wrong on our side", address)
		require.NotContains(t, a.body, "sql", address)
		require.Nil(t, cookieOf(a), address)
	}
	for _, address := range append(addresses(t, http.MethodPost, own), signInPath, "/dashboard/sign-out") {
		a := v.post(address, credentials(rightPassword))
		require.Equal(t, http.StatusInternalServerError, a.status, address)
		require.Nil(t, cookieOf(a), address)
	}
}

func TestPasswordsThatCannotBe(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	v := f.signedIn(patsEmail)
	for fresh, says := range map[string]string{"": "at least 10 characters", "123456789": "at least 10 characters", "ééééééééé": "at least 10 characters",
		strings.Repeat("x", maxPassword+1): "at most 200 characters"} {
		a := v.post(accountPath, url.Values{"old": {rightPassword}, "new": {fresh}})
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.body, says)
		require.NotContains(t, a.body, rightPassword, "a password is shown")
	}
	longest := strings.Repeat("x", maxPassword)
	require.Equal(t, http.StatusSeeOther, v.post(accountPath, url.Values{"old": {rightPassword}, "new": {longest}}).status)
	require.Equal(t, http.StatusSeeOther, f.visitor().post(signInPath, credentials(longest)).status, "it can be set but not used")
}

// What customers and utilities wrote is text on every page, never part of it.
func TestTextsArePartOfNoPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	const evil = `"><script>alert(1)</script>`
	uid := f.record("acme", pastRequest{email: "ana@example.com", name: "Ana" + evil, nickname: "Roof" + evil, utility: "CONED", asked: true, statuses: asked})
	_, _, err := f.store.AddKey(t.Context(), "acme", "Key"+evil, nil)
	require.NoError(t, err)
	_, err = f.store.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: evil + ".csv", Ignored: evil},
		[]store.ImportRow{{Line: 2, Email: evil, Name: evil, Outcome: store.ImportBad, Problem: "email: " + evil}})
	require.NoError(t, err)
	kept, err := f.store.Imports(t.Context(), "acme", 1)
	require.NoError(t, err)
	v := f.signedIn(patsEmail)
	for _, path := range []string{listPath, listPath + "?q=" + url.QueryEscape(evil), listPath + "/" + uid, listPath + "/" + uid + "/cancel", keysPath, importsPath,
		importsPath + "/" + kept[0].UID, listPath + "?utility=" + url.QueryEscape(evil), signInPath + "?next=" + url.QueryEscape("/dashboard/"+evil)} {
		require.NotContains(t, v.get(path).body, "<script>alert", path)
		require.NotContains(t, f.visitor().get(path).body, "<script>alert", path)
	}
	require.Contains(t, v.get(listPath+"/"+uid).body, "&lt;script&gt;alert(1)")
	for _, form := range []url.Values{{"email": {evil}, "name": {evil}, "nickname": {evil}, "utility": {evil}, "expires": {evil}, "uid": {evil}}} {
		a := v.post(listPath+"/new", form)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.NotContains(t, a.body, "<script>alert")
		require.Contains(t, a.body, "&lt;script&gt;", "what was typed is still there")
	}
}

// A code that comes too late, for another question, or that is blank is passed to nobody.
func TestLateCodesArePassedToNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{}) // whoever passed one would find no Temporal
	v := f.signedIn(patsEmail)
	open := f.record("acme", pastRequest{email: "a@example.com", utility: "CONED", asked: true, statuses: asked})
	over := f.record("acme", pastRequest{email: "b@example.com", utility: "CONED", asked: true, statuses: byCode})
	for address, form := range map[string]url.Values{
		open: {"challenge": {"c-0"}, "code": {"123456"}}, over: {"challenge": {"c-1"}, "code": {"123456"}},
	} {
		require.Equal(t, listPath+"/"+address+"?done=late", v.post(listPath+"/"+address+"/code", form).location())
	}
	require.Contains(t, v.post(listPath+"/"+open+"/code", url.Values{"challenge": {"c-1"}, "code": {" \t"}}).location(), "done=late")
}

func TestWordsOfAQuestion(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]meterkey.Challenge{"The answer that the customer tells you": {Kind: meterkey.SecurityAnswer, Digits: 6},
		"The code of 6 digits that the customer reads out": {Kind: meterkey.NumberCode, Digits: 6}, "The code that the customer reads out": {Kind: meterkey.NumberCode}} {
		require.Equal(t, says, codeLabel(&c))
	}
	for expires, says := range map[string]string{"": "when it is revoked", "until_revoked": "when it is revoked", "2027-01-31T23:59:59Z": "after 31 Jan 2027",
		"2027-01-31T23:59:59-05:00": "after 1 Feb 2027", "in_a_year": "in a year"} {
		require.Equal(t, says, scopeWords(store.Scope{Expires: expires}))
	}
	require.Equal(t, "2027-01-31T23:59:59Z", requests.ScopeUntil("2027-01-31").Expires, "the last day counts whole")
	require.Equal(t, "until_revoked", requests.ScopeUntil("").Expires)
}
