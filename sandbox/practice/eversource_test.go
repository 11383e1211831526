package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func (p *person) signsInAtEversource() {
	p.Helper()
	p.opens("https://www.eversource.com/security/account/login?ReturnUrl=/cg/customer/accountoverview")
	p.types(`[id="Email/Username"]`, p.user)
	p.types("#password", practice.Password)
	p.clicks("#signIn")
}

func eversourceInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "EVERSOURCE", "plain.ever@example.com")
		p.signsInAtEversource()
		p.arrives("**/cg/customer/accountoverview")
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.MeterNumber }), p.column("#meters .meter-number"))
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
		cookies, err := p.page.Context().Cookies()
		require.NoError(t, err)
		names := []string{}
		for _, c := range cookies {
			names = append(names, c.Name)
		}
		require.Contains(t, names, ".REGION")
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "EVERSOURCE", "code.ever@example.com")
		p.signsInAtEversource()
		p.sees("#mfa-code")
		require.NoError(t, p.page.Locator("#mfa-code").PressSequentially("wrong!"))
		require.Contains(t, p.sees(".login-errors:not(:empty)"), "not right")
		require.NoError(t, p.page.Locator("#mfa-code").PressSequentially(p.code(1)))
		p.arrives("**/cg/customer/accountoverview")
		require.Equal(t, 2, p.ledger().CodesSubmitted)
	})
	t.Run("the offer to enrol is put off", func(t *testing.T) {
		p := newPerson(t, srv, "EVERSOURCE", "nag.ever@example.com")
		p.signsInAtEversource()
		p.clicks("#dt-mfa-askmeagainlater")
		p.arrives("**/cg/customer/accountoverview")
	})
	t.Run("many accounts come in several answers", func(t *testing.T) {
		p := newPerson(t, srv, "EVERSOURCE", "many-7.ever@example.com")
		p.signsInAtEversource()
		p.clicks("#load-more")
		p.sees("#meters tbody tr:nth-child(7)")
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.AccountNumber }), p.column("#meters .account-number"))
	})
}
