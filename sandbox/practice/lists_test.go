package practice_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// Where each site shows its accounts and meters.

// cells reads one column of a meter table out of a page.
func cells(page, class string) []string {
	found := []string{}
	for _, match := range regexp.MustCompile(`<td class="`+class+`"[^>]*>([^<]*)</td>`).FindAllStringSubmatch(page, -1) {
		found = append(found, match[1])
	}
	return found
}

func meterNumber(m practice.Meter) string   { return m.MeterNumber }
func accountNumber(m practice.Meter) string { return m.AccountNumber }

// follow goes on while an answer leads elsewhere, also through forms that submit themselves.
func (c *client) follow(got answer) answer {
	c.Helper()
	carried := regexp.MustCompile(`action="([^"]+)" data-submit><input type="hidden" name="ticket" value="([^"]*)"`)
	refresh := regexp.MustCompile(`http-equiv="refresh" content="0; url=([^"]+)"`)
	for range 12 {
		form, page := carried.FindStringSubmatch(got.body), refresh.FindStringSubmatch(got.body)
		switch {
		case got.location != "":
			got = c.gets(c.beside(got, got.location))
		case form != nil:
			got = c.fills(c.beside(got, form[1]), "ticket", form[2])
		case page != nil:
			got = c.gets(c.beside(got, page[1]))
		default:
			return got
		}
	}
	require.Fail(c, "this leads nowhere", got.text())
	return got
}

// beside makes an address whole that stands in an answer.
func (c *client) beside(got answer, address string) string {
	c.Helper()
	if strings.HasPrefix(address, "/") {
		return got.origin + address
	}
	return address
}

func TestDemoAndHECOPageTheirMeters(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for id, list := range map[string]string{"DEMO": demo + "/meters", "HECO": hecoHost + "accounts.sap"} {
		c := newClient(t, srv)
		designs()[id].login(c, "many-25@example.com", practice.Password)
		read, page := []string{}, c.gets(list)
		require.NotContains(t, page.body, `rel="prev"`)
		for number := 1; ; number++ {
			read = append(read, cells(page.body, "account-number")...)
			next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page.body)
			if next == nil {
				require.Equal(t, 3, number)
				break
			}
			page = c.gets(list + next[1])
		}
		require.Equal(t, each(metersOf(t, srv, id, "many-25@example.com"), accountNumber), read)
		require.Equal(t, 1, ledgerOf(t, srv, id, "many-25@example.com").MetersRead, "three pages are one reading")
	}
}

func TestPSEGCarriesASessionThroughItsHosts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "plain@example.com"
	opened := c.follow(c.gets("https://nj.myaccount.pseg.com/user/login"))
	require.Contains(t, opened.body, `name="identifier"`)
	require.Contains(t, designs()["PSEG"].login(c, user, practice.Password), "/login/token/redirect")
	landed := c.follow(c.gets("https://id.myaccount.pseg.com/login/token/redirect"))
	require.Equal(t, each(metersOf(t, srv, "PSEG", user), meterNumber), cells(landed.body, "meter-number"))

	require.Contains(t, c.gets("https://mysmartenergy.nj.pseg.com/Dashboard/Chart").location, "/Saml/", "this host does not know the session yet")
	c.follow(c.gets("https://mysmartenergy.nj.pseg.com/Saml/okta-prod/SignIn"))
	chart := c.gets("https://mysmartenergy.nj.pseg.com/Dashboard/Chart").body
	require.NotContains(t, chart, "<html", "a fragment")
	require.Contains(t, chart, "__RequestVerificationToken")
	require.Equal(t, each(metersOf(t, srv, "PSEG", user), meterNumber), cells(chart, "meter-number"))
	var data struct {
		Data struct{ Meters []practice.Meter }
	}
	c.gets("https://mysmartenergy.nj.pseg.com/Dashboard/ChartData").into(t, &data)
	require.Equal(t, metersOf(t, srv, "PSEG", user), data.Data.Meters)
	require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, ledgerOf(t, srv, "PSEG", user))
}

func TestPSEGShowsTheMetersOfTheChosenAccount(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	designs()["PSEG"].login(c, "many-3@example.com", practice.Password)
	list := metersOf(t, srv, "PSEG", "many-3@example.com")
	chooser := c.follow(c.gets("https://id.myaccount.pseg.com/login/token/redirect"))
	require.Contains(t, chooser.body, "radioCntAccount"+list[2].AccountNumber)
	choose := "https://nj.myaccount.pseg.com/dashboard/selectaccount"
	require.Equal(t, "/dashboard/selectaccount", c.fills(choose, "account", "1").location, "not one of theirs")
	require.Equal(t, "/myaccountdashboard", c.fills(choose, "account", list[2].AccountNumber).location)
	page := c.gets("https://nj.myaccount.pseg.com/viewmybill/meter-reading").body
	require.Equal(t, []string{list[2].MeterNumber}, cells(page, "meter-number"))
}

