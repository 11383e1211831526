package flow

import (
	"errors"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// atStage is signed in as far as one of the stages of testdata/ways.
func atStage(t *testing.T, stage string, want utilities.PageKind) (*fixture, Observation) {
	t.Helper()
	tr := newFixture(t, "ways")
	tr.open("/login.html")
	tr.eval(`sessionStorage.stage = "` + stage + `"`)
	return tr, tr.signIn(want)
}

func TestChoiceByPressingAlone(t *testing.T) {
	tr, seen := atStage(t, "ways", utilities.ChoiceForm)
	require.Equal(t, []meterkey.Option{
		{ID: "option-1", Label: "Text me a code"},
		{ID: "option-2", Label: "Mail a code to p**@mail.example", Target: "p**@mail.example"},
	}, seen.Challenge.Options)
	seen, err := tr.Choose(t.Context(), "option-2")
	seen = tr.saw(seen, err, utilities.CodeForm)
	require.Equal(t, &meterkey.Challenge{
		Kind: meterkey.NumberCode, Prompt: "We sent six digits to (***) ***-1234. Send", SentTo: "(***) ***-1234", Digits: 6, TriesLeft: 3,
	}, seen.Challenge)
}

func TestQuestionWithAFieldOfItsOwn(t *testing.T) {
	tr, seen := atStage(t, "question", utilities.QuestionForm)
	require.Equal(t, &meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "Which was your first street?", TriesLeft: 3}, seen.Challenge)
	seen = tr.submit("Elm Lane", utilities.RejectedCode)
	require.Equal(t, meterkey.SecurityAnswer, seen.Challenge.Kind)
	tr.submit("right", utilities.SignedIn)
	require.Equal(t, "Elm Lane;right;", tr.eval(`document.body.dataset.typed`), "the wrong answer was cleared first")
	tr.secretsKept("Elm Lane")
}

func TestCodeThatWasBegunBefore(t *testing.T) {
	tr, _ := atStage(t, "code", utilities.CodeForm)
	refused := errors.New("typed before")
	tr.beginOnce = func(string) error { return refused }
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorIs(t, err, refused)
	require.Empty(t, tr.eval(`document.querySelector('#code').value`))
}

func TestCodeNobodyAsksFor(t *testing.T) {
	tr, _ := atStage(t, "home", utilities.SignedIn)
	tr.submit("424242", utilities.SignedIn)
	require.Equal(t, []string{"login"}, *tr.begun, "nothing was typed")

	tr.eval(`draw('ways')`)
	seen, err := tr.SubmitCode(t.Context(), "424242", "code")
	tr.saw(seen, err, utilities.ChoiceForm)

	tr.open("/login.html")
	seen, err = tr.SubmitCode(t.Context(), "424242", "code")
	tr.saw(seen, err, utilities.SessionEnded)
	require.Equal(t, []string{"login"}, *tr.begun)
}

func TestChoiceNobodyOffers(t *testing.T) {
	tr, _ := atStage(t, "home", utilities.SignedIn)
	_, err := tr.Choose(t.Context(), "option-1")
	require.ErrorIs(t, err, ErrNotOffered)
	_, err = tr.ResendCode(t.Context())
	require.ErrorIs(t, err, ErrNotOffered)
}

func TestNagOverAChallenge(t *testing.T) {
	tr, _ := atStage(t, "code", utilities.CodeForm)
	tr.eval(`nag()`)
	kind, err := tr.Glance(t.Context())
	require.NoError(t, err)
	require.Equal(t, utilities.CodeForm, kind, "what the nag lies over")
	require.Equal(t, true, tr.eval(`!!document.querySelector('#cookies')`), "glancing touches nothing")
	seen, err := tr.Look(t.Context())
	tr.saw(seen, err, utilities.CodeForm)
	require.Equal(t, false, tr.eval(`!!document.querySelector('#cookies')`))
}

func TestMenuInTheWay(t *testing.T) {
	tr, _ := atStage(t, "home", utilities.SignedIn)
	tr.eval(`cover()`)
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
}

func TestTwoRunsOnOnePage(t *testing.T) {
	tr := newFixture(t, "answers")
	tr.signIn(utilities.CodeForm)
	watcher := New(tr.utility, tr.page, Options{Origins: tr.origins})
	_, err := watcher.Glance(t.Context())
	require.NoError(t, err)
	watcher.Close()
	tr.submit("111111", utilities.RejectedCode) // by an answer, which is still listened for
}

func TestFieldThatIsTakenAway(t *testing.T) {
	tr, _ := atStage(t, "code", utilities.CodeForm)
	tr.beginOnce = func(string) error {
		tr.eval(`document.querySelector('#code').disabled = true`)
		return nil
	}
	tr.flow.RenderWait = 2e9
	seen, err := tr.SubmitCode(t.Context(), "424242", "code")
	if err == nil {
		require.NotEqual(t, utilities.SignedIn, seen.Page)
	} else {
		require.NotContains(t, err.Error(), "424242")
	}
	tr.secretsKept("424242")
}

func TestCrashedPage(t *testing.T) {
	tr, _ := atStage(t, "code", utilities.CodeForm)
	crashed := make(chan struct{})
	tr.page().OnCrash(func(playwright.Page) { close(crashed) })
	go func() {
		_, err := tr.page().Goto("chrome://crash")
		if err == nil {
			t.Error("a page that crashes while it is opened is an error")
		}
	}()
	<-crashed
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorIs(t, err, ErrPageGone)
}
