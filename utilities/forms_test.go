package utilities

import (
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// The forms in which a file may say the same thing.

func TestFormsOfATarget(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Target{
		`"#a"`:                           {{CSS: "#a"}},
		`{css: b, says: Go}`:             {{CSS: "b", Says: "Go"}},
		`{css: b}`:                       {{CSS: "b"}},
		`["#a", {css: b, says: Go}, .c]`: {{CSS: "#a"}, {CSS: "b", Says: "Go"}, {CSS: ".c"}},
	} {
		var got Target
		require.NoError(t, yaml.Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{`[[a]]`, `[{css: [a]}]`} {
		var got Target
		require.ErrorContains(t, yaml.Unmarshal([]byte(text), &got), "expected a selector, or css and says", text)
	}
}

func TestTargetsAreShownToPeople(t *testing.T) {
	t.Parallel()
	require.Equal(t, "#a or button saying Go", Target{{CSS: "#a"}, {CSS: "button", Says: "Go"}}.String())
	require.Empty(t, Target(nil).String())
}

func TestFormsOfTextsAndColumns(t *testing.T) {
	t.Parallel()
	var got struct {
		One, Many Texts
		Short     Column
		Long      Column
		Row       Column
	}
	text := `{one: a, many: [a, b], short: td, long: {header: Meter, attr: id, match: x}, row: {}}`
	require.NoError(t, yaml.Unmarshal([]byte(text), &got))
	require.Equal(t, Texts{"a"}, got.One)
	require.Equal(t, Texts{"a", "b"}, got.Many)
	require.Equal(t, Column{CSS: "td"}, got.Short)
	require.Equal(t, "Meter id x", got.Long.Header+" "+got.Long.Attr+" "+got.Long.Match.text)
	require.Equal(t, "X", got.Long.Value("aXb"), "whatever the case")
	require.Equal(t, Column{}, got.Row)
}

func TestWhatAFileLeavesToUs(t *testing.T) {
	t.Parallel()
	u, err := ParseFile("site.yaml", []byte(full))
	require.NoError(t, err)
	f := u.Flow
	require.Equal(t, 30*time.Second, f.RenderWait)
	require.Equal(t, 500*time.Millisecond, f.Settle)
	require.Equal(t, 2, f.Code.Tries)
	require.Equal(t, Target{{CSS: "#code"}, oneTimeCode}, f.Code.Field, "its own field first, then any that asks for a code")

	require.Equal(t, Target{{CSS: "#answer"}}, f.Question.Field, "a question has its own field")
	require.Equal(t, 2, f.Question.Tries, "and all else of the code")
	require.Equal(t, f.Code.PromptFrom, f.Question.PromptFrom)
}

func TestAQuestionThatSaysAllItself(t *testing.T) {
	t.Parallel()
	own, code := Entry{
		Submit: Target{{CSS: "#reply"}}, Prompt: Target{{CSS: "#asks"}}, SentTo: Target{{CSS: "#to"}}, SendAgain: Target{{CSS: "#again"}},
		PromptFrom: &AnswerValue{Name: "own"}, Tries: 1,
	}, &Entry{
		Field: Target{{CSS: "#code"}}, Submit: Target{{CSS: "#send"}}, Prompt: Target{{CSS: "#prompt"}}, Tries: 3,
		SentTo: Target{{CSS: "#sent"}}, SendAgain: Target{{CSS: "#resend"}}, PromptFrom: &AnswerValue{Name: "code"},
	}
	got := own
	got.complete(code)
	want := own
	want.Field = code.Field
	require.Equal(t, want, got)

	alone := Entry{Field: Target{{CSS: "#answer"}}}
	alone.complete(nil)
	require.Equal(t, Entry{Field: Target{{CSS: "#answer"}}}, alone, "where no code is ever asked for")
}

func TestFold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"  Sign \n\t In ": "sign in", "": "", "ÄRGER": "ärger", "a b": "a b",
	} {
		require.Equal(t, want, fold(text))
	}
}
