package customer

import (
	"fmt"
	"net/http"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// preview is one page of the gallery: a pageModel, or a problem instead.
type preview struct {
	name    string
	status  int
	model   pageModel
	problem string
	link    string
}

// previewBuilder makes the previews, one after the other.
type previewBuilder struct {
	catalog  *utilities.Catalog
	now      time.Time
	code     *utilities.Utility // asks for codes
	turnOff  *utilities.Utility // wants MFA turned off
	previews []preview
}

// previews makes one for every status, reason, kind of challenge and mistake.
func previews(catalog *utilities.Catalog) ([]preview, error) {
	b := &previewBuilder{catalog: catalog, now: time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)}
	var err error
	if b.code, err = catalog.Find("CONED"); err != nil {
		return nil, fmt.Errorf("making the gallery's previews: %w", err)
	}
	if b.turnOff, err = catalog.Find("HECO"); err != nil {
		return nil, fmt.Errorf("making the gallery's previews: %w", err)
	}
	b.beginnings()
	b.signIns()
	b.waits()
	b.codes()
	b.methodChoices()
	b.ends()
	b.problems()
	return b.previews, nil
}

// add adds a preview: a consented request to the code utility that has just entered this status, as changed.
func (b *previewBuilder) add(name string, status meterkey.Status, change ...func(*pageModel)) {
	s := pageModel{Requester: "Acme Solar", Named: true, Site: b.code, Consented: true, Now: b.now, Found: choices(b.catalog, false),
		State: meterkey.State{RequestID: "r-1042", Requester: "acme-solar", Status: status, Since: b.now, LinkedAt: b.now,
			Timeline: []meterkey.Moment{{Status: status, At: b.now}}}}
	if until := b.now.Add(7 * 24 * time.Hour); status.WaitingOn() == meterkey.Customer {
		s.State.Until = &until
	}
	for _, c := range change {
		c(&s)
	}
	code := http.StatusOK
	if len(s.Wrong) > 0 {
		code = http.StatusUnprocessableEntity
	}
	b.previews = append(b.previews, preview{name: name, status: code, model: s})
}

func because(r meterkey.Reason) func(*pageModel) {
	return func(s *pageModel) { s.State.Reason = r }
}

func wrong(field, message string) func(*pageModel) {
	return func(s *pageModel) { s.Wrong = map[string]string{field: message} }
}

func (b *previewBuilder) beginnings() {
	fresh := func(s *pageModel) { s.Consented = false }
	choosing := func(query string) func(*pageModel) {
		return func(s *pageModel) {
			s.Named, s.Site, s.Query, s.Found = false, nil, query, search(choices(b.catalog, false), b.catalog, query)
		}
	}
	until := b.now.AddDate(1, 0, 0)
	b.add("choose", meterkey.AwaitingLogin, fresh, choosing(""))
	b.add("choose-found", meterkey.AwaitingLogin, fresh, choosing("san diego"))
	b.add("choose-none", meterkey.AwaitingLogin, fresh, choosing("Springfield Power"))
	b.add("consent", meterkey.AwaitingLogin, fresh)
	b.add("consent-chosen-until", meterkey.AwaitingLogin, fresh, func(s *pageModel) { s.Named, s.Expires = false, &until })
	b.add("consent-missing", meterkey.AwaitingLogin, fresh, wrong("agree", "consent.missing"))
	b.add("decline", meterkey.AwaitingLogin, func(s *pageModel) { s.Declining = true })
}

func (b *previewBuilder) signIns() {
	b.add("sign-in", meterkey.AwaitingLogin)
	b.add("sign-in-chosen", meterkey.AwaitingLogin, func(s *pageModel) { s.Named = false })
	b.add("sign-in-behind", meterkey.AwaitingLogin, func(s *pageModel) { s.Behind = true })
	b.add("sign-in-empty", meterkey.AwaitingLogin, func(s *pageModel) {
		s.Wrong = map[string]string{"username": "sign_in.no_username", "password": "sign_in.no_password"}
	})
	b.add("sign-in-too-long", meterkey.AwaitingLogin, wrong("password", "sign_in.too_long"))
	for _, row := range meterkey.Reasons() {
		if row.Leads == meterkey.AwaitingLogin {
			b.add("sign-in-"+string(row.Reason), meterkey.AwaitingLogin, because(row.Reason))
		}
	}
	mfaOff := func(s *pageModel) { s.Site = b.turnOff }
	b.add("mfa-off", meterkey.AwaitingMFAOff, because(meterkey.MFAUnsupported), mfaOff)
	b.add("mfa-off-empty", meterkey.AwaitingMFAOff, because(meterkey.MFAUnsupported), mfaOff, wrong("password", "sign_in.no_password"))
}

