package customer

import (
	"fmt"
	"net/http"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// scene is one page of the gallery: a sight, or a problem instead.
type scene struct {
	name    string
	status  int
	sight   sight
	problem string
	link    string
}

// stage is what the scenes are played on.
type stage struct {
	catalog *utilities.Catalog
	now     time.Time
	code    *utilities.Utility // asks for codes
	turnOff *utilities.Utility // wants MFA turned off
	scenes  []scene
}

// scenes makes one for every status, reason, kind of challenge and mistake.
func scenes(catalog *utilities.Catalog) ([]scene, error) {
	st := &stage{catalog: catalog, now: time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)}
	var err error
	if st.code, err = catalog.Find("CONED"); err != nil {
		return nil, fmt.Errorf("setting the gallery's stage: %w", err)
	}
	if st.turnOff, err = catalog.Find("HECO"); err != nil {
		return nil, fmt.Errorf("setting the gallery's stage: %w", err)
	}
	st.beginnings()
	st.signIns()
	st.waits()
	st.codes()
	st.choicesOfWays()
	st.ends()
	st.problems()
	return st.scenes, nil
}

// add adds a scene: a consented request to the code utility that has just entered this status, as changed.
func (st *stage) add(name string, status meterkey.Status, change ...func(*sight)) {
	s := sight{Requester: "Acme Solar", Named: true, Site: st.code, Consented: true, Now: st.now, Found: choices(st.catalog, false),
		State: meterkey.State{RequestID: "r-1042", Requester: "acme-solar", Status: status, Since: st.now, LinkedAt: st.now,
			Timeline: []meterkey.Moment{{Status: status, At: st.now}}}}
	if until := st.now.Add(7 * 24 * time.Hour); status.WaitingOn() == meterkey.Customer {
		s.State.Until = &until
	}
	for _, c := range change {
		c(&s)
	}
	code := http.StatusOK
	if len(s.Wrong) > 0 {
		code = http.StatusUnprocessableEntity
	}
	st.scenes = append(st.scenes, scene{name: name, status: code, sight: s})
}

func because(r meterkey.Reason) func(*sight) {
	return func(s *sight) { s.State.Reason = r }
}

func wrong(field, message string) func(*sight) {
	return func(s *sight) { s.Wrong = map[string]string{field: message} }
}

func (st *stage) beginnings() {
	fresh := func(s *sight) { s.Consented = false }
	choosing := func(query string) func(*sight) {
		return func(s *sight) {
			s.Named, s.Site, s.Query, s.Found = false, nil, query, search(choices(st.catalog, false), st.catalog, query)
		}
	}
	until := st.now.AddDate(1, 0, 0)
	st.add("choose", meterkey.AwaitingLogin, fresh, choosing(""))
	st.add("choose-found", meterkey.AwaitingLogin, fresh, choosing("san diego"))
	st.add("choose-none", meterkey.AwaitingLogin, fresh, choosing("Springfield Power"))
	st.add("consent", meterkey.AwaitingLogin, fresh)
	st.add("consent-chosen-until", meterkey.AwaitingLogin, fresh, func(s *sight) { s.Named, s.Expires = false, &until })
	st.add("consent-missing", meterkey.AwaitingLogin, fresh, wrong("agree", "consent.missing"))
	st.add("decline", meterkey.AwaitingLogin, func(s *sight) { s.Declining = true })
}

func (st *stage) signIns() {
	st.add("sign-in", meterkey.AwaitingLogin)
	st.add("sign-in-chosen", meterkey.AwaitingLogin, func(s *sight) { s.Named = false })
	st.add("sign-in-behind", meterkey.AwaitingLogin, func(s *sight) { s.Behind = true })
	st.add("sign-in-empty", meterkey.AwaitingLogin, func(s *sight) {
		s.Wrong = map[string]string{"username": "sign_in.no_username", "password": "sign_in.no_password"}
	})
	st.add("sign-in-too-long", meterkey.AwaitingLogin, wrong("password", "sign_in.too_long"))
	for _, row := range meterkey.Reasons() {
		if row.Leads == meterkey.AwaitingLogin {
			st.add("sign-in-"+string(row.Reason), meterkey.AwaitingLogin, because(row.Reason))
		}
	}
	mfaOff := func(s *sight) { s.Site = st.turnOff }
	st.add("mfa-off", meterkey.AwaitingMFAOff, because(meterkey.MFAUnsupported), mfaOff)
	st.add("mfa-off-empty", meterkey.AwaitingMFAOff, because(meterkey.MFAUnsupported), mfaOff, wrong("password", "sign_in.no_password"))
}

