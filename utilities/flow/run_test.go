package flow

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

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

func toText(value any) string { return fmt.Sprintf("%+v", value) }

func TestSeveralStepsBeforeThePassword(t *testing.T) {
	tr := newFixture(t, "steps")
	seen := tr.signIn(utilities.SignedIn)
	require.True(t, seen.Typed)
	require.Equal(t, []string{"login"}, *tr.begun)
	tr.secretsKept()
}

func TestRefusedBeforeThePassword(t *testing.T) {
	tr := newFixture(t, "steps")
	tr.flow.SignIn.Open += "#nobody"
	seen := tr.signIn(utilities.RejectedLogin)
	require.False(t, seen.Typed)
	require.Empty(t, *tr.begun)
}

func TestLoginThatWasBegunBefore(t *testing.T) {
	tr := newFixture(t, "keys")
	refused := errors.New("typed before")
	tr.beginOnce = func(string) error { return refused }
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, refused)
	require.Empty(t, tr.eval(`document.querySelector('main .password').value`))
}

func TestRealKeysInTheFieldThatShows(t *testing.T) {
	tr := newFixture(t, "keys")
	tr.signIn(utilities.SignedIn)
	want := fmt.Sprintf("%d and %d", len(login.Username), len(login.Password))
	require.Equal(t, want, tr.eval(`document.querySelector('#home').textContent`))
	require.Empty(t, tr.eval(`document.querySelector('header .user').value + document.querySelector('.off .user').value`))
}

func TestFrames(t *testing.T) {
	tr := newFixture(t, "frames")
	seen := tr.signIn(utilities.CodeForm)
	require.Equal(t, "Type the code", seen.Challenge.Prompt)
	tr.submit("424242", utilities.SignedIn)
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}, {MeterNumber: "M-2"}}, tr.read())
}

func TestAnswersTell(t *testing.T) {
	for kind, want := range map[string]utilities.PageKind{"wrong": utilities.RejectedLogin, "locked": utilities.Locked, "code": utilities.CodeForm, "question": utilities.QuestionForm} {
		t.Run(kind, func(t *testing.T) {
			tr := newFixture(t, "answers")
			tr.flow.SignIn.Open += "?kind=" + kind
			seen := tr.signIn(want)
			require.Nil(t, seen.Evidence)
			switch want {
			case utilities.CodeForm:
				require.Equal(t, &meterkey.Challenge{
					Kind: meterkey.NumberCode, Prompt: "We sent a code to (***) ***-1234.", SentTo: "(***) ***-1234", TriesLeft: 3,
				}, seen.Challenge)
			case utilities.QuestionForm:
				require.Equal(t, &meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "What was your first street?", TriesLeft: 3}, seen.Challenge)
			}
		})
	}
}

func TestEarlierAnswersAreNoEvidence(t *testing.T) {
	tr := newFixture(t, "answers")
	tr.signIn(utilities.CodeForm)
	for _, code := range []string{"111111", "222222", "111111"} {
		seen := tr.submit(code, utilities.RejectedCode)
		require.Equal(t, meterkey.NumberCode, seen.Challenge.Kind)
	}
	tr.submit("333333", utilities.SignedIn)
	tr.secretsKept("111111", "222222", "333333")
}

func TestSiteThatAnswersWithoutAWord(t *testing.T) {
	tr := newFixture(t, "answers")
	tr.flow.Pages[utilities.RejectedLogin], tr.flow.Pages[utilities.Locked] = nil, nil
	tr.flow.SignIn.Open += "?kind=wrong"
	seen := tr.signIn(utilities.RejectedLogin)
	require.NotNil(t, seen.Evidence, "so that the file can be given the words")
}

func TestNagsAreDismissed(t *testing.T) {
	tr := newFixture(t, "nags")
	tr.signIn(utilities.SignedIn)
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
	require.Equal(t, "pressed 2", tr.eval(`document.title`))
}

func TestChoice(t *testing.T) {
	tr := newFixture(t, "choice")
	seen := tr.signIn(utilities.ChoiceForm)
	require.Equal(t, &meterkey.Challenge{Kind: meterkey.MethodChoice, Options: []meterkey.Option{
		{ID: "sms", Label: "Text me (***) ***-1234", Target: "(***) ***-1234"},
		{ID: "option-2", Label: "Mail p**@mail.example", Target: "p**@mail.example"},
		{ID: "call", Label: "Call ***0199", Target: "***0199"},
	}}, seen.Challenge)

	_, err := tr.Choose(t.Context(), "fax")
	require.ErrorIs(t, err, ErrNotOffered)

	seen, err = tr.Choose(t.Context(), "call")
	seen = tr.saw(seen, err, utilities.CodeForm)
	require.Equal(t, "(***) ***-0199", seen.Challenge.SentTo)
	require.Equal(t, "Type the code we sent.", seen.Challenge.Prompt)
	require.Equal(t, "Sign in", tr.eval(`document.title`), "nothing of the next page was pressed")
	tr.submit("424242", utilities.SignedIn)
	require.Equal(t, "submitted 6", tr.eval(`document.title`))
}

