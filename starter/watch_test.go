package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/workflows"
)

var nine = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func moments(statuses ...workflows.Status) []workflows.Moment {
	list := make([]workflows.Moment, len(statuses))
	for i, s := range statuses {
		list[i] = workflows.Moment{Status: s, At: nine.Add(time.Duration(i) * time.Second)}
	}
	return list
}

func TestMomentsSince(t *testing.T) {
	t.Parallel()
	all := moments(workflows.AwaitingLogin, workflows.SigningIn, workflows.AwaitingCode)
	revived := []workflows.Moment{{Status: workflows.AwaitingLogin, At: nine.Add(time.Hour)}}
	for _, c := range []struct {
		name                string
		before, after, want []workflows.Moment
	}{
		{"nothing seen before", nil, all, all},
		{"nothing new", all, all, nil},
		{"two more", all[:1], all, all[1:]},
		{"the oldest has gone", all[:2], all[1:], all[2:]},
		{"all that was seen has gone", all[:1], all[1:], all[1:]},
		{"begun anew", all, revived, revived},
	} {
		require.ElementsMatch(t, c.want, momentsSince(c.before, c.after), c.name)
	}
}

func TestIgnoredSinceTellsTheLastOne(t *testing.T) {
	t.Parallel()
	first := workflows.Ignored{Signal: "submit-code", Why: "a code is being submitted already", At: nine}
	second := workflows.Ignored{Signal: "leave", Why: "there is no window to leave", At: nine.Add(time.Second)}
	none, one, two := workflows.State{}, workflows.State{Ignored: []workflows.Ignored{first}}, workflows.State{Ignored: []workflows.Ignored{first, second}}
	require.Empty(t, ignoredSince(none, none))
	require.Empty(t, ignoredSince(one, one))
	require.Empty(t, ignoredSince(one, none), "a revived request forgets")
	require.Equal(t, "ignored submit-code: a code is being submitted already", ignoredSince(none, one))
	require.Equal(t, "ignored leave: there is no window to leave", ignoredSince(one, two))
}

func TestChangesAreToldOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{out: newPrinter(&out, true)}
	before := workflows.State{RequestID: "r-1", Status: workflows.SigningIn, Message: "Wait.", Version: 2,
		Timeline: moments(workflows.AwaitingLogin, workflows.SigningIn)}
	after := awaitingCode()
	after.Ignored = []workflows.Ignored{{Signal: "submit-login", Why: "no login is awaited", At: nine}}
	a.showChange(before, after)
	require.Regexp(t, `(?m)^.*  awaiting_code
          Type the code\.
          Enter the code · sent to \(\*\*\*\) \*\*\*-1234 · .* left · 1 try left
          ignored submit-login: no login is awaited
          next: starter code r-1
$`, out.String())

	out.Reset()
	a.showChange(after, after)
	require.Equal(t, "          next: starter code r-1\n", out.String())
}

func awaitingCode() workflows.State {
	return workflows.State{RequestID: "r-1", Requester: "acme", Utility: "DEMO", Status: workflows.AwaitingCode,
		WaitingOn: workflows.Customer, Message: "Type the code.", Version: 3, Since: nine,
		Timeline: moments(workflows.AwaitingLogin, workflows.SigningIn, workflows.AwaitingCode),
		Challenge: &workflows.Challenge{ID: "c-1", Kind: workflows.NumberCode, Prompt: "Enter the code", SentTo: "(***) ***-1234",
			Digits: 6, TriesLeft: 1, CanResend: true, ExpiresAt: nine.Add(10 * time.Minute)}}
}

func TestNextIsACommandForEveryStatus(t *testing.T) {
	t.Parallel()
	commands := commandNames(t)
	for _, s := range workflows.Statuses() {
		words := strings.Fields(next(workflows.State{RequestID: "r-1", Status: s}))
		require.Len(t, words, 3, s)
		require.Contains(t, commands, words[1], s)
	}
}
