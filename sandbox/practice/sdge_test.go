package practice_test

import (
	"testing"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

func (p *person) logsInAtSDGE() {
	p.Helper()
	p.opens("https://myenergycenter.com/portal/PreLogin/Validate")
	p.types("#usernamex", p.user)
	p.types("#passwordx", practice.Password)
	p.clicks("#btnlogin")
}

func (p *person) opensMeterMenuAtSDGE() []string {
	p.Helper()
	p.clicks("#meterDiv .md-select-icon")
	return p.column(".md-clickable md-select-menu md-option")
}

func sdgeInChromium(t *testing.T, srv *practice.Server) {
	t.Run("plain", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "plain.sdge@example.com")
		p.logsInAtSDGE()
		p.arrives("**/portal/Dashboard/index")
		p.opens("https://myenergycenter.com/portal/Usage/Index")
		options := p.opensMeterMenuAtSDGE()
		require.Len(t, options, len(p.meters()))
		for i, m := range p.meters() {
			require.Contains(t, options[i], m.MeterNumber)
		}
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1, MetersRead: 1}, p.ledger())
	})
	t.Run("code", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "code.sdge@example.com")
		p.logsInAtSDGE()
		p.types(okCode, "1")
		p.clicks("#btnverify")
		require.Contains(t, p.sees(".toast-error"), "incorrect")
		p.types(okCode, p.code(1))
		p.clicks("#btnverify")
		p.arrives("**/portal/Dashboard/index")
	})
	t.Run("a wrong password is told in a toast", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "wrong.sdge@example.com")
		p.logsInAtSDGE()
		require.Contains(t, p.sees(".toast-error"), "incorrect")
	})
	t.Run("each of many accounts has its meters", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "many-3.sdge@example.com")
		p.logsInAtSDGE()
		second := p.meters()[1]
		p.clicks(`button[data-id="accountList"]`)
		p.clicks(`.AccountslctClass a[role=option]:has-text("` + second.AccountNumber + `")`)
		p.sees("#meterDiv .md-text:has-text('" + second.MeterNumber + "')")
		require.Contains(t, p.opensMeterMenuAtSDGE()[0], second.MeterNumber)
	})
	t.Run("a press on the menu is not lost while it is fetched", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "many-3.late@example.com")
		p.logsInAtSDGE()
		second := p.meters()[1]
		p.clicks(`button[data-id="accountList"]`)
		pressed := make(chan struct{})
		require.NoError(t, p.page.Route("**/GetMeters*", func(route playwright.Route) {
			go func() {
				<-pressed
				if err := route.Continue(); err != nil {
					t.Error(err)
				}
			}()
		}))
		p.clicks(`.AccountslctClass a[role=option]:has-text("` + second.AccountNumber + `")`)
		p.clicks("#meterDiv .md-select-icon")
		close(pressed)
		require.Contains(t, p.sees(".md-clickable md-select-menu md-option"), second.MeterNumber)
	})
	t.Run("the paperless offer is closed", func(t *testing.T) {
		p := newPerson(t, srv, "SDGE", "nag.sdge@example.com")
		p.logsInAtSDGE()
		p.clicks("#paperlessModal .modal-header button.close")
		p.clicks("#meterDiv .md-select-value")
	})
}
