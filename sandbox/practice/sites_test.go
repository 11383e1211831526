package practice_test

import (
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

func TestSitesInChromium(t *testing.T) {
	srv := start(t)
	for name, drive := range map[string]func(*testing.T, *practice.Server){
		"DEMO": demoInChromium, "CONED": conedInChromium, "EVERSOURCE": eversourceInChromium, "HECO": hecoInChromium,
		"PSEG": psegInChromium, "SCE": sceInChromium, "SDGE": sdgeInChromium, "Exelon": exelonInChromium,
	} {
		t.Run(name, func(t *testing.T) { drive(t, srv) })
	}
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
	for id, signIn := range signInAt() {
		for kind, sight := range whatFollows() {
			t.Run(id+" "+string(kind), func(t *testing.T) {
				p := newPerson(t, srv, id, string(kind)+".kinds@example.com")
				signIn(p)
				p.sees(sight)
				require.Equal(t, 1, p.ledger().Logins)
				require.Equal(t, kind == practice.Ends, p.ledger().SessionsEnded == 1)
			})
		}
	}
}
