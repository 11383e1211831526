package practice_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// What the sites make of requests that come too early, too late, from elsewhere or half made.

func TestPagesBehindASignInSendOthersToIt(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for address, signIn := range map[string]string{
		demo + "/meters": "/sign-in", demo + "/tips": "/sign-in", hecoHost + "accounts.sap": "/bdisu/logon.sap",
		coned + "/en/accounts-billing/my-account": "/en/login", coned + "/en/accounts-billing/my-account/energy-use": "/en/login", conedGet: "/en/login",
		"https://www.sce.com/mysce/myaccount": "/mysce/login", sceHost + "serviceaccounts": "/mysce/login",
		"https://myenergycenter.com/portal/Dashboard/index": "/portal/PreLogin/Validate", "https://myenergycenter.com/portal/Usage/Index": "/portal/PreLogin/Validate",
		"https://nj.myaccount.pseg.com/myaccountdashboard": "/user/login", "https://nj.myaccount.pseg.com/dashboard/selectaccount": "/user/login",
		"https://nj.myaccount.pseg.com/viewmybill/meter-reading": "/user/login", "https://mysmartenergy.nj.pseg.com/Dashboard": "/Saml/okta-prod/SignIn",
		bge + "/accounts/dashboard": "/accounts/login", bge + "/Pages/ChangeAccount.aspx": "/accounts/login",
		bge + "/api/Services/MyAccountService.svc/GetSession": "/accounts/login", ever + "/cg/customer/accountoverview": "/security/account/login",
	} {
		c := newClient(t, srv)
		require.Contains(t, c.gets(address).location, signIn, address)
		require.Contains(t, c.gets(address, "Cookie", "practice_session=made-up").location, signIn, "a session nobody began")
	}
}

// TestStepsOutOfOrder asks for what comes later first.
func TestStepsOutOfOrder(t *testing.T) {
	t.Parallel()
	srv := start(t)
	const over = "/session-ended"
	for name, ask := range map[string]func(*client) answer{
		"the page of a code":                  func(c *client) answer { return c.gets(demo + "/code") },
		"the page of a question":              func(c *client) answer { return c.gets(demo + "/question") },
		"the choice of a way":                 func(c *client) answer { return c.gets(demo + "/method") },
		"choosing a way":                      func(c *client) answer { return c.fills(demo+"/method", "method", "email") },
		"Hawaii's page of a code":             func(c *client) answer { return c.gets(hecoHost + "verify.sap") },
		"Hawaii's wish for a code":            func(c *client) answer { return c.fills(hecoHost+"verify.sap", "delivery", "call") },
		"San Diego's page of a code":          func(c *client) answer { return c.gets(sdgeHost + "TwoStepVerification") },
		"PSEG's wish for a code":              func(c *client) answer { return c.posts(psegHost+"challenge/send", `{"method": "email"}`) },
		"Edison's wish for a code":            func(c *client) answer { return c.posts(sceHost+"authn/send", `{"phone": "1", "method": "call"}`) },
		"Con Edison's code":                   func(c *client) answer { return c.posts(conedAPI+"VerifyFactor", `{"MFACode": "1"}`) },
		"Exelon's page after a step":          func(c *client) answer { return c.gets(bgePolicy + "/api/SelfAsserted/confirmed") },
		"Eversource's offer, put off by none": func(c *client) answer { return everPost(c, "MSSkipEnroll") },
	} {
		got := ask(newClient(t, srv))
		require.Contains(t, got.text(), over, name)
		require.Less(t, got.status, 400, name)
	}
	require.Equal(t, "/user/login", newClient(t, srv).fills("https://nj.myaccount.pseg.com/user/LoginRedirect", "ticket", "made-up").location)
	require.Equal(t, "/Dashboard", newClient(t, srv).fills("https://mysmartenergy.nj.pseg.com/Saml/okta-prod/Acs", "ticket", "made-up").location)
}

// everPost sends with the token of the page, as the page does.
func everPost(c *client, service string) answer {
	c.Helper()
	token := regexp.MustCompile(`formToken&#34;:&#34;([A-Z0-9]+)`).FindStringSubmatch(c.gets(everHost + "login").body)
	require.NotNil(c, token)
	return c.posts(everHost+service, "{}", "__RequestVerificationToken", token[1])
}

