package dashboard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func TestEveryStatusHasWords(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, status := range meterkey.Statuses() {
		words := wordsFor(status)
		require.NotEqual(t, "Starting", words.name, status)
		require.NotEmpty(t, words.next, status)
		require.False(t, names[words.name], "%s: two statuses must not read the same", status)
		names[words.name] = true
		switch {
		case status == meterkey.Connected:
			require.Equal(t, toneGood, words.tone)
		case status.Terminal():
			require.Contains(t, []tone{toneEnded, toneFailed}, words.tone, status)
		case status.WaitingOn() == meterkey.Customer:
			require.Equal(t, toneWaits, words.tone, status)
		default:
			require.Equal(t, toneBusy, words.tone, status)
		}
	}
	require.Equal(t, "Starting", wordsFor("").name)
}

func TestEveryReasonSaysWhyAndWhatNext(t *testing.T) {
	t.Parallel()
	require.Empty(t, reasonWords(""))
	for _, reason := range meterkey.Reasons() {
		require.NotEmpty(t, reasonWords(reason.Reason), reason.Reason)
		require.Equal(t, reason.Next, nextWords(reason.Leads, reason.Reason), reason.Reason)
		require.Equal(t, wordsFor(meterkey.SigningIn).next, nextWords(meterkey.SigningIn, reason.Reason), "the reason is past once the customer signs in again")
		if reason.Leads == meterkey.Failed {
			require.NotEqual(t, meterkey.Nobody, acts(meterkey.Nobody, meterkey.Failed, reason.Reason), reason.Reason)
		}
	}
}

func TestWhoMustAct(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	for _, who := range []meterkey.WaitingOn{meterkey.Customer, meterkey.Utility, meterkey.Requester, meterkey.Operator, meterkey.Nobody} {
		words[actsWords(who)] = true
	}
	require.Len(t, words, 5)
	require.Equal(t, meterkey.Requester, acts(meterkey.Nobody, meterkey.Failed, meterkey.TooManyLogins))
	require.Equal(t, meterkey.Customer, acts(meterkey.Customer, meterkey.AwaitingLogin, meterkey.TooManyLogins))
	require.Equal(t, meterkey.Nobody, acts(meterkey.Nobody, meterkey.Failed, ""))
}

func TestLengthWords(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"under 1 s": 400 * time.Millisecond, "1 s": 1400 * time.Millisecond, "59 s": 59 * time.Second, "1 min 0 s": time.Minute,
		"2 h 5 min": 2*time.Hour + 5*time.Minute + 20*time.Second, "3 d 1 h": 73 * time.Hour,
	} {
		require.Equal(t, want, lengthWords(d))
	}
}

func TestAgoWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"just now": now.Add(-5 * time.Second), "1 min ago": now.Add(-90 * time.Second), "47 hours ago": now.Add(-47 * time.Hour),
		"3 days ago": now.Add(-80 * time.Hour), "in 10 min": now.Add(10 * time.Minute), "in less than a minute": now.Add(30 * time.Second),
		"1,200 days ago": now.AddDate(0, 0, -1200),
	} {
		require.Equal(t, want, agoWords(at, now))
	}
}