func (st *stage) waits() {
	st.add("signing-in", meterkey.SigningIn)
	st.add("signing-in-unavailable", meterkey.SigningIn, because(meterkey.UtilityUnavailable))
	st.add("submitting-code", meterkey.SubmittingCode)
	st.add("fetching-meters", meterkey.FetchingMeters)
	st.add("received", meterkey.AwaitingLogin, func(s *sight) { s.Sent = true })
}

// asks puts a challenge.
func (st *stage) asks(c meterkey.Challenge) func(*sight) {
	c.ID, c.ExpiresAt = "c-1", st.now.Add(9*time.Minute+30*time.Second)
	if c.TriesLeft == 0 {
		c.TriesLeft = 3
	}
	return func(s *sight) { s.State.Challenge = &c }
}

func (st *stage) codes() {
	number := meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "Enter the verification code that we sent to your phone.",
		SentTo: "(***) ***-1234", Digits: 6, CanResend: true}
	last := number
	last.TriesLeft = 1
	bare := meterkey.Challenge{Kind: meterkey.NumberCode}
	question := meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "What was the name of your first pet?"}
	st.add("code", meterkey.AwaitingCode, st.asks(number))
	st.add("code-bare", meterkey.AwaitingCode, st.asks(bare))
	st.add("code-behind", meterkey.AwaitingCode, st.asks(number), func(s *sight) { s.Behind = true })
	st.add("code-rejected", meterkey.AwaitingCode, st.asks(last), because(meterkey.CodeRejected))
	st.add("code-unreadable", meterkey.AwaitingCode, st.asks(last), because(meterkey.Unreadable))
	st.add("code-sent-again", meterkey.AwaitingCode, st.asks(number), func(s *sight) {
		s.State.Timeline = append(s.State.Timeline, s.State.Timeline[0])
	})
	for _, id := range []string{"code.empty", "code.digits", "code.wrong_number", "code.too_long"} {
		st.add("code-wrong-"+id[len("code."):], meterkey.AwaitingCode, st.asks(number), wrong("code", id))
	}
	st.add("question", meterkey.AwaitingCode, st.asks(question))
	st.add("question-rejected", meterkey.AwaitingCode, st.asks(question), because(meterkey.CodeRejected))
	st.add("question-empty", meterkey.AwaitingCode, st.asks(question), wrong("code", "code.empty_question"))
}

func (st *stage) choicesOfWays() {
	ways := meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "Choose how to receive your code.", Options: []meterkey.Option{
		{ID: "sms", Label: "Text message", Target: "(***) ***-1234"}, {ID: "voice", Label: "Phone call", Target: "(***) ***-1234"},
		{ID: "email", Label: "E-mail", Target: "j*****@example.com"},
	}}
	st.add("choice", meterkey.AwaitingChoice, st.asks(ways))
	st.add("choice-missing", meterkey.AwaitingChoice, st.asks(ways), wrong("code", "choice.empty"))
	st.add("choice-unreadable", meterkey.AwaitingChoice, st.asks(ways), because(meterkey.Unreadable))
}

func (st *stage) ends() {
	meters := func(n int) func(*sight) {
		return func(s *sight) {
			for i := range n {
				s.State.Meters = append(s.State.Meters, meterkey.Meter{ServiceAddress: fmt.Sprintf("%d Harbor Street, Brooklyn, NY 11231", 10+i)})
			}
			s.MeterCount = n
		}
	}
	wasOff := func(s *sight) {
		s.Site = st.turnOff
		s.State.Timeline = append([]meterkey.Moment{{Status: meterkey.AwaitingMFAOff, At: st.now}}, s.State.Timeline...)
	}
	st.add("connected", meterkey.Connected, meters(1))
	st.add("connected-many", meterkey.Connected, meters(1250))
	st.add("connected-bare", meterkey.Connected)
	st.add("connected-mfa-was-off", meterkey.Connected, meters(2), wasOff)
	for _, status := range meterkey.Statuses() {
		if status.Terminal() && status != meterkey.Connected {
			st.add(string(status), status)
		}
	}
	st.add("canceled-mfa-was-off", meterkey.Canceled, wasOff)
	for _, row := range meterkey.Reasons() {
		if row.Leads == meterkey.Failed {
			st.add("failed-"+string(row.Reason), meterkey.Failed, because(row.Reason))
		}
	}
}

func (st *stage) problems() {
	for _, p := range []scene{
		{problem: "missing", status: http.StatusNotFound},
		{problem: "replaced", status: http.StatusGone},
		{problem: "closed", status: http.StatusGone},
		{problem: "busy", status: http.StatusTooManyRequests, link: GalleryPrefix},
		{problem: "trouble", status: http.StatusInternalServerError, link: GalleryPrefix},
	} {
		p.name, p.sight.Requester = "problem-"+p.problem, "Acme Solar"
		st.scenes = append(st.scenes, p)
	}
}
