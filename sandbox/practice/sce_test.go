package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

const sceMain = "div[class*=LoginMainComponent] "

func (p *person) logsInAtSCE() {
	p.Helper()
	p.opens("https://www.sce.com/mysce/login")
	p.types(sceMain+"#userName", p.user)
	p.types(sceMain+"#password", practice.Password)
	p.clicks(sceMain + "[class*=sceBtnSmPrimary]")
}

func sceInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "plain.sce@example.com")
		p.logsInAtSCE()
		p.arrives("**/mysce/myaccount")
		p.sees("#ThisPeriod")
		shown := p.column("div[class*=serviceAccountComponent__sceServiceAccInfoSection] [class*=__number]")
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.ServiceIdentifier }), shown)
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "code.sce@example.com")
		p.logsInAtSCE()
		p.types(okCode, "1")
		p.clicks("[class*=MfaVerify] [class*=sceBtnSmPrimary]")
		require.Contains(t, p.sees("react-login-main mark"), "incorrect")
		p.types(okCode, p.code(1))
		p.clicks("[class*=MfaVerify] [class*=sceBtnSmPrimary]")
		p.arrives("**/mysce/myaccount")
	})
	t.Run("choice of a phone and a way", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "choice.sce@example.com")
		p.logsInAtSCE()
		p.clicks(`input[name="phone"][value="1"]`)
		p.clicks(`input[value="call"]`)
		p.clicks("[class*=MfaSelect] [class*=sceBtnSmPrimary]")
		p.types(okCode, p.code(1))
		p.clicks("[class*=MfaVerify] [class*=sceBtnSmPrimary]")
		p.arrives("**/mysce/myaccount")
	})
	t.Run("a wrong password is told above the form", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "wrong.sce@example.com")
		p.logsInAtSCE()
		require.Contains(t, p.sees("react-login-main mark"), "incorrect")
	})
	t.Run("an unfinished registration", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "unfinished.sce@example.com")
		p.logsInAtSCE()
		p.sees("react-verification-pending")
	})
	t.Run("an offer and a survey stand before the accounts", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "nag.sce@example.com")
		p.logsInAtSCE()
		p.clicks("text=Remind me later")
		p.clicks(".fsrDeclineButton")
		p.clicks("#ThisPeriod")
	})
	t.Run("many accounts", func(t *testing.T) {
		p := newPerson(t, srv, "SCE", "many-13.sce@example.com")
		p.logsInAtSCE()
		rows := "div[class*=serviceAccOverviewComponent__sceServiceAccInfo] [class*=__number]"
		p.sees(rows)
		p.clicks("text=Show More")
		read := p.column(rows)
		p.clicks("li[class*=scePagination__buttonStyle]:last-child button")
		read = append(read, p.column(rows)...)
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.ServiceIdentifier }), read)
	})
}
