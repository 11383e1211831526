package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func (p *person) signsInAtExelon(portal string) {
	p.Helper()
	p.opens(portal + "/accounts/login")
	p.types("#signInName", p.user)
	p.types("#password", practice.Password)
	p.clicks("#next")
}

func exelonInChromium(t *testing.T, srv *practice.Server) {
	for id, portal := range map[string]string{
		"ACE": "https://secure.atlanticcityelectric.com", "BGE": "https://secure.bge.com", "COMED": "https://secure.comed.com",
		"PEPCO": "https://secure.pepco.com", "PECO": "https://secure.peco.com",
	} {
		t.Run(id+" plain", func(t *testing.T) {
			p := newPerson(t, srv, id, "plain.exelon@example.com")
			p.signsInAtExelon(portal)
			p.arrives("**/accounts/dashboard")
			require.Equal(t, p.meters()[0].AccountNumber, p.sees("#account-number"))
			require.Equal(t, p.meters()[0].ServiceIdentifier, p.sees("#account-premise"))
			require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
		})
		t.Run(id+" code", func(t *testing.T) {
			p := newPerson(t, srv, id, "code.exelon@example.com")
			p.signsInAtExelon(portal)
			p.types("#emailVerificationCode", "1")
			p.clicks("#continueButton")
			require.Contains(t, p.sees(".error:not(:empty)"), "not right")
			p.types("#emailVerificationCode", p.code(1))
			p.clicks("#continueButton")
			p.arrives("**/accounts/dashboard")
			require.Equal(t, 1, p.ledger().CodesWrong)
		})
	}
	bgeInChromium(t, srv)
}

const bge = "https://secure.bge.com"

func bgeInChromium(t *testing.T, srv *practice.Server) {
	t.Run("choice", func(t *testing.T) {
		p := newPerson(t, srv, "BGE", "choice.exelon@example.com")
		p.signsInAtExelon(bge)
		p.clicks(`input[name="mfaEnabledRadio"][value="Text"]`)
		require.Zero(t, p.ledger().CodesSent, "choosing alone sends nothing")
		p.clicks("#continueButton")
		p.types(`input[autocomplete="one-time-code"]`, p.code(1))
		p.clicks("#continueButton")
		p.arrives("**/accounts/dashboard")
	})
	t.Run("after MFA was turned off the password is enough", func(t *testing.T) {
		p := newPerson(t, srv, "BGE", "choice.off@example.com")
		require.Equal(t, 200, ask(t, srv, "POST", "/mfa/BGE/choice.off@example.com", `{"enabled": false}`, nil))
		p.signsInAtExelon(bge)
		p.arrives("**/accounts/dashboard")
		p.sees("#account-number")
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1, MFATurnedOff: 1}, p.ledger())
	})
	t.Run("a wrong password is told in the page", func(t *testing.T) {
		p := newPerson(t, srv, "BGE", "wrong.exelon@example.com")
		p.signsInAtExelon(bge)
		require.NotEmpty(t, p.sees(".error.pageLevel:not(:empty)"))
	})
	t.Run("many accounts stand on several pages", func(t *testing.T) {
		p := newPerson(t, srv, "BGE", "many-12.exelon@example.com")
		p.signsInAtExelon(bge)
		p.arrives("**/Pages/ChangeAccount.aspx")
		read := p.column("#changeAccountDT1 tbody td:nth-child(1)")
		p.clicks("#changeAccountDT_next")
		read = append(read, p.column("#changeAccountDT1 tbody td:nth-child(1)")...)
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.AccountNumber }), read)
	})
	t.Run("a nag is dismissed", func(t *testing.T) {
		p := newPerson(t, srv, "BGE", "nag.exelon@example.com")
		p.signsInAtExelon(bge)
		p.clicks("#profile-setup-close")
		p.clicks("#account-number")
	})
}
