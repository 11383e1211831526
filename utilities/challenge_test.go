package utilities

import (
	"errors"
	"testing"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

// atStage is signed in as far as one of the stages of testdata/ways.
func atStage(t *testing.T, stage string, want PageKind) (*tour, Sight) {
	t.Helper()
	tr := newTour(t, "ways")
	tr.open("/login.html")
	tr.eval(`sessionStorage.stage = "` + stage + `"`)
	return tr, tr.signIn(want)
}

func TestChoiceByPressingAlone(t *testing.T) {
	tr, sight := atStage(t, "ways", ChoiceForm)
	require.Equal(t, []Option{
		{ID: "option-1", Label: "Text me a code"},
		{ID: "option-2", Label: "Mail a code to p**@mail.example", Target: "p**@mail.example"},
	}, sight.Challenge.Options)
	sight, err := tr.Choose(t.Context(), "option-2")
	sight = tr.saw(sight, err, CodeForm)
	require.Equal(t, &Challenge{
		Kind: NumberCode, Prompt: "We sent six digits to (***) ***-1234. Send", SentTo: "(***) ***-1234", Digits: 6, Tries: 3,
	}, sight.Challenge)
}

func TestQuestionWithAFieldOfItsOwn(t *testing.T) {
	tr, sight := atStage(t, "question", QuestionForm)
	require.Equal(t, &Challenge{Kind: SecurityAnswer, Prompt: "Which was your first street?", Tries: 3}, sight.Challenge)
	sight = tr.submit("Elm Lane", RejectedCode)
	require.Equal(t, SecurityAnswer, sight.Challenge.Kind)
	tr.submit("right", SignedIn)
	require.Equal(t, "Elm Lane;right;", tr.eval(`document.body.dataset.typed`), "the wrong answer was cleared first")
	tr.secretsKept("Elm Lane")
}

func TestCodeRefusedByOnce(t *testing.T) {
	tr, _ := atStage(t, "code", CodeForm)
	refused := errors.New("typed before")
	tr.Visit.once = func(string) error { return refused }
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorIs(t, err, refused)
	require.Empty(t, tr.eval(`document.querySelector('#code').value`))
}

func TestCodeNobodyAsksFor(t *testing.T) {
	tr, _ := atStage(t, "home", SignedIn)
	tr.submit("424242", SignedIn)
	require.Equal(t, []string{"login"}, *tr.once, "nothing was typed")

	tr.eval(`draw('ways')`)
	sight, err := tr.SubmitCode(t.Context(), "424242", "code")
	tr.saw(sight, err, ChoiceForm)

	tr.open("/login.html")
	sight, err = tr.SubmitCode(t.Context(), "424242", "code")
	tr.saw(sight, err, SessionEnded)
	require.Equal(t, []string{"login"}, *tr.once)
}

func TestChoiceNobodyOffers(t *testing.T) {
	tr, _ := atStage(t, "home", SignedIn)
	_, err := tr.Choose(t.Context(), "option-1")
	require.ErrorIs(t, err, ErrNotOffered)
	_, err = tr.SendAgain(t.Context())
	require.ErrorIs(t, err, ErrNotOffered)
}

func TestNagOverAChallenge(t *testing.T) {
	tr, _ := atStage(t, "code", CodeForm)
	tr.eval(`nag()`)
	kind, err := tr.Glance(t.Context())
	require.NoError(t, err)
	require.Equal(t, CodeForm, kind, "what the nag lies over")
	require.Equal(t, true, tr.eval(`!!document.querySelector('#cookies')`), "glancing touches nothing")
	sight, err := tr.Look(t.Context())
	tr.saw(sight, err, CodeForm)
	require.Equal(t, false, tr.eval(`!!document.querySelector('#cookies')`))
}

func TestMenuInTheWay(t *testing.T) {
	tr, _ := atStage(t, "home", SignedIn)
	tr.eval(`cover()`)
	require.Equal(t, []Meter{{MeterNumber: "M-1"}}, tr.read())
}

func TestTwoVisitsOfOnePage(t *testing.T) {
	tr := newTour(t, "answers")
	tr.signIn(CodeForm)
	watcher := tr.utility.Visit(tr.page, VisitOptions{Origins: tr.origins})
	_, err := watcher.Glance(t.Context())
	require.NoError(t, err)
	watcher.Close()
	tr.submit("111111", RejectedCode) // by an answer, which is still listened for
}

func TestFieldThatIsTakenAway(t *testing.T) {
	tr, _ := atStage(t, "code", CodeForm)
	tr.Visit.once = func(string) error {
		tr.eval(`document.querySelector('#code').disabled = true`)
		return nil
	}
	tr.flow.RenderWait = 2e9
	sight, err := tr.SubmitCode(t.Context(), "424242", "code")
	if err == nil {
		require.NotEqual(t, SignedIn, sight.Page)
	} else {
		require.NotContains(t, err.Error(), "424242")
	}
	tr.secretsKept("424242")
}

func TestCrashedPage(t *testing.T) {
	tr, _ := atStage(t, "code", CodeForm)
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