func TestSDGEListsTheMetersOfOneAccount(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	designs()["SDGE"].login(c, "many-3@example.com", practice.Password)
	list := metersOf(t, srv, "SDGE", "many-3@example.com")
	page := c.gets("https://myenergycenter.com/portal/Usage/Index").body
	for _, m := range list {
		require.Contains(t, page, `data-account="`+m.AccountNumber+`"`)
	}
	var told []practice.Meter
	c.gets("https://myenergycenter.com/portal/Usage/GetMeters?account="+list[1].AccountNumber).into(t, &told)
	require.Equal(t, list[1:2], told)
	c.gets("https://myenergycenter.com/portal/Usage/GetMeters?account=1").into(t, &told)
	require.Empty(t, told)
}

func TestSDGEHidesTheAccountListFromOneAccount(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	designs()["SDGE"].login(c, "plain@example.com", practice.Password)
	page := c.gets("https://myenergycenter.com/portal/Dashboard/index").body
	require.NotContains(t, page, "accountList")
	require.Contains(t, page, "meterDiv")
}

func TestSCEListsServiceAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	require.Equal(t, "/mysce/login", c.gets(sceHost+"serviceaccounts").location)
	designs()["SCE"].login(c, "many-4@example.com", practice.Password)
	var told struct {
		Accounts        int
		ServiceAccounts []practice.Meter
	}
	c.gets(sceHost+"serviceaccounts").into(t, &told)
	require.Equal(t, 4, told.Accounts)
	require.Equal(t, metersOf(t, srv, "SCE", "many-4@example.com"), told.ServiceAccounts)
}

func TestSCEClassNamesChangeWithEveryStart(t *testing.T) {
	t.Parallel()
	class := regexp.MustCompile(`Button__sceBtnSmPrimary__(\w+)`)
	one := class.FindString(newClient(t, start(t)).gets("https://www.sce.com/mysce/login").body)
	other := class.FindString(newClient(t, start(t)).gets("https://www.sce.com/mysce/login").body)
	require.NotEmpty(t, one)
	require.NotEqual(t, one, other)
}

func TestConEdShowsAPickerForSeveralAccountsOnly(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	account := coned + "/en/accounts-billing/my-account"
	c.logsInAtConEd("plain@example.com", false)
	require.NotContains(t, c.gets(account).body, "account-picker")
	c.logsInAtConEd("many-2@example.com", false)
	require.Contains(t, c.gets(account).body, "account-picker")
}

func TestEversourceGivesNoUsageTokenForClosedAccounts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	c := newClient(t, srv)
	user := "many-40@example.com"
	designs()["EVERSOURCE"].login(c, user, practice.Password)
	c.follow(c.gets(ever + "/cg/customer/accountoverview"))
	bearer := regexp.MustCompile(`data-token="([^"]+)"`).FindStringSubmatch(c.gets(ever + "/cg/customer/accountoverview").body)
	require.NotNil(t, bearer)
	widget := ever + "/cg/customer/api/accountbilling/getOpowerWidgetData/"
	states := map[string]int{}
	for _, m := range metersOf(t, srv, "EVERSOURCE", user) {
		var told struct{ JwtToken *string }
		c.gets(widget+m.AccountNumber, "Authorization", "Bearer "+bearer[1]).into(t, &told)
		require.Equal(t, m.Status == "active", told.JwtToken != nil)
		states[m.Status]++
	}
	require.Len(t, states, 2, "forty accounts show both: %v", states)
	require.Equal(t, http.StatusNotFound, c.gets(widget+"1", "Authorization", "Bearer "+bearer[1]).status)
}

func TestSitesWithoutAccountsSaySo(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for id, list := range map[string]string{
		"DEMO": demo + "/meters", "HECO": hecoHost + "accounts.sap", "CONED": coned + "/en/accounts-billing/my-account",
		"SDGE": "https://myenergycenter.com/portal/Dashboard/index",
	} {
		c := newClient(t, srv)
		designs()[id].login(c, "none@example.com", practice.Password)
		require.Contains(t, c.gets(list).body, `id="no-accounts"`, id)
	}
}
