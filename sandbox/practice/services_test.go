package practice_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// The services behind the pages, as far as their answers are known of the real sites.

const (
	coned    = "https://www.coned.com"
	conedAPI = coned + "/sitecore/api/ssc/ConEdWeb-Foundation-Login-Areas-LoginAPI/User/0/"
	conedGet = coned + "/sitecore/api/ssc/ConEd-Cms-Services-Controllers-Opower/OpowerService/0/GetOPowerToken"
	usage    = "https://cned.opower.com/ei/edge/apis/"
)

func (c *client) logsInAtConEd(user string, remember bool) map[string]any {
	c.Helper()
	body := fmt.Sprintf(`{"LoginEmail": %q, "LoginPassword": %q, "LoginRememberMe": %v, "ReturnUrl": "", "OpenIdRelayState": ""}`, user, practice.Password, remember)
	got := c.posts(conedAPI+"Login", body)
	require.Equal(c, http.StatusOK, got.status, "the status is inside")
	var said map[string]any
	got.into(c.T, &said)
	return said
}

func TestConEdTellsInJSON(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	said := c.logsInAtConEd("wrong@example.com", false)
	require.Equal(t, false, said["login"])
	require.NotEmpty(t, said["loginErrorMsg"])
	said = c.logsInAtConEd("code@example.com", false)
	require.Equal(t, true, said["newDevice"])
	require.Equal(t, true, said["isNumeric"])
	require.Contains(t, said["newDeviceText"], "***")
	said = c.logsInAtConEd("question@example.com", false)
	require.Equal(t, false, said["isNumeric"])
	require.Equal(t, false, said["enableResendMfaCode"])
	said = c.logsInAtConEd("plain@example.com", false)
	require.Contains(t, said["authRedirectUrl"], "okta.coned.localhost")
}

func TestConEdRemembersABrowser(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "code.known@example.com"
	require.Equal(t, true, c.logsInAtConEd(user, true)["newDevice"])
	code := inboxOf(t, srv, "CONED", user)[0].Code
	var said map[string]any
	c.posts(conedAPI+"VerifyFactor", fmt.Sprintf(`{"MFACode": %q, "ReturnUrl": ""}`, code)).into(t, &said)
	require.Equal(t, true, said["code"])
	require.Equal(t, false, c.logsInAtConEd(user, false)["newDevice"])
	require.Equal(t, true, newClient(t, srv).logsInAtConEd(user, false)["newDevice"], "another browser")
}

func TestConEdRefusesRedirectsToElsewhere(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	got := c.gets("https://coned.okta.com/login/sessionCookieRedirect?ticket=x&redirectUrl=https://evil.example/")
	require.Contains(t, got.location, "coned.localhost")
}

// token reads the bearer token of the usage service out of an answer.
func token(t *testing.T, got answer) string {
	t.Helper()
	var bearer string
	got.into(t, &bearer)
	return "Bearer " + bearer
}

func TestUsageServiceListsAccountsAndMeters(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "plain.usage@example.com"
	c.logsInAtConEd(user, false)
	bearer := token(t, c.gets(conedGet))
	var list struct {
		Customers []struct {
			UtilityAccounts []struct{ UUID, PreferredUtilityAccountID string }
		}
	}
	c.gets(usage+"multi-account-v1/cws/cned/customers?offset=0&batchSize=1&addressFilter=", "Authorization", bearer).into(t, &list)
	require.Len(t, list.Customers, 1, "a page as large as asked for")
	account := list.Customers[0].UtilityAccounts[0]
	meters := metersOf(t, srv, "CONED", user)
	require.Equal(t, meters[0].AccountNumber, account.PreferredUtilityAccountID)
	var found map[string][]string
	c.gets(usage+"cws-real-time-ami-v1/cws/cned/accounts/"+account.UUID+"/meters", "Authorization", bearer).into(t, &found)
	require.Equal(t, []string{meters[0].MeterNumber}, found["meters_ids"])
	require.Equal(t, http.StatusNotFound, c.gets(usage+"cws-real-time-ami-v1/cws/cned/accounts/none/meters", "Authorization", bearer).status)
}