func TestExelonWantsTheWholeForm(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	send := func(body string) string {
		return c.asks(http.MethodPost, bgePolicy+"/SelfAsserted", formType, body, "X-CSRF-TOKEN", c.b2c()).body
	}
	require.Contains(t, send("signInName=plain@example.com&password=practice"), "not understood")
	require.Zero(t, ledgerOf(t, c.srv, "BGE", "plain@example.com").Logins)
	require.Contains(t, send("request_type=RESPONSE&signInName=code@example.com&password=practice"), `"status": "200"`)
	require.Contains(t, send("request_type=RESPONSE"), "Verify the code first.")
}

func TestMethodsThatAreNotServed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	for _, address := range []string{conedAPI + "Login", sceHost + "authn", psegHost + "identify", srv.URL() + "/outage/DEMO", srv.URL() + "/mfa/DEMO/a"} {
		require.Equal(t, http.StatusMethodNotAllowed, c.gets(address).status, address)
	}
	for _, address := range []string{demo + "/meters", srv.URL() + "/ledger", srv.URL() + "/utilities"} {
		require.Equal(t, http.StatusMethodNotAllowed, c.posts(address, "{}").status, address)
	}
	for _, address := range []string{demo + "/no/such/page", srv.URL() + "/no/such", demo + "/notice/", demo + "/notice/other", demo + "/practice/assets/none.js", srv.URL() + "/ledger/DEMO"} {
		require.Equal(t, http.StatusNotFound, c.gets(address).status, address)
	}
}

// TestPagesOfEveryHost are the same wherever a session happens to be.
func TestPagesOfEveryHost(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for real := range srv.Origins() {
		c := newClient(t, srv)
		for path, words := range map[string]string{
			"/session-ended": "session has ended", "/notice/captcha": "g-recaptcha", "/notice/password-expired": "password has expired",
			"/notice/finish-registration": "registration", "/experience/begin": "<h1>", "/recaptcha/api2/anchor": "not a robot",
			"/practice/assets/practice.js": "export", "/practice/assets/practice.css": "practice-banner", "/practice/security": "Whose settings?",
		} {
			got := c.gets(real + path)
			require.Equal(t, http.StatusOK, got.status, real+path)
			require.Contains(t, got.body, words, real+path)
		}
		down := c.gets(real + "/maintenance")
		require.Equal(t, http.StatusServiceUnavailable, down.status)
		require.Equal(t, "60", down.header.Get("Retry-After"))
	}
}

func TestPagesAreNeverKept(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	c.signsIn("plain@example.com", practice.Password)
	for _, address := range []string{demo + "/sign-in", demo + "/meters", "https://www.sce.com/mysce/login"} {
		require.Equal(t, "no-store", c.gets(address).header.Get("Cache-Control"), address)
	}
	cookies := c.Jar.Cookies(&url.URL{Scheme: "http", Host: "demo.localhost"})
	require.Len(t, cookies, 1)
	require.Empty(t, c.Jar.Cookies(&url.URL{Scheme: "http", Host: "coned.localhost"}), "no other site sees it")
}

// TestNamesAreShownAsText: whoever calls himself a script is shown as what he wrote.
func TestNamesAreShownAsText(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	const evil = `<script>alert(1)</script>@example.com`
	c.signsIn(evil, "x")
	for _, page := range []string{
		srv.URL() + "/", srv.URL() + "/inbox?utility=DEMO&user=" + url.QueryEscape(evil), demo + "/practice/security?user=" + url.QueryEscape(evil),
	} {
		got := c.gets(page)
		require.Equal(t, http.StatusOK, got.status, page)
		require.NotContains(t, got.body, "<script>alert", page)
		require.Contains(t, got.body, "&lt;script&gt;alert", page)
	}
}

func TestListsThatAreEmptyAreLists(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	for _, path := range []string{"/ledger", "/inbox/DEMO/plain@example.com", "/accounts/DEMO/none@example.com"} {
		require.Equal(t, "[]\n", c.gets(srv.URL()+path).body, path)
	}
	require.Equal(t, practice.Ledger{}, ledgerOf(t, srv, "DEMO", "nobody.yet@example.com"))
	require.Equal(t, http.StatusNotFound, c.gets(srv.URL()+"/inbox?utility=NOBODY&user=a").status)
	require.Contains(t, c.gets(srv.URL()+"/inbox?utility=DEMO&user=code@example.com").body, "No messages for code@example.com yet.")
}