func TestCodeThatSubmitsItself(t *testing.T) {
	tr := newFixture(t, "code")
	seen := tr.signIn(utilities.CodeForm)
	require.Equal(t, 6, seen.Challenge.Digits)
	require.Equal(t, 2, seen.Challenge.TriesLeft)
	require.Equal(t, "0", tr.eval(`document.title`))
	tr.submit("123456", utilities.SignedIn)
	require.Equal(t, "1", tr.eval(`document.title`), "submitted once")
	require.Equal(t, []string{"login", "code"}, *tr.begun)
	tr.secretsKept("123456")
}

func TestSameMessageTwice(t *testing.T) {
	tr := newFixture(t, "code")
	tr.signIn(utilities.CodeForm)
	tr.submit("000000", utilities.RejectedCode)
	tr.submit("000000", utilities.RejectedCode)
	tr.submit("123456", utilities.SignedIn)
	require.Equal(t, "3", tr.eval(`document.title`))
}

func TestAfterTheCode(t *testing.T) {
	for code, want := range map[string]utilities.PageKind{"999999": utilities.SessionEnded, "888888": utilities.SessionEnded, "777777": utilities.RejectedCode} {
		t.Run(code, func(t *testing.T) {
			tr := newFixture(t, "code")
			tr.signIn(utilities.CodeForm)
			seen := tr.submit(code, want)
			require.Equal(t, code != "999999", seen.Evidence != nil)
		})
	}
}

func TestResendCode(t *testing.T) {
	tr := newFixture(t, "code")
	seen := tr.signIn(utilities.CodeForm)
	require.False(t, seen.Challenge.CanResend)
	_, err := tr.ResendCode(t.Context())
	require.ErrorIs(t, err, ErrNotOffered)
	tr.eval(`document.querySelector('#again').disabled = false`)
	seen, err = tr.Look(t.Context())
	require.True(t, tr.saw(seen, err, utilities.CodeForm).Challenge.CanResend)
	seen, err = tr.ResendCode(t.Context())
	tr.saw(seen, err, utilities.CodeForm)
	require.Equal(t, "1", tr.eval(`document.body.dataset.again`))
}

func TestLookAndGlance(t *testing.T) {
	tr := newFixture(t, "code")
	tr.signIn(utilities.CodeForm)
	later := New(tr.utility, tr.page, Options{Origins: tr.origins})
	seen, err := later.Look(t.Context())
	tr.saw(seen, err, utilities.CodeForm)
	require.Equal(t, 6, seen.Challenge.Digits)
	require.False(t, seen.Typed, "by this run")
	for script, want := range map[string]utilities.PageKind{
		`document.querySelector('#boxes').hidden = false`: utilities.CodeForm,
		`document.querySelector('#ended').hidden = false`: utilities.SessionEnded,
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
	require.Equal(t, utilities.SessionEnded, kind, "the login form is back")
}

func TestStopsAfterTheLogin(t *testing.T) {
	for next, want := range map[string]utilities.PageKind{
		"captcha.html": utilities.Captcha, "locked.html": utilities.Locked, "/status/503": utilities.Unavailable, "http://127.0.0.1:1/": utilities.Unavailable,
	} {
		t.Run(string(want), func(t *testing.T) {
			tr := newFixture(t, "stops")
			tr.open("/login.html")
			tr.eval(`sessionStorage.next = ` + fmt.Sprintf("%q", next))
			seen := tr.signIn(want)
			require.True(t, seen.Typed)
			require.Nil(t, seen.Challenge)
		})
	}
}

func TestStopsBeforeTheLogin(t *testing.T) {
	for path, want := range map[string]utilities.PageKind{"/captcha.html": utilities.Captcha, "/status/503": utilities.Unavailable, "/new.html": utilities.Unknown} {
		t.Run(string(want), func(t *testing.T) {
			tr := newFixture(t, "stops")
			tr.flow.SignIn.Open, tr.flow.RenderWait = realWWW+path, 2*time.Second
			seen := tr.signIn(want)
			require.False(t, seen.Typed)
			require.Empty(t, *tr.begun)
		})
	}
}

func TestSiteThatDoesNotAnswer(t *testing.T) {
	tr := newFixture(t, "stops")
	tr.origins[realWWW] = "http://127.0.0.1:1"
	seen := tr.signIn(utilities.Unavailable)
	require.False(t, seen.Typed)
}

func TestNothingReachesARealSite(t *testing.T) {
	tr := newFixture(t, "stops")
	tr.flow.SignIn.Open = "https://elsewhere.example/login"
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, utilities.ErrOriginNotReplaced)
}

