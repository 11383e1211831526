package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func (p *person) logsInAtConEd() {
	p.Helper()
	p.opens("https://www.coned.com/en/login")
	p.keys("#form-login-email", p.user)
	p.keys("#form-login-password", practice.Password)
	p.clicks("button.js-login-submit-button")
}

func conedInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "CONED", "plain.coned@example.com")
		p.logsInAtConEd()
		p.arrives("**/en/accounts-billing/my-account")
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.MeterNumber }), p.column("#meters .meter-number"))
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "CONED", "code.coned@example.com")
		p.logsInAtConEd()
		p.sees(".js-login-new-device-form-selector:not(.hidden)")
		p.types("#form-login-mfa-code", "12")
		p.clicks("button.js-device-submit-button")
		require.Contains(t, p.sees("#login-message"), "invalid code")
		p.types("#form-login-mfa-code", p.code(1))
		p.clicks("button.js-device-submit-button")
		p.arrives("**/en/accounts-billing/my-account")
		require.Equal(t, practice.Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 2, CodesWrong: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("question", func(t *testing.T) {
		p := newPerson(t, srv, "CONED", "question.coned@example.com")
		p.logsInAtConEd()
		require.Contains(t, p.sees("#new-device-text"), "?")
		p.types("#form-login-mfa-code", p.code(1))
		p.clicks("button.js-device-submit-button")
		p.arrives("**/en/accounts-billing/my-account")
	})
	t.Run("the button needs real keys", func(t *testing.T) {
		p := newPerson(t, srv, "CONED", "plain.keys@example.com")
		p.opens("https://www.coned.com/en/login")
		require.NoError(t, p.page.Locator("#form-login-email").Fill(p.user))
		require.NoError(t, p.page.Locator("#form-login-password").Fill(practice.Password))
		require.NoError(t, p.page.Locator("#form-login-password").Blur())
		disabled, err := p.page.Locator("button.js-login-submit-button").IsDisabled()
		require.NoError(t, err)
		require.True(t, disabled)
	})
	t.Run("a wrong password stays on the page", func(t *testing.T) {
		p := newPerson(t, srv, "CONED", "wrong.coned@example.com")
		p.logsInAtConEd()
		require.Contains(t, p.sees("#login-message"), "password")
		require.Equal(t, practice.Ledger{Logins: 1, LoginsRejected: 1}, p.ledger())
	})
}