// TestControlKnowsUtilitiesByAnyCase and says the same of an account whatever the case of its name.
func TestControlKnowsUtilitiesByAnyCase(t *testing.T) {
	t.Parallel()
	srv := start(t)
	newClient(t, srv).signsIn("Plain.A@example.com", practice.Password)
	for _, id := range []string{"DEMO", "demo", "Demo"} {
		require.Equal(t, 1, ledgerOf(t, srv, id, "PLAIN.a@EXAMPLE.com").Logins)
	}
}

func TestOutagesOfManyLengths(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	for _, want := range []struct {
		body string
		on   bool
	}{
		{`{"seconds": 1e12}`, true}, {`{"on": false}`, false}, {`{"seconds": 1e300}`, true}, {`{"on": false, "seconds": 5}`, false}, {`{"on": true}`, true},
		{`{"on": false}`, false},
	} {
		var told struct{ On bool }
		require.Equal(t, http.StatusOK, ask(t, srv, http.MethodPost, "/outage/DEMO", want.body, &told), want.body)
		require.Equal(t, want.on, told.On, want.body)
		require.Equal(t, want.on, c.gets(demo+"/sign-in").status == http.StatusServiceUnavailable, want.body)
		require.Equal(t, http.StatusOK, c.gets(demo+"/practice/assets/practice.css").status, "the page of an outage has its looks")
	}
	for _, body := range []string{`{"seconds": 0}`, `{"seconds": -3}`, `{"seconds": "5"}`, `{"on": 1}`, ``} {
		require.Equal(t, http.StatusBadRequest, ask(t, srv, http.MethodPost, "/outage/DEMO", body, nil), body)
	}
	require.Equal(t, http.StatusNotFound, ask(t, srv, http.MethodPost, "/outage/NOBODY", `{"on": true}`, nil))
}

func TestTurningMFAOffIsCountedOnce(t *testing.T) {
	t.Parallel()
	srv := start(t)
	set := func(on bool) {
		ask(t, srv, http.MethodPost, "/mfa/DEMO/code@example.com", fmt.Sprintf(`{"enabled": %v}`, on), nil)
	}
	for _, on := range []bool{false, false, true, true, false} {
		set(on)
	}
	require.Equal(t, 2, ledgerOf(t, srv, "DEMO", "code@example.com").MFATurnedOff, "off twice: from on")
	require.Equal(t, http.StatusNotFound, ask(t, srv, http.MethodPost, "/mfa/NOBODY/code@example.com", `{"enabled": true}`, nil))
	for _, body := range []string{`{}`, `{"enabled": "yes"}`, `true`} {
		require.Equal(t, http.StatusBadRequest, ask(t, srv, http.MethodPost, "/mfa/DEMO/code@example.com", body, nil), body)
	}
}

// TestMFATurnedOnKeepsItsKind: an account that answers a question is asked it again, once MFA is on again.
func TestMFATurnedOnKeepsItsKind(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for user, asked := range map[string]string{"question@example.com": "/question", "choice@example.com": "/method", "many@example.com": "/code"} {
		for _, on := range []bool{false, true} {
			ask(t, srv, http.MethodPost, "/mfa/DEMO/"+user, fmt.Sprintf(`{"enabled": %v}`, on), nil)
		}
		require.Equal(t, asked, newClient(t, srv).signsIn(user, practice.Password).location)
	}
}

// usageOf is signed in at Con Edison and asks the usage service.
func usageOf(t *testing.T, user string) (ask func(path string) answer, meters []practice.Meter) {
	t.Helper()
	srv := start(t)
	c := newClient(t, srv)
	c.logsInAtConEd(user, false)
	meters = metersOf(t, srv, "CONED", user)
	if len(meters) > 0 {
		c.gets(coned + "/en/accounts-billing/my-account?account=" + meters[0].AccountNumber)
	}
	bearer := token(t, c.gets(conedGet))
	return func(path string) answer { return c.gets(usage+path, "Authorization", bearer) }, meters
}

