package dashboard

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
)

// The courses that requests take.
var (
	waiting  = []meterkey.Status{meterkey.AwaitingLogin}
	signing  = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn}
	asked    = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingCode}
	choosing = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingChoice}
	straight = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.FetchingMeters, meterkey.Connected}
	byCode   = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingCode, meterkey.SubmittingCode,
		meterkey.FetchingMeters, meterkey.Connected}
	failed   = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.Failed}
	mfaOff   = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingMFAOff}
	wrong    = []meterkey.Status{meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingLogin}
	declined = []meterkey.Status{meterkey.AwaitingLogin, meterkey.Declined}
	canceled = []meterkey.Status{meterkey.AwaitingLogin, meterkey.Canceled}
	expired  = []meterkey.Status{meterkey.AwaitingLogin, meterkey.Expired}
)

// seeded are the uids of the requests that tests look at one by one.
type seeded struct{ asked, choosing, connected, large, failed, waiting, rival string }

// seed fills a database as a few weeks of work would.
func (f *fixture) seed() seeded {
	f.t.Helper()
	names := []string{"Maria López", "Sam Okafor", "Ingrid Sørensen", "Wei Chen", "Aisha Rahman", "Tom Becker", "Noor Haddad", "Olu Adeyemi"}
	utilities := []string{"CONED", "EVERSOURCE", "PSEG", "SDGE", "BGE", "PECO"}
	courses := [][]meterkey.Status{straight, byCode, waiting, straight, wrong, byCode, declined, expired, mfaOff, straight, canceled, failed}
	for i := range 36 {
		course := courses[i%len(courses)]
		p := pastRequest{email: fmt.Sprintf("customer%02d@example.com", i+1), name: names[i%len(names)], utility: utilities[i%len(utilities)], asked: i%4 != 0,
			statuses: course, ago: time.Duration(i*i+1) * 35 * time.Minute, meters: i%5 + 1}
		switch course[len(course)-1] {
		case meterkey.AwaitingLogin:
			if len(course) > 1 {
				p.reason = meterkey.InvalidCredentials
			}
		case meterkey.Failed:
			p.reason = meterkey.TooManyLogins
		case meterkey.AwaitingMFAOff:
			p.reason = meterkey.MFAUnsupported
		default:
		}
		if i%3 == 0 {
			p.nickname = fmt.Sprintf("Roof %d", 2040+i)
		}
		f.record("acme", p)
	}
	return seeded{
		connected: f.record("acme", pastRequest{email: "ana.garcia@example.com", name: "Ana García", nickname: "Roof, 12 Elm Street", utility: "CONED", asked: true, statuses: byCode, ago: 25 * time.Minute, meters: 5}),
		large:     f.record("acme", pastRequest{email: "city@springfield.example", name: "City of Springfield", utility: "PSEG", asked: true, statuses: straight, ago: 3 * time.Hour, meters: 450}),
		failed:    f.record("acme", pastRequest{email: "lee@example.org", name: "Lee Park", utility: "SCE", asked: true, statuses: failed, reason: meterkey.TooManyLogins, ago: 6 * time.Minute}),
		waiting:   f.record("acme", pastRequest{email: "new@example.com", statuses: waiting, ago: 2 * time.Minute}),
		choosing:  f.record("acme", pastRequest{email: "jo@example.com", name: "Jo Martin", utility: "EVERSOURCE", asked: true, statuses: choosing, ago: 70 * time.Second}),
		asked:     f.record("acme", pastRequest{email: "kim@example.com", name: "Kim Nguyen", nickname: "Audit 17", utility: "CONED", asked: true, statuses: asked, ago: 30 * time.Second}),
		rival:     f.record("rival", pastRequest{email: "secret@example.net", name: "Rival’s Customer", utility: "CONED", asked: true, statuses: byCode, ago: time.Hour, meters: 3}),
	}
}
