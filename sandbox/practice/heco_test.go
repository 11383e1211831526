package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func (p *person) logsOnAtHECO() {
	p.Helper()
	p.opens("https://eservice.hawaiianelectric.com/bdisu/logon.sap")
	p.types("#sap-user", p.user)
	p.types("#sap-password", practice.Password)
	p.clicks("#LOGON_BUTTON")
}

func hecoInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "HECO", "plain.heco@example.com")
		p.logsOnAtHECO()
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.Tariff }), p.column("#meters .tariff"))
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "HECO", "code.heco@example.com")
		p.logsOnAtHECO()
		p.types("#passcode", "0")
		p.clicks("#verify-button")
		require.Contains(t, p.sees(".error_msg"), "not right")
		p.types("#passcode", p.code(1))
		p.clicks("#verify-button")
		p.sees("#meters")
	})
	t.Run("choice", func(t *testing.T) {
		p := newPerson(t, srv, "HECO", "choice.heco@example.com")
		p.logsOnAtHECO()
		p.clicks(`input[value="call"]`)
		p.clicks(`button[value="send"]`)
		p.types("#passcode", p.code(1))
		p.clicks("#verify-button")
		p.sees("#meters")
	})
	t.Run("a wrong password is told", func(t *testing.T) {
		p := newPerson(t, srv, "HECO", "wrong.heco@example.com")
		p.logsOnAtHECO()
		require.Contains(t, p.sees(".error_msg"), "not found")
	})
	t.Run("the offer is put off", func(t *testing.T) {
		p := newPerson(t, srv, "HECO", "nag.heco@example.com")
		p.logsOnAtHECO()
		p.clicks("#mfa-offer-later")
		p.clicks("#meters")
	})
}
