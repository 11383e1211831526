package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func (p *person) signsInAtPSEG() {
	p.Helper()
	p.opens("https://nj.myaccount.pseg.com/user/login")
	p.types(`input[name="identifier"]`, p.user)
	p.clicks("input[type=submit]")
	p.types(`input[name="credentials.passcode"][type=password]`, practice.Password)
	p.clicks("input[type=submit]")
}

const okCode = `input[autocomplete="one-time-code"]`

func psegInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "plain.pseg@example.com")
		p.signsInAtPSEG()
		p.arrives("**/myaccountdashboard")
		p.opens("https://mysmartenergy.nj.pseg.com/Saml/okta-prod/SignIn")
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.MeterNumber }), p.column("#meters .meter-number"))
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger(), "one session through three hosts")
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "code.pseg@example.com")
		p.signsInAtPSEG()
		p.types(okCode, "1")
		p.clicks("input[type=submit]")
		require.Contains(t, p.sees(".o-form-error-container:not(:empty)"), "Invalid")
		p.types(okCode, p.code(1))
		p.clicks("input[type=submit]")
		p.arrives("**/myaccountdashboard")
	})
	t.Run("choice, and another one after it", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "choice.pseg@example.com")
		p.signsInAtPSEG()
		p.clicks(`button[data-method="sms"]`)
		p.code(1)
		p.clicks(".switch-authenticator")
		p.clicks(`button[data-method="email"]`)
		p.types(okCode, p.code(2))
		p.clicks("input[type=submit]")
		p.arrives("**/myaccountdashboard")
		require.Equal(t, 2, p.ledger().CodesSent)
	})
	t.Run("captcha after the user name", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "captcha.pseg@example.com")
		p.opens("https://nj.myaccount.pseg.com/user/login")
		p.types(`input[name="identifier"]`, p.user)
		p.clicks("input[type=submit]")
		p.sees(".g-recaptcha")
	})
	t.Run("one of many accounts is chosen", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "many-4.pseg@example.com")
		p.signsInAtPSEG()
		p.arrives("**/dashboard/selectaccount")
		third := p.meters()[2]
		p.types("#findAccountInput", third.AccountNumber)
		p.clicks(`label[for="radioCntAccount` + third.AccountNumber + `"]`)
		p.clicks("#btnSwitchSelectedAccount")
		p.arrives("**/myaccountdashboard")
		require.Equal(t, []string{third.MeterNumber}, p.column("#meters .meter-number"))
	})
	t.Run("nag", func(t *testing.T) {
		p := newPerson(t, srv, "PSEG", "nag.pseg@example.com")
		p.signsInAtPSEG()
		p.clicks("#budget-billing-later")
		p.clicks("#meters")
	})
}
