package practice_test

import (
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// One browser serves all sites: starting it costs more than the drives.
func TestSitesInChromium(t *testing.T) {
	srv := start(t)
	browser := launch(t)
	t.Run("DEMO", func(t *testing.T) { demoInChromium(t, srv, browser) })
	t.Run("CONED", func(t *testing.T) { conedInChromium(t, srv, browser) })
	t.Run("EVERSOURCE", func(t *testing.T) { eversourceInChromium(t, srv, browser) })
	t.Run("HECO", func(t *testing.T) { hecoInChromium(t, srv, browser) })
	t.Run("PSEG", func(t *testing.T) { psegInChromium(t, srv, browser) })
	t.Run("SCE", func(t *testing.T) { sceInChromium(t, srv, browser) })
	t.Run("SDGE", func(t *testing.T) { sdgeInChromium(t, srv, browser) })
	t.Run("Exelon", func(t *testing.T) { exelonInChromium(t, srv, browser) })
}

// signInAt is how a person submits a login at each design of site.
func signInAt() map[string]func(*person) {
	return map[string]func(*person){
		"DEMO": (*person).signsInAtDemo, "CONED": (*person).logsInAtConEd, "EVERSOURCE": (*person).signsInAtEversource,
		"HECO": (*person).logsOnAtHECO, "PSEG": (*person).signsInAtPSEG, "SCE": (*person).logsInAtSCE, "SDGE": (*person).logsInAtSDGE,
		"PEPCO": func(p *person) { p.signsInAtExelon("https://secure.pepco.com") },
	}
}

// whatFollows is what a person sees on every design of site once the login of an account of the kind is submitted, where
// that is the work of a page's script. What the server alone decides is tested without a browser.
func whatFollows() map[practice.Kind]string {
	return map[practice.Kind]string{
		practice.Expired: "#password-expired", practice.Down: "#maintenance", practice.None: "#no-accounts", practice.Ends: "#session-ended",
	}
}

func TestKindsInChromium(t *testing.T) {
	srv := start(t, func(o *practice.Options) { o.EndsAfter = 400 * time.Millisecond })
	browser := launch(t)
	for id, signIn := range signInAt() {
		for kind, sight := range whatFollows() {
			t.Run(id+" "+string(kind), func(t *testing.T) {
				p := sits(t, srv, browser, id, string(kind)+".kinds@example.com")
				signIn(p)
				p.sees(sight)
				require.Equal(t, 1, p.ledger().Logins)
				require.Equal(t, kind == practice.Ends, p.ledger().SessionsEnded == 1)
			})
		}
	}
}
