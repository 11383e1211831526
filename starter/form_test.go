package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func (f *form) typed(text string) *form {
	for _, key := range text {
		f.key(key)
	}
	return f
}

func TestFormsAskForWhatIsAwaited(t *testing.T) {
	t.Parallel()
	two := []meterkey.Option{{ID: "a"}, {ID: "b"}}
	for _, c := range []struct {
		name   string
		state  meterkey.State
		labels string
		hidden string // which of them, by their first letters
	}{
		{"login", meterkey.State{Status: meterkey.AwaitingLogin, Utility: "DEMO"}, "User name, Password", "P"},
		{"login at a utility to be chosen", meterkey.State{Status: meterkey.AwaitingLogin}, "Utility, User name, Password", "P"},
		{"login with MFA off", meterkey.State{Status: meterkey.AwaitingMFAOff, Utility: "DEMO"}, "User name, Password", "P"},
		{"choice", meterkey.State{Status: meterkey.AwaitingChoice, Challenge: &meterkey.Challenge{Kind: meterkey.MethodChoice, Options: two}}, "Number, 1 to 2", ""},
		{"code", meterkey.State{Status: meterkey.AwaitingCode, Challenge: &meterkey.Challenge{Kind: meterkey.NumberCode}}, "Code", "C"},
		{"answer", meterkey.State{Status: meterkey.AwaitingCode, Challenge: &meterkey.Challenge{Kind: meterkey.SecurityAnswer}}, "Answer", "A"},
		{"at work", meterkey.State{Status: meterkey.SubmittingCode, Challenge: &meterkey.Challenge{Kind: meterkey.NumberCode}}, "", ""},
		{"code without a challenge", meterkey.State{Status: meterkey.AwaitingCode}, "", ""},
		{"over", meterkey.State{Status: meterkey.Failed}, "", ""},
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
		f := newForm(meterkey.State{Status: meterkey.AwaitingLogin, Utility: "DEMO"}).typed(c.keys)
		require.Equal(t, []string{c.user, c.password}, f.values(), "%q", c.keys)
	}
}

func TestFormsAreMovedThroughInACircle(t *testing.T) {
	t.Parallel()
	f := newForm(meterkey.State{Status: meterkey.AwaitingLogin})
	var at []int
	for _, key := range []rune{keyDown, keyTab, keyDown, keyUp, keyUp, keyOther} {
		f.key(key)
		at = append(at, f.at)
	}
	require.Equal(t, []int{1, 2, 0, 2, 1, 1}, at)
}

func TestEnterGoesToWhatIsStillEmpty(t *testing.T) {
	t.Parallel()
	f := newForm(meterkey.State{Status: meterkey.AwaitingLogin, Utility: "DEMO"}).typed("\torange")
	require.False(t, f.enter())
	require.Zero(t, f.at, "the user name")
	f.typed("  ")
	require.False(t, f.enter(), "blank is empty")
	require.True(t, f.typed("pat").enter())
}

func TestFormsShowWhereOneTypesAndHideSecrets(t *testing.T) {
	t.Parallel()
	p := newPrinter(&strings.Builder{}, true)
	f := newForm(meterkey.State{Status: meterkey.AwaitingLogin, Utility: "DEMO"}).typed("pat\x7f\x7f\x7f日本\torangé")
	require.Equal(t, []string{"  User name: 日本", "> Password: ••••••▏"}, f.lines(p))
}

func TestAFormStaysWhileTheQuestionDoes(t *testing.T) {
	t.Parallel()
	first := meterkey.State{Status: meterkey.AwaitingLogin, Utility: "DEMO", Since: nine}
	f := newForm(first).typed("pat")
	require.Same(t, f, formFor(first, f))
	rejected := first
	rejected.Since = nine.Add(1)
	require.Equal(t, []string{"", ""}, formFor(rejected, f).values(), "another login is typed anew")
	require.Nil(t, formFor(meterkey.State{Status: meterkey.SigningIn}, f))
	require.Equal(t, []string{""}, formFor(awaitingCode(), f).values())
}
