package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

const demoSignIn = "https://demo.meterkey.example/sign-in"

func (p *person) signsInAtDemo() {
	p.Helper()
	p.opens(demoSignIn)
	p.types("#username", p.user)
	p.types("#password", practice.Password)
	p.clicks("#sign-in")
}

func demoInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "plain.demo@example.com")
		p.signsInAtDemo()
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.MeterNumber }), p.column("#meters .meter-number"))
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "code.demo@example.com")
		p.signsInAtDemo()
		p.types("#code", "not-it")
		p.clicks("#submit-code")
		require.Contains(t, p.sees("#problem"), "not right")
		p.types("#code", p.code(1))
		p.clicks("#submit-code")
		p.sees("#meters")
		require.Equal(t, practice.Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 2, CodesWrong: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("choice", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "choice.demo@example.com")
		p.signsInAtDemo()
		p.clicks(`input[value="email"]`)
		p.clicks("#send-code")
		p.types("#code", p.code(1))
		p.clicks("#submit-code")
		p.sees("#meters")
	})
	t.Run("question", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "question.demo@example.com")
		p.signsInAtDemo()
		p.types("#answer", p.code(1))
		p.clicks("#submit-answer")
		p.sees("#meters")
	})
	t.Run("nag", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "nag.demo@example.com")
		p.signsInAtDemo()
		p.clicks("#not-now")
		p.sees("#meters")
	})
	t.Run("many", func(t *testing.T) {
		p := newPerson(t, srv, "DEMO", "many-12.demo@example.com")
		p.signsInAtDemo()
		read := p.column("#meters .account-number")
		p.clicks(`a[rel="next"]`)
		p.arrives("**/meters?page=2")
		read = append(read, p.column("#meters .account-number")...)
		require.Equal(t, each(p.meters(), func(m practice.Meter) string { return m.AccountNumber }), read)
		require.Equal(t, 1, p.ledger().MetersRead)
	})
}
