package utilities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

func toText(value any) string { return fmt.Sprintf("%+v", value) }

func TestSeveralStepsBeforeThePassword(t *testing.T) {
	tr := newTour(t, "steps")
	sight := tr.signIn(SignedIn)
	require.True(t, sight.Typed)
	require.Equal(t, []string{"login"}, *tr.once)
	tr.secretsKept()
}

func TestRefusedBeforeThePassword(t *testing.T) {
	tr := newTour(t, "steps")
	tr.flow.SignIn.Open += "#nobody"
	sight := tr.signIn(RejectedLogin)
	require.False(t, sight.Typed)
	require.Empty(t, *tr.once)
}

func TestOnceStopsBeforeTyping(t *testing.T) {
	tr := newTour(t, "keys")
	refused := errors.New("typed before")
	tr.Visit.once = func(string) error { return refused }
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, refused)
	require.Empty(t, tr.eval(`document.querySelector('main .password').value`))
}

func TestRealKeysInTheFieldThatShows(t *testing.T) {
	tr := newTour(t, "keys")
	tr.signIn(SignedIn)
	want := fmt.Sprintf("%d and %d", len(login.Username), len(login.Password))
	require.Equal(t, want, tr.eval(`document.querySelector('#home').textContent`))
	require.Empty(t, tr.eval(`document.querySelector('header .user').value + document.querySelector('.off .user').value`))
}

func TestFrames(t *testing.T) {
	tr := newTour(t, "frames")
	sight := tr.signIn(CodeForm)
	require.Equal(t, "Type the code", sight.Challenge.Prompt)
	tr.submit("424242", SignedIn)
	require.Equal(t, []Meter{{MeterNumber: "M-1"}, {MeterNumber: "M-2"}}, tr.read())
}

func TestAnswersTell(t *testing.T) {
	for kind, want := range map[string]PageKind{"wrong": RejectedLogin, "locked": Locked, "code": CodeForm, "question": QuestionForm} {
		t.Run(kind, func(t *testing.T) {
			tr := newTour(t, "answers")
			tr.flow.SignIn.Open += "?kind=" + kind
			sight := tr.signIn(want)
			require.Nil(t, sight.Evidence)
			switch want {
			case CodeForm:
				require.Equal(t, &Challenge{
					Kind: NumberCode, Prompt: "We sent a code to (***) ***-1234.", SentTo: "(***) ***-1234", Tries: 3,
				}, sight.Challenge)
			case QuestionForm:
				require.Equal(t, &Challenge{Kind: SecurityAnswer, Prompt: "What was your first street?", Tries: 3}, sight.Challenge)
			}
		})
	}
}

func TestEarlierAnswersAreNoEvidence(t *testing.T) {
	tr := newTour(t, "answers")
	tr.signIn(CodeForm)
	for _, code := range []string{"111111", "222222", "111111"} {
		sight := tr.submit(code, RejectedCode)
		require.Equal(t, NumberCode, sight.Challenge.Kind)
	}
	tr.submit("333333", SignedIn)
	tr.secretsKept("111111", "222222", "333333")
}

func TestSiteThatAnswersWithoutAWord(t *testing.T) {
	tr := newTour(t, "answers")
	tr.flow.Pages[RejectedLogin], tr.flow.Pages[Locked] = nil, nil
	tr.flow.SignIn.Open += "?kind=wrong"
	sight := tr.signIn(RejectedLogin)
	require.NotNil(t, sight.Evidence, "so that the file can be given the words")
}

func TestNagsAreDismissed(t *testing.T) {
	tr := newTour(t, "nags")
	tr.signIn(SignedIn)
	require.Equal(t, []Meter{{MeterNumber: "M-1"}}, tr.read())
	require.Equal(t, "pressed 2", tr.eval(`document.title`))
}

func TestChoice(t *testing.T) {
	tr := newTour(t, "choice")
	sight := tr.signIn(ChoiceForm)
	require.Equal(t, &Challenge{Kind: MethodChoice, Options: []Option{
		{ID: "sms", Label: "Text me (***) ***-1234", Target: "(***) ***-1234"},
		{ID: "option-2", Label: "Mail p**@mail.example", Target: "p**@mail.example"},
		{ID: "call", Label: "Call ***0199", Target: "***0199"},
	}}, sight.Challenge)

	_, err := tr.Choose(t.Context(), "fax")
	require.ErrorIs(t, err, ErrNotOffered)

	sight, err = tr.Choose(t.Context(), "call")
	sight = tr.saw(sight, err, CodeForm)
	require.Equal(t, "(***) ***-0199", sight.Challenge.SentTo)
	require.Equal(t, "Type the code we sent.", sight.Challenge.Prompt)
	require.Equal(t, "Sign in", tr.eval(`document.title`), "nothing of the next page was pressed")
	tr.submit("424242", SignedIn)
	require.Equal(t, "submitted 6", tr.eval(`document.title`))
}