func TestUsageServicePagesItsCustomers(t *testing.T) {
	t.Parallel()
	ask, meters := usageOf(t, "many-23@example.com")
	list := func(query string) []string {
		var told struct {
			Customers []struct {
				Address         string
				UtilityAccounts []struct{ PreferredUtilityAccountID, MeterType string }
			}
		}
		ask("multi-account-v1/cws/cned/customers?"+query).into(t, &told)
		numbers := []string{}
		for _, c := range told.Customers {
			require.NotEmpty(t, c.Address)
			require.Contains(t, []string{"ELEC", "GAS"}, c.UtilityAccounts[0].MeterType)
			numbers = append(numbers, c.UtilityAccounts[0].PreferredUtilityAccountID)
		}
		return numbers
	}
	all := each(meters, accountNumber)
	for query, want := range map[string][]string{
		"": all, "offset=0&batchSize=10": all[:10], "offset=20&batchSize=10": all[20:], "offset=23&batchSize=10": {}, "offset=999": {},
		"offset=-1&batchSize=-1": all, "offset=x&batchSize=0": all, "offset=5&batchSize=1": all[5:6],
	} {
		require.Equal(t, want, list(query), query)
	}
}

func TestEversourcePagesOfOddNumbers(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	designs()["EVERSOURCE"].login(c, "many-7@example.com", practice.Password)
	c.follow(c.gets(ever + "/cg/customer/accountoverview"))
	bearer := regexp.MustCompile(`data-token="([^"]+)"`).FindStringSubmatch(c.gets(ever + "/cg/customer/accountoverview").body)
	require.NotNil(t, bearer)
	for query, want := range map[string]int{
		"": 5, "pageNumber=2": 2, "pageNumber=3": 0, "pageNumber=0&pageSize=0": 5, "pageSize=100": 7, "pageNumber=x": 5, "pageNumber=-4&pageSize=3": 3,
	} {
		var told struct {
			Accounts   []json.RawMessage
			TotalCount int
		}
		c.gets(ever+"/cg/customer/api/account?"+query, "Authorization", "Bearer "+bearer[1]).into(t, &told)
		require.Len(t, told.Accounts, want, query)
		require.NotNil(t, told.Accounts, "an empty page is a list")
		require.Equal(t, 7, told.TotalCount)
	}
}

func TestPagesOfMetersOutOfBounds(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	c.signsIn("many-12@example.com", practice.Password)
	first, last := cells(c.gets(demo+"/meters").body, "account-number"), cells(c.gets(demo+"/meters?page=2").body, "account-number")
	require.Len(t, first, 10)
	require.Len(t, last, 2)
	for query, want := range map[string][]string{"?page=0": first, "?page=-1": first, "?page=x": first, "?page=3": last, "?page=99999": last} {
		require.Equal(t, want, cells(c.gets(demo+"/meters"+query).body, "account-number"), query)
	}
}

// TestPhonesOfEdison offers each phone once, and calls or texts the one that was chosen.
func TestPhonesOfEdison(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "choice.phones@example.com"
	var told struct {
		Status, SentTo, Message string
		Phones                  []struct{ Slot, Number string }
	}
	c.posts(sceHost+"authn", with("username", user, "password", practice.Password)).into(t, &told)
	require.Equal(t, "MFA_REQUIRED", told.Status)
	require.Len(t, told.Phones, 2)
	require.NotEqual(t, told.Phones[0].Number, told.Phones[1].Number)
	for i, phone := range told.Phones {
		for _, way := range []string{"sms", "call"} {
			c.posts(sceHost+"authn/send", with("phone", phone.Slot, "method", way)).into(t, &told)
			inbox := inboxOf(t, srv, "SCE", user)
			last := inbox[len(inbox)-1]
			require.Equal(t, way, last.Method)
			require.Equal(t, told.Phones[i].Number, last.To)
			require.Equal(t, last.To, told.SentTo)
		}
	}
	c.posts(sceHost+"authn/send", with("phone", "9", "method", "sms")).into(t, &told)
	require.NotEmpty(t, told.Message, "there is no such phone")
	require.Len(t, inboxOf(t, srv, "SCE", user), 4)
}

