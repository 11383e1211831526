package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

var nine = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func moments(statuses ...meterkey.Status) []meterkey.Moment {
	list := make([]meterkey.Moment, len(statuses))
	for i, s := range statuses {
		list[i] = meterkey.Moment{Status: s, At: nine.Add(time.Duration(i) * time.Second)}
	}
	return list
}

func TestMomentsSince(t *testing.T) {
	t.Parallel()
	all := moments(meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingCode)
	revived := []meterkey.Moment{{Status: meterkey.AwaitingLogin, At: nine.Add(time.Hour)}}
	for _, c := range []struct {
		name                string
		before, after, want []meterkey.Moment
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
	first := meterkey.Ignored{Signal: "submit-code", Why: "a code is being submitted already", At: nine}
	second := meterkey.Ignored{Signal: "leave", Why: "there is no window to leave", At: nine.Add(time.Second)}
	none, one, two := meterkey.State{}, meterkey.State{Ignored: []meterkey.Ignored{first}}, meterkey.State{Ignored: []meterkey.Ignored{first, second}}
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
	before := meterkey.State{RequestID: "r-1", Status: meterkey.SigningIn, Message: "Wait.", Revision: 2,
		Timeline: moments(meterkey.AwaitingLogin, meterkey.SigningIn)}
	after := awaitingCode()
	after.Ignored = []meterkey.Ignored{{Signal: "submit-login", Why: "no login is awaited", At: nine}}
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

func awaitingCode() meterkey.State {
	return meterkey.State{RequestID: "r-1", Requester: "acme", Utility: "DEMO", Status: meterkey.AwaitingCode,
		WaitingOn: meterkey.Customer, Message: "Type the code.", Revision: 3, Since: nine,
		Timeline: moments(meterkey.AwaitingLogin, meterkey.SigningIn, meterkey.AwaitingCode),
		Challenge: &meterkey.Challenge{ID: "c-1", Kind: meterkey.NumberCode, Prompt: "Enter the code", SentTo: "(***) ***-1234",
			Digits: 6, TriesLeft: 1, CanResend: true, ExpiresAt: nine.Add(10 * time.Minute)}}
}

func TestNextIsACommandForEveryStatus(t *testing.T) {
	t.Parallel()
	commands := commandNames(t)
	for _, s := range meterkey.Statuses() {
		words := strings.Fields(next(meterkey.State{RequestID: "r-1", Status: s}))
		require.Len(t, words, 3, s)
		require.Contains(t, commands, words[1], s)
	}
}