func TestUsageServiceNeedsABearerToken(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	for _, header := range []string{"", "Bearer nonsense"} {
		got := c.gets(usage+"multi-account-v1/cws/cned/customers", "Authorization", header)
		require.Equal(t, http.StatusUnauthorized, got.status)
		require.Contains(t, got.header.Get("Access-Control-Allow-Origin"), "http://coned.localhost")
	}
	c.logsInAtConEd("plain@example.com", false)
	bearer := token(t, c.gets(conedGet))
	require.Equal(t, http.StatusUnauthorized, c.gets("https://ever.opower.com/ei/edge/apis/multi-account-v1/cws/ever/customers", "Authorization", bearer).status,
		"the token of another utility")
	require.Equal(t, http.StatusNoContent, c.asks(http.MethodOptions, usage+"multi-account-v1/cws/cned/customers", "", "").status)
}

func TestConEdGivesAPageForATokenUntilAnAccountIsPicked(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "many-3.usage@example.com"
	c.logsInAtConEd(user, false)
	require.Contains(t, c.gets(conedGet).header.Get("Content-Type"), "text/html")
	second := metersOf(t, srv, "CONED", user)[1].AccountNumber
	require.Equal(t, http.StatusNotFound, c.gets(coned+"/en/accounts-billing/my-account?account=1").status)
	require.Equal(t, http.StatusOK, c.gets(coned+"/en/accounts-billing/my-account?account="+second).status)
	bearer := token(t, c.gets(conedGet))
	require.Contains(t, c.gets(usage+"multi-account-v1/cws/cned/customers/current", "Authorization", bearer).body, second)
}

const (
	bgeSignIn = "https://secure2.bge.com"
	bgePolicy = bgeSignIn + "/euazurebge.onmicrosoft.com/B2C_1A_SignIn"
)

// b2c opens the sign-in page and gives the token its requests carry.
func (c *client) b2c() string {
	c.Helper()
	page := c.gets(c.gets(bge + "/accounts/login").location)
	found := regexp.MustCompile(`"csrf":"([^"]+)"`).FindStringSubmatch(page.body)
	require.NotNil(c, found, "SETTINGS stands in the page")
	require.Contains(c, page.body, "SA_FIELDS")
	return found[1]
}

const formType = "application/x-www-form-urlencoded"

func TestExelonSignsInWithAStatusInside(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	csrf := c.b2c()
	login := func(user string) map[string]string {
		got := c.asks(http.MethodPost, bgePolicy+"/SelfAsserted", formType, "request_type=RESPONSE&password=practice&signInName="+user, "X-CSRF-TOKEN", csrf)
		require.Equal(t, http.StatusOK, got.status)
		var said map[string]string
		got.into(t, &said)
		return said
	}
	said := login("wrong@example.com")
	require.NotEqual(t, "200", said["status"])
	require.NotEmpty(t, said["message"])
	require.Equal(t, "200", login("plain@example.com")["status"])
	require.Contains(t, c.gets(bgePolicy+"/api/CombinedSigninAndSignup/confirmed").body, "/accounts/login/callback")
}

func TestExelonRefusesRequestsWithoutThePagesToken(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	c.b2c()
	got := c.asks(http.MethodPost, bgePolicy+"/SelfAsserted", formType, "request_type=RESPONSE&signInName=plain@example.com", "X-CSRF-TOKEN", "guessed")
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Zero(t, ledgerOf(t, srv, "BGE", "plain@example.com").Logins)
}