func TestCodeThatSubmitsItself(t *testing.T) {
	tr := newTour(t, "code")
	sight := tr.signIn(CodeForm)
	require.Equal(t, 6, sight.Challenge.Digits)
	require.Equal(t, 2, sight.Challenge.Tries)
	require.Equal(t, "0", tr.eval(`document.title`))
	tr.submit("123456", SignedIn)
	require.Equal(t, "1", tr.eval(`document.title`), "submitted once")
	require.Equal(t, []string{"login", "code"}, *tr.once)
	tr.secretsKept("123456")
}

func TestSameMessageTwice(t *testing.T) {
	tr := newTour(t, "code")
	tr.signIn(CodeForm)
	tr.submit("000000", RejectedCode)
	tr.submit("000000", RejectedCode)
	tr.submit("123456", SignedIn)
	require.Equal(t, "3", tr.eval(`document.title`))
}

func TestAfterTheCode(t *testing.T) {
	for code, want := range map[string]PageKind{"999999": SessionEnded, "888888": SessionEnded, "777777": RejectedCode} {
		t.Run(code, func(t *testing.T) {
			tr := newTour(t, "code")
			tr.signIn(CodeForm)
			sight := tr.submit(code, want)
			require.Equal(t, code != "999999", sight.Evidence != nil)
		})
	}
}

func TestSendAgain(t *testing.T) {
	tr := newTour(t, "code")
	sight := tr.signIn(CodeForm)
	require.False(t, sight.Challenge.CanSendAgain)
	_, err := tr.SendAgain(t.Context())
	require.ErrorIs(t, err, ErrNotOffered)
	require.Eventually(t, func() bool {
		sight, err := tr.Look(t.Context())
		return err == nil && sight.Challenge != nil && sight.Challenge.CanSendAgain
	}, 3*time.Minute, 50*time.Millisecond)
	sight, err = tr.SendAgain(t.Context())
	tr.saw(sight, err, CodeForm)
	require.Equal(t, "1", tr.eval(`document.body.dataset.again`))
}

func TestLookAndGlance(t *testing.T) {
	tr := newTour(t, "code")
	tr.signIn(CodeForm)
	later := tr.utility.Visit(tr.page, VisitOptions{Origins: tr.origins})
	sight, err := later.Look(t.Context())
	tr.saw(sight, err, CodeForm)
	require.Equal(t, 6, sight.Challenge.Digits)
	require.False(t, sight.Typed, "by this visit")
	for script, want := range map[string]PageKind{
		`document.querySelector('#boxes').hidden = false`: CodeForm,
		`document.querySelector('#ended').hidden = false`: SessionEnded,
	} {
		tr.eval(script)
		kind, err := later.Glance(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, kind)
		tr.eval(`document.querySelector('#ended').hidden = true`)
	}
	tr.open("/login.html")
	kind, err := later.Glance(t.Context())
	require.NoError(t, err)
	require.Equal(t, SessionEnded, kind, "the login form is back")
}

func TestStopsAfterTheLogin(t *testing.T) {
	for next, want := range map[string]PageKind{
		"captcha.html": Captcha, "locked.html": Locked, "/status/503": Unavailable, "http://127.0.0.1:1/": Unavailable,
	} {
		t.Run(string(want), func(t *testing.T) {
			tr := newTour(t, "stops")
			tr.open("/login.html")
			tr.eval(`sessionStorage.next = ` + fmt.Sprintf("%q", next))
			sight := tr.signIn(want)
			require.True(t, sight.Typed)
			require.Nil(t, sight.Challenge)
		})
	}
}

func TestStopsBeforeTheLogin(t *testing.T) {
	for path, want := range map[string]PageKind{"/captcha.html": Captcha, "/status/503": Unavailable, "/new.html": Unknown} {
		t.Run(string(want), func(t *testing.T) {
			tr := newTour(t, "stops")
			tr.flow.SignIn.Open, tr.flow.RenderWait = realWWW+path, 2*time.Second
			sight := tr.signIn(want)
			require.False(t, sight.Typed)
			require.Empty(t, *tr.once)
		})
	}
}

func TestSiteThatDoesNotAnswer(t *testing.T) {
	tr := newTour(t, "stops")
	tr.origins[realWWW] = "http://127.0.0.1:1"
	sight := tr.signIn(Unavailable)
	require.False(t, sight.Typed)
}

func TestNothingReachesARealSite(t *testing.T) {
	tr := newTour(t, "stops")
	tr.flow.SignIn.Open = "https://elsewhere.example/login"
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, ErrOriginNotReplaced)
}

func TestEvidenceHoldsNoValues(t *testing.T) {
	tr := newTour(t, "stops")
	tr.flow.RenderWait = 2 * time.Second
	sight := tr.signIn(Unknown)
	require.True(t, sight.Typed)
	require.Equal(t, realWWW+"/new.html", sight.Evidence.URL)
	outline := sight.Evidence.Outline
	for _, part := range []string{"h1: Welcome …", "input id=account name=acct", "textarea", "button: Go on to [number]", "mail [address]", "h2: Inside"} {
		require.Contains(t, outline, part)
	}
	for _, secret := range []string{"Miller", "4111", "quokka", "pat@", "12345678"} {
		require.NotContains(t, outline, secret)
	}
	tr.requireMasked(sight.Evidence.Screenshot)
}