// TestFurtherCodesGoTheSameWay unless another is chosen.
func TestFurtherCodesGoTheSameWay(t *testing.T) {
	t.Parallel()
	srv := start(t, func(o *practice.Options) { o.ResendAfter = time.Nanosecond })
	c := newClient(t, srv)
	user := "choice.same@example.com"
	c.signsIn(user, practice.Password)
	c.fills(demo+"/method", "method", "call")
	c.fills(demo + "/code/again")
	c.fills(demo+"/method", "method", "email")
	methods := []string{}
	for _, m := range inboxOf(t, srv, "DEMO", user) {
		methods = append(methods, m.Method)
		require.False(t, m.At.IsZero())
	}
	require.Equal(t, []string{"call", "call", "email"}, methods)
}

// TestEndingSessionsAreAnnounced tells the page when its session will end, so that it can go there by itself.
func TestEndingSessionsAreAnnounced(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t, func(o *practice.Options) { o.EndsAfter = time.Hour }))
	c.signsIn("ends@example.com", practice.Password)
	got := c.gets(demo + "/code")
	require.Regexp(t, `^3[56]\d{5}$`, got.header.Get("Practice-Ends"))
	require.Contains(t, got.body, `data-ends="3`)
	other := newClient(t, c.srv)
	other.signsIn("code@example.com", practice.Password)
	require.Empty(t, other.gets(demo+"/code").header.Get("Practice-Ends"), "others do not end by themselves")
}

func TestConEdsOfferIsDismissed(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	account := coned + "/en/accounts-billing/my-account"
	c.logsInAtConEd("nag@example.com", false)
	require.Contains(t, c.gets(account).body, "overlay")
	require.Equal(t, "/en/accounts-billing/my-account", c.fills(account).location)
	require.NotContains(t, c.gets(account).body, "overlay")
	require.Equal(t, "/sign-in", newClient(t, c.srv).fills(demo+"/tips").location, "nobody dismisses what is not theirs")
}

// TestLongAndOddInputIsTurnedAway without a page that breaks.
func TestLongAndOddInputIsTurnedAway(t *testing.T) {
	t.Parallel()
	srv := start(t)
	long := strings.Repeat("x", 60_000)
	for _, user := range []string{"", " ", long, "plain\x00@example.com", "ä@ö", `" or 1=1 --`, "../plain"} {
		got := newClient(t, srv).signsIn(user, practice.Password)
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, got.body, "not right", user)
	}
	c := newClient(t, srv)
	c.signsIn("code@example.com", practice.Password)
	require.Contains(t, c.enters(long).body, "not right")
}

// TestOktaCarriesNobodyElsewhere: the ticket must be one of ours, and so must the address to go on to.
func TestOktaCarriesNobodyElsewhere(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	account := practiceAddress(srv, coned+"/en/accounts-billing/my-account")
	through := func(ticket, back string) string {
		query := url.Values{"ticket": {ticket}, "redirectUrl": {back}}
		return c.gets("https://coned.okta.com/login/sessionCookieRedirect?" + query.Encode()).location
	}
	ticket := func() string {
		redirect, ok := c.logsInAtConEd("plain@example.com", false)["authRedirectUrl"].(string)
		require.True(t, ok)
		u, err := url.Parse(redirect)
		require.NoError(t, err)
		return u.Query().Get("ticket")
	}
	login := practiceAddress(srv, coned+"/en/login")
	require.Equal(t, account, through(ticket(), account))
	require.Equal(t, login, through("made-up", account))
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example", practiceAddress(srv, coned) + ".evil.example/", "javascript:alert(1)", ""} {
		require.Equal(t, login, through(ticket(), elsewhere), elsewhere)
	}
}

func TestEversourcesOfferIsPutOff(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	require.Contains(t, designs()["EVERSOURCE"].login(c, "nag@example.com", practice.Password), "MFA_ENROLL")
	token := c.Jar.Cookies(&url.URL{Scheme: "http", Host: "eversource.localhost"})[0].Value[:16]
	var told struct{ IsSuccess bool }
	c.posts(everHost+"MSSkipEnroll", "{}", "__RequestVerificationToken", token).into(t, &told)
	require.True(t, told.IsSuccess)
	require.NotContains(t, designs()["EVERSOURCE"].login(newClient(t, c.srv), "plain@example.com", practice.Password), "MFA_ENROLL", "others are not asked")
}
