package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func TestOptionsAreFoundByIDBeforeNumber(t *testing.T) {
	t.Parallel()
	options := []meterkey.Option{{ID: "2"}, {ID: "sms"}, {ID: "email"}}
	for _, c := range [][2]string{{"sms", "sms"}, {" 3 ", "email"}, {"2", "2"}, {"1", "2"}} {
		id, err := pickOption(options, c[0])
		require.NoError(t, err, c)
		require.Equal(t, c[1], id, c)
	}
	for _, answer := range []string{"0", "4", "-1", "", "SMS", "sms email"} {
		_, err := pickOption(options, answer)
		require.ErrorContains(t, err, "(1 to 3, or 2, sms, email)", answer)
	}
}

func TestQuestionsSayHowOftenTheyMayBeAnswered(t *testing.T) {
	t.Parallel()
	c := meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "Your first sled?", TriesLeft: 2, ExpiresAt: nine}
	require.Equal(t, "Your first sled? · 0:00 left · 2 tries left", asked(c, nine))
	require.Equal(t, "Answer (not shown):", codePrompt(c))
	c.Kind = meterkey.MethodChoice
	require.Equal(t, "Your first sled? · 0:00 left", asked(c, nine))
	require.Equal(t, "Code (not shown):", codePrompt(meterkey.Challenge{Kind: meterkey.NumberCode}))
	require.Equal(t, "Code of 6 digits (not shown):", codePrompt(meterkey.Challenge{Kind: meterkey.NumberCode, Digits: 6}))
}

func TestWhatTheSiteLeavesUnsaidIsSaid(t *testing.T) {
	t.Parallel()
	for _, kind := range []meterkey.ChallengeKind{meterkey.NumberCode, meterkey.SecurityAnswer, meterkey.MethodChoice} {
		require.Regexp(t, "^[A-Z].* · 0:00 left", asked(meterkey.Challenge{Kind: kind, ExpiresAt: nine}, nine))
	}
}

func TestOptionsShowTheirTargetOnce(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Text me [a]", optionText(meterkey.Option{ID: "a", Label: "Text me"}))
	require.Equal(t, "Text me ***1 [a]", optionText(meterkey.Option{ID: "a", Label: "Text me", Target: "***1"}))
	require.Equal(t, "Text ***1 now [a]", optionText(meterkey.Option{ID: "a", Label: "Text ***1 now", Target: "***1"}))
}