func TestExelonAccountListNeedsABearerToken(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "many-30@example.com"
	csrf := c.b2c()
	c.asks(http.MethodPost, bgePolicy+"/SelfAsserted", formType, "request_type=RESPONSE&password=practice&signInName="+user, "X-CSRF-TOKEN", csrf)
	carried := regexp.MustCompile(`name="ticket" value="([^"]+)"`).FindStringSubmatch(c.gets(bgePolicy + "/api/CombinedSigninAndSignup/confirmed").body)
	require.NotNil(t, carried)
	require.Equal(t, "/Pages/ChangeAccount.aspx", c.fills(bge+"/accounts/login/callback", "ticket", carried[1]).location)
	require.Equal(t, "/accounts/login", newClient(t, srv).fills(bge+"/accounts/login/callback", "ticket", carried[1]).location, "a ticket is good once")

	list := bge + "/.euapi/mobile/custom/auth/accounts"
	require.Equal(t, http.StatusUnauthorized, c.gets(list).status, "the cookie alone is not enough")
	var session struct{ Token, AccountNumber string }
	c.gets(bge+"/api/Services/MyAccountService.svc/GetSession").into(t, &session)
	got := c.gets(list, "Authorization", "Bearer "+session.Token)
	require.Contains(t, got.header.Get("Content-Type"), "text/html", "JSON under the name of HTML")
	var told struct {
		Success bool
		Data    []struct {
			AccountNumber, Address, Status, ServiceType string
			PremiseInfo                                 []struct{ PremiseNumber string }
		}
	}
	got.into(t, &told)
	want := metersOf(t, srv, "BGE", user)
	require.Len(t, told.Data, len(want))
	for i, m := range want {
		require.Equal(t, m.AccountNumber, told.Data[i].AccountNumber)
		require.Equal(t, m.ServiceIdentifier, told.Data[i].PremiseInfo[0].PremiseNumber)
		require.Equal(t, m.ServiceAddress, told.Data[i].Address)
		require.Equal(t, m.ServiceClass, strings.ToLower(told.Data[i].ServiceType))
	}
	require.Equal(t, 1, ledgerOf(t, srv, "BGE", user).MetersRead)
	detail := c.gets(list+"/"+session.AccountNumber, "Authorization", "Bearer "+session.Token)
	require.Contains(t, detail.body, "rateSchedule")
	require.Equal(t, http.StatusNotFound, c.gets(list+"/0", "Authorization", "Bearer "+session.Token).status)
	require.Contains(t, c.posts(bge+"/api/Services/AccountList.svc/ViewAccount", `{"accountNumber": "`+want[4].AccountNumber+`"}`).body, `"success": true`)
	c.gets(bge+"/api/Services/MyAccountService.svc/GetSession").into(t, &session)
	require.Equal(t, want[4].AccountNumber, session.AccountNumber)
	require.Contains(t, c.posts(bge+"/api/Services/OpowerService.svc/GetOpowerToken", `{}`).body, "access_token")
}

const ever = "https://www.eversource.com"

func TestEversourcePagesItsAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "many-12@example.com"
	page := c.gets(ever + "/security/account/login")
	forged := regexp.MustCompile(`formToken&#34;:&#34;([A-Z0-9]+)`).FindStringSubmatch(page.body)
	require.NotNil(t, forged, page.body)
	body := `{"WebId": "` + user + `", "Password": "practice", "RememberID": false, "ReturnUrl": "", "MfaRememberMeData": ""}`
	require.Equal(t, http.StatusBadRequest, c.posts(ever+"/security/account/MSLogin", body).status, "without the page's token")
	require.Contains(t, c.posts(ever+"/security/account/MSLogin", body, "__RequestVerificationToken", forged[1]).body, "SUCCESS")
	require.Contains(t, c.gets(ever+"/cg/customer/accountoverview").location, "/security/account/login", "the first visit bounces")
	require.Equal(t, "/cg/customer/accountoverview", c.gets(ever+"/security/account/login").location)
	bearer := regexp.MustCompile(`data-token="([^"]+)"`).FindStringSubmatch(c.gets(ever + "/cg/customer/accountoverview").body)
	require.NotNil(t, bearer)
	read := []string{}
	for page := 1; page <= 4; page++ {
		var told struct {
			Accounts []struct{ BillingAccountIdentifier string }
		}
		c.gets(fmt.Sprintf("%s/cg/customer/api/account?pageNumber=%d&pageSize=5", ever, page), "Authorization", "Bearer "+bearer[1]).into(t, &told)
		for _, a := range told.Accounts {
			read = append(read, a.BillingAccountIdentifier)
		}
	}
	require.Equal(t, each(metersOf(t, srv, "EVERSOURCE", user), func(m practice.Meter) string { return m.AccountNumber }), read, "the page after the last is empty")
}

func TestEversourceErrorsContainHTML(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	page := c.gets(ever + "/security/account/login")
	forged := regexp.MustCompile(`formToken&#34;:&#34;([A-Z0-9]+)`).FindStringSubmatch(page.body)
	var told struct {
		IsSuccess bool
		Errors    map[string]string
	}
	c.posts(ever+"/security/account/MSLogin", `{"WebId": "wrong@example.com", "Password": "practice"}`, "__RequestVerificationToken", forged[1]).into(t, &told)
	require.False(t, told.IsSuccess)
	require.Regexp(t, "^<p>.*</p>$", told.Errors["WebId"])
}