func (b *previewBuilder) waits() {
	b.add("signing-in", meterkey.SigningIn)
	b.add("signing-in-unavailable", meterkey.SigningIn, because(meterkey.UtilityUnavailable))
	b.add("submitting-code", meterkey.SubmittingCode)
	b.add("fetching-meters", meterkey.FetchingMeters)
	b.add("received", meterkey.AwaitingLogin, func(s *pageModel) { s.Sent = true })
}

// asks puts a challenge.
func (b *previewBuilder) asks(c meterkey.Challenge) func(*pageModel) {
	c.ID, c.ExpiresAt = "c-1", b.now.Add(9*time.Minute+30*time.Second)
	if c.TriesLeft == 0 {
		c.TriesLeft = 3
	}
	return func(s *pageModel) { s.State.Challenge = &c }
}

func (b *previewBuilder) codes() {
	number := meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "Enter the verification code that we sent to your phone.",
		SentTo: "(***) ***-1234", Digits: 6, CanResend: true}
	last := number
	last.TriesLeft = 1
	bare := meterkey.Challenge{Kind: meterkey.NumberCode}
	question := meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "What was the name of your first pet?"}
	b.add("code", meterkey.AwaitingCode, b.asks(number))
	b.add("code-bare", meterkey.AwaitingCode, b.asks(bare))
	b.add("code-behind", meterkey.AwaitingCode, b.asks(number), func(s *pageModel) { s.Behind = true })
	b.add("code-rejected", meterkey.AwaitingCode, b.asks(last), because(meterkey.CodeRejected))
	b.add("code-unreadable", meterkey.AwaitingCode, b.asks(last), because(meterkey.Unreadable))
	b.add("code-sent-again", meterkey.AwaitingCode, b.asks(number), func(s *pageModel) {
		s.State.Timeline = append(s.State.Timeline, s.State.Timeline[0])
	})
	for _, id := range []string{"code.empty", "code.digits", "code.wrong_number", "code.too_long"} {
		b.add("code-wrong-"+id[len("code."):], meterkey.AwaitingCode, b.asks(number), wrong("code", id))
	}
	b.add("question", meterkey.AwaitingCode, b.asks(question))
	b.add("question-rejected", meterkey.AwaitingCode, b.asks(question), because(meterkey.CodeRejected))
	b.add("question-empty", meterkey.AwaitingCode, b.asks(question), wrong("code", "code.empty_question"))
}

func (b *previewBuilder) methodChoices() {
	ways := meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "Choose how to receive your code.", Options: []meterkey.Option{
		{ID: "sms", Label: "Text message", Target: "(***) ***-1234"}, {ID: "voice", Label: "Phone call", Target: "(***) ***-1234"},
		{ID: "email", Label: "E-mail", Target: "j*****@example.com"},
	}}
	b.add("choice", meterkey.AwaitingChoice, b.asks(ways))
	b.add("choice-missing", meterkey.AwaitingChoice, b.asks(ways), wrong("code", "choice.empty"))
	b.add("choice-unreadable", meterkey.AwaitingChoice, b.asks(ways), because(meterkey.Unreadable))
}

func (b *previewBuilder) ends() {
	meters := func(n int) func(*pageModel) {
		return func(s *pageModel) {
			for i := range n {
				s.State.Meters = append(s.State.Meters, meterkey.Meter{ServiceAddress: fmt.Sprintf("%d Harbor Street, Brooklyn, NY 11231", 10+i)})
			}
			s.MeterCount = n
		}
	}
	wasOff := func(s *pageModel) {
		s.Site = b.turnOff
		s.State.Timeline = append([]meterkey.Moment{{Status: meterkey.AwaitingMFAOff, At: b.now}}, s.State.Timeline...)
	}
	b.add("connected", meterkey.Connected, meters(1))
	b.add("connected-many", meterkey.Connected, meters(1250))
	b.add("connected-bare", meterkey.Connected)
	b.add("connected-mfa-was-off", meterkey.Connected, meters(2), wasOff)
	for _, status := range meterkey.Statuses() {
		if status.Terminal() && status != meterkey.Connected {
			b.add(string(status), status)
		}
	}
	b.add("canceled-mfa-was-off", meterkey.Canceled, wasOff)
	for _, row := range meterkey.Reasons() {
		if row.Leads == meterkey.Failed {
			b.add("failed-"+string(row.Reason), meterkey.Failed, because(row.Reason))
		}
	}
}

func (b *previewBuilder) problems() {
	for _, p := range []preview{
		{problem: "missing", status: http.StatusNotFound},
		{problem: "replaced", status: http.StatusGone},
		{problem: "closed", status: http.StatusGone},
		{problem: "busy", status: http.StatusTooManyRequests, link: GalleryPrefix},
		{problem: "trouble", status: http.StatusInternalServerError, link: GalleryPrefix},
	} {
		p.name, p.model.Requester = "problem-"+p.problem, "Acme Solar"
		b.previews = append(b.previews, p)
	}
}