func TestEvidenceHoldsNoValues(t *testing.T) {
	tr := newFixture(t, "stops")
	tr.flow.RenderWait = 2 * time.Second
	seen := tr.signIn(utilities.Unknown)
	require.True(t, seen.Typed)
	require.Equal(t, realWWW+"/new.html", seen.Evidence.URL)
	outline := seen.Evidence.Outline
	for _, part := range []string{"h1: Welcome …", "input id=account name=acct", "textarea", "button: Go on to [number]", "mail [address]", "h2: Inside"} {
		require.Contains(t, outline, part)
	}
	for _, secret := range []string{"Miller", "4111", "quokka", "pat@", "12345678"} {
		require.NotContains(t, outline, secret)
	}
	tr.requireMasked(seen.Evidence.Screenshot)
}

// requireMasked compares the picture with one of the same page with every field emptied: nothing of a value may show.
func (t *fixture) requireMasked(screenshot []byte) {
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

func pixel(t *fixture, value any) int {
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
	tr := newFixture(t, "popup")
	tr.page().OnPopup(func(p playwright.Page) { *tr.pages = append(*tr.pages, p) })
	tr.signIn(utilities.SignedIn)
	require.Len(t, *tr.pages, 2)
}

func TestClosedPage(t *testing.T) {
	tr := newFixture(t, "code")
	tr.signIn(utilities.CodeForm)
	require.NoError(t, tr.page().Close())
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorIs(t, err, ErrPageGone)
	require.NotContains(t, err.Error(), "424242")
	_, err = tr.Glance(t.Context())
	require.ErrorIs(t, err, ErrPageGone)
}

func TestPageClosedWhileTyping(t *testing.T) {
	tr := newFixture(t, "keys")
	tr.beginOnce = func(string) error { return tr.page().Close() }
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorIs(t, err, ErrPageGone)
	require.NotContains(t, err.Error(), "Quokka")
	tr.secretsKept()
}

func TestCanceledRun(t *testing.T) {
	tr := newFixture(t, "stops")
	ctx, cancel := context.WithCancel(t.Context())
	tr.beginOnce = func(string) error { cancel(); return nil }
	_, err := tr.SignIn(ctx, login)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCanceledWhileTyping_TypesTheFieldToItsEnd(t *testing.T) {
	tr := newFixture(t, "keys")
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, tr.page().ExposeFunction("typed", func(...any) any { cancel(); return nil }))
	require.NoError(t, tr.page().AddInitScript(playwright.Script{Content: playwright.String(`addEventListener("input", (e) => e.target.value === "q" && typed(), true)`)}))
	long := meterkey.Credentials{Username: strings.Repeat("quokka-user.", 20), Password: login.Password}
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
	require.ErrorIs(t, err, errUnresponsive)
	n, err := within(t.Context(), time.Minute, func() (int, error) { return http.StatusOK, nil })
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, n)
	_, err = within(t.Context(), time.Minute, func() (int, error) { panic("typing hunter2") })
	require.ErrorIs(t, err, errDriver)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestProbe(t *testing.T) {
	tr := newFixture(t, "steps")
	found, err := tr.Probe(t.Context())
	require.NoError(t, err)
	require.Equal(t, []meterkey.ProbedField{
		{Field: "flow.sign_in.steps[0].into", Selector: "#user", Found: true},
		{Field: "flow.sign_in.steps[1].press", Selector: "#next", Found: true},
		{Field: "flow.sign_in.steps[2].into", Selector: "#password", Found: false},
		{Field: "flow.sign_in.steps[3].press", Selector: "#go", Found: false},
	}, found)
	require.Empty(t, tr.eval(`document.querySelector('#user').value`))

	tr.flow.SignIn.Open = realWWW + "/status/503"
	_, err = tr.Probe(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestUnreadableSelector(t *testing.T) {
	tr := newFixture(t, "stops")
	tr.elements[0].CSS = "input[["
	_, err := tr.SignIn(t.Context(), login)
	require.ErrorContains(t, err, "not a selector: input[[")
}