// requireMasked compares the picture with one of the same page with every field emptied: nothing of a value may show.
func (t *tour) requireMasked(screenshot []byte) {
	t.Helper()
	t.eval(`for (const d of [document, document.querySelector('iframe').contentDocument]) for (const f of d.querySelectorAll('input, textarea')) f.value = ''`)
	t.eval(`document.querySelector('option').textContent = 'Xxx Xxxxxx'`)
	emptied, err := t.screenshot(t.Context())
	require.NoError(t, err)
	a, err := png.Decode(bytes.NewReader(screenshot))
	require.NoError(t, err)
	b, err := png.Decode(bytes.NewReader(emptied))
	require.NoError(t, err)
	box := t.eval(`(() => { const b = document.querySelector('#account').getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })()`)
	edges, ok := box.([]any)
	require.True(t, ok)
	for y := pixel(t, edges[1]); y < pixel(t, edges[3]); y++ {
		for x := pixel(t, edges[0]); x < pixel(t, edges[2]); x++ {
			require.Equal(t, a.At(x, y), b.At(x, y))
		}
	}
}

func pixel(t *tour, value any) int {
	t.Helper()
	switch v := value.(type) {
	case int:
		return v
	case float64:
		return int(v)
	}
	require.Fail(t, "not a number", value)
	return 0
}

func TestPopup(t *testing.T) {
	tr := newTour(t, "popup")
	tr.page().OnPopup(func(p playwright.Page) { *tr.pages = append(*tr.pages, p) })
	tr.signIn(SignedIn)
	require.Len(t, *tr.pages, 2)
}

func TestClosedPage(t *testing.T) {
	tr := newTour(t, "code")
	tr.signIn(CodeForm)
	require.NoError(t, tr.page().Close())
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorIs(t, err, ErrPageGone)
	require.NotContains(t, err.Error(), "424242")
	_, err = tr.Glance(t.Context())
	require.ErrorIs(t, err, ErrPageGone)
}

func TestPageClosedWhileTyping(t *testing.T) {
	tr := newTour(t, "keys")
	tr.Visit.once = func(string) error { return tr.page().Close() }
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, ErrPageGone)
	require.NotContains(t, err.Error(), "Quokka")
	tr.secretsKept()
}

func TestCanceledVisit(t *testing.T) {
	tr := newTour(t, "stops")
	ctx, cancel := context.WithCancel(t.Context())
	tr.Visit.once = func(string) error { cancel(); return nil }
	_, err := tr.SignIn(ctx, login)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCanceledWhileTyping_TypesTheFieldToItsEnd(t *testing.T) {
	tr := newTour(t, "keys")
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, tr.page().ExposeFunction("typed", func(...any) any { cancel(); return nil }))
	require.NoError(t, tr.page().AddInitScript(playwright.Script{Content: playwright.String(`addEventListener("input", (e) => e.target.value === "q" && typed(), true)`)}))
	long := Credentials{Username: strings.Repeat("quokka-user.", 20), Password: login.Password}
	_, err := tr.SignIn(ctx, long)
	require.ErrorIs(t, err, context.Canceled)
	typed, err := tr.page().Evaluate(`() => [...document.querySelectorAll("input")].map((i) => i.value).filter((v) => v)`)
	require.NoError(t, err)
	require.Equal(t, []any{long.Username}, typed, "nothing goes on typing in a window that somebody else may be in by now")
}

func TestWithinGivesUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	_, err := within(t.Context(), time.Millisecond, func() (int, error) { <-release; return 1, nil })
	require.ErrorIs(t, err, errBusy)
	n, err := within(t.Context(), time.Minute, func() (int, error) { return http.StatusOK, nil })
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, n)
	_, err = within(t.Context(), time.Minute, func() (int, error) { panic("typing hunter2") })
	require.ErrorIs(t, err, errDriver)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestProbe(t *testing.T) {
	tr := newTour(t, "steps")
	found, err := tr.utility.Probe(t.Context(), tr.page(), tr.origins)
	require.NoError(t, err)
	require.Equal(t, []FieldFound{
		{Field: "flow.sign_in.steps[0].into", Selector: "#user", Found: true},
		{Field: "flow.sign_in.steps[1].press", Selector: "#next", Found: true},
		{Field: "flow.sign_in.steps[2].into", Selector: "#password", Found: false},
		{Field: "flow.sign_in.steps[3].press", Selector: "#go", Found: false},
	}, found)
	require.Empty(t, tr.eval(`document.querySelector('#user').value`))

	tr.flow.SignIn.Open = realWWW + "/status/503"
	_, err = tr.utility.Probe(t.Context(), tr.page(), tr.origins)
	require.ErrorContains(t, err, "the site is down")
}

func TestUnreadableSelector(t *testing.T) {
	tr := newTour(t, "stops")
	tr.flow.wanted[0].CSS = "input[["
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorContains(t, err, "not a selector: input[[")
}
