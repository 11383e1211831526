package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/workflows"
)

func (f *form) typed(text string) *form {
	for _, key := range text {
		f.key(key)
	}
	return f
}

func TestFormsAskForWhatIsAwaited(t *testing.T) {
	t.Parallel()
	two := []workflows.Option{{ID: "a"}, {ID: "b"}}
	for _, c := range []struct {
		name   string
		state  workflows.State
		labels string
		hidden string // which of them, by their first letters
	}{
		{"login", workflows.State{Status: workflows.AwaitingLogin, Utility: "DEMO"}, "User name, Password", "P"},
		{"login at a utility to be chosen", workflows.State{Status: workflows.AwaitingLogin}, "Utility, User name, Password", "P"},
		{"login with MFA off", workflows.State{Status: workflows.AwaitingMFAOff, Utility: "DEMO"}, "User name, Password", "P"},
		{"choice", workflows.State{Status: workflows.AwaitingChoice, Challenge: &workflows.Challenge{Kind: workflows.MethodChoice, Options: two}}, "Number, 1 to 2", ""},
		{"code", workflows.State{Status: workflows.AwaitingCode, Challenge: &workflows.Challenge{Kind: workflows.NumberCode}}, "Code", "C"},
		{"answer", workflows.State{Status: workflows.AwaitingCode, Challenge: &workflows.Challenge{Kind: workflows.SecurityAnswer}}, "Answer", "A"},
		{"at work", workflows.State{Status: workflows.SubmittingCode, Challenge: &workflows.Challenge{Kind: workflows.NumberCode}}, "", ""},
		{"code without a challenge", workflows.State{Status: workflows.AwaitingCode}, "", ""},
		{"over", workflows.State{Status: workflows.Failed}, "", ""},
	} {
		f := newForm(c.state)
		if c.labels == "" {
			require.Nil(t, f, c.name)
			continue
		}
		var labels []string
		hidden := ""
		for _, field := range f.fields {
			labels = append(labels, field.label)
			if field.hidden {
				hidden += field.label[:1]
			}
		}
		require.Equal(t, c.labels, strings.Join(labels, ", "), c.name)
		require.Equal(t, c.hidden, hidden, c.name)
	}
}

func TestFormsAreEditedByKeys(t *testing.T) {
	t.Parallel()
	const backspace, clear, tab = "\x7f", "\x15", "\t"
	for _, c := range []struct{ keys, user, password string }{
		{"pat" + tab + "orange", "pat", "orange"},
		{"pä日" + backspace, "pä", ""},
		{backspace + backspace + "p", "p", ""},
		{"pat" + clear + "x", "x", ""},
		{"pat\b\b", "p", ""},
		{"p" + tab + "o" + tab + "q", "pq", "o"},
		{"p\x01\x02\x1b\x00at", "pat", ""},
		{" p t ", " p t ", ""},
	} {
		f := newForm(workflows.State{Status: workflows.AwaitingLogin, Utility: "DEMO"}).typed(c.keys)
		require.Equal(t, []string{c.user, c.password}, f.values(), "%q", c.keys)
	}
}

func TestFormsAreMovedThroughInACircle(t *testing.T) {
	t.Parallel()
	f := newForm(workflows.State{Status: workflows.AwaitingLogin})
	var at []int
	for _, key := range []rune{keyDown, keyTab, keyDown, keyUp, keyUp, keyOther} {
		f.key(key)
		at = append(at, f.at)
	}
	require.Equal(t, []int{1, 2, 0, 2, 1, 1}, at)
}

func TestEnterGoesToWhatIsStillEmpty(t *testing.T) {
	t.Parallel()
	f := newForm(workflows.State{Status: workflows.AwaitingLogin, Utility: "DEMO"}).typed("\torange")
	require.False(t, f.enter())
	require.Zero(t, f.at, "the user name")
	f.typed("  ")
	require.False(t, f.enter(), "blank is empty")
	require.True(t, f.typed("pat").enter())
}

func TestFormsShowWhereOneTypesAndHideSecrets(t *testing.T) {
	t.Parallel()
	p := newPrinter(&strings.Builder{}, true)
	f := newForm(workflows.State{Status: workflows.AwaitingLogin, Utility: "DEMO"}).typed("pat\x7f\x7f\x7f日本\torangé")
	require.Equal(t, []string{"  User name: 日本", "> Password: ••••••▏"}, f.lines(p))
}

func TestAFormStaysWhileTheQuestionDoes(t *testing.T) {
	t.Parallel()
	first := workflows.State{Status: workflows.AwaitingLogin, Utility: "DEMO", Since: nine}
	f := newForm(first).typed("pat")
	require.Same(t, f, formFor(first, f))
	rejected := first
	rejected.Since = nine.Add(1)
	require.Equal(t, []string{"", ""}, formFor(rejected, f).values(), "another login is typed anew")
	require.Nil(t, formFor(workflows.State{Status: workflows.SigningIn}, f))
	require.Equal(t, []string{""}, formFor(awaitingCode(), f).values())
}
