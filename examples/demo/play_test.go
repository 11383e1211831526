package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// played runs one route by hand and returns its row and what was said meanwhile.
func played(t *testing.T, b *byHand, r route) (row, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var said bytes.Buffer
	r.utility = "DEMO"
	rows := chosen([]route{r}, "", time.Now())
	play(rows, 1, func(row *row) { row.run(ctx, b.stack, b.client(), &reporter{out: &said, began: time.Now()}) })
	return rows[0], said.String()
}

// theRoute is a route of the demonstration, to be played at the practice site of nobody.
func theRoute(t *testing.T, name string) route {
	t.Helper()
	i := slices.IndexFunc(allRoutes(), func(r route) bool { return strings.HasSuffix(r.name, name) && r.ask == nil })
	require.GreaterOrEqual(t, i, 0, name)
	return allRoutes()[i]
}

func TestRoutesComeOutAsTheySay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		turnOff bool
		asked   bool // the customer sees a code page
		says    []string
	}{
		{"number code", false, true, []string{"sees the code page after ", "types the code", "meter list after"}},
		{"security answer", false, true, []string{"types the code"}},
		{"choice of method, number code", false, true, []string{"method_choice", "chooses Text message", "types the code"}},
		{"MFA turned off and back", true, false, []string{"is told to turn MFA off", "turns MFA off at the practice site", "meter list after"}},
		{"page closed, customer returns", false, true, []string{"closes the page for good", "comes back to the same link"}},
		{"wrong code, then the right one", false, true, []string{"types a wrong code", "is told at once, has 3 tries left"}},
		{"site down for a while", false, false, []string{"the site is down for 8 s", "is told: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newByHand(t)
			b.turnOff = c.turnOff
			r, said := played(t, b, theRoute(t, c.name))
			require.NoError(t, r.err, said)
			require.Equal(t, "connected", r.outcome())
			require.Positive(t, r.found)
			require.Positive(t, r.meters)
			require.Equal(t, c.asked, r.codePage > 0)
			from := 0
			for _, words := range append([]string{"data request sent"}, c.says...) {
				at := strings.Index(said[from:], words)
				require.GreaterOrEqual(t, at, 0, "%q in %s", words, said)
				from += at
			}
			require.NotContains(t, said, "NOT AS EXPECTED")
		})
	}
}

// TestARowThatDiffersIsToldAndFailsTheRun spoils what comes back, each time in one way that matters.
func TestARowThatDiffersIsToldAndFailsTheRun(t *testing.T) {
	t.Parallel()
	connected := func(change func(*meterkey.State)) func(*meterkey.State) {
		return func(s *meterkey.State) {
			if s.Status == meterkey.Connected {
				change(s)
			}
		}
	}
	for _, c := range []struct {
		name, route string
		spoil       func(*meterkey.State)
		says        string
	}{
		{"a meter is missing", "number code", connected(func(s *meterkey.State) { s.Meters = s.Meters[1:] }), "the meters differ from the practice site's"},
		{"a meter is another", "number code", connected(func(s *meterkey.State) {
			s.Meters = slices.Clone(s.Meters)
			s.Meters[0].AccountNumber = "1"
		}), "the meters differ from the practice site's"},
		{"no meters at all", "security answer", connected(func(s *meterkey.State) { s.Meters = nil }), "the meters differ from the practice site's"},
		{"it failed instead", "number code", connected(func(s *meterkey.State) { s.Status, s.Reason = meterkey.Failed, meterkey.SiteChanged }),
			"it stands at failed (site_changed) instead of [connected]"},
		{"another reason", "page closed, customer returns", func(s *meterkey.State) {
			if s.Reason == meterkey.WindowClosed {
				s.Reason = meterkey.WindowLost
			}
		}, `it stands at awaiting_login for "window_lost", not for "window_closed"`},
		{"the wrong code was taken", "wrong code, then the right one", func(s *meterkey.State) {
			if s.Reason == meterkey.CodeRejected {
				s.Status, s.Reason, s.Challenge = meterkey.Connected, "", nil
			}
		}, "it stands at connected () instead of [awaiting_code]"},
		{"one method is no choice", "choice of method, number code", func(s *meterkey.State) {
			if s.Status == meterkey.AwaitingChoice {
				one := *s.Challenge
				one.Options = one.Options[:1]
				s.Challenge = &one
			}
		}, "1 methods to choose from"},
		{"the site was never down", "site down for a while", func(s *meterkey.State) {
			if s.Reason == meterkey.UtilityUnavailable {
				s.Status, s.Reason = meterkey.Connected, ""
			}
		}, `it stands at connected for "", not for "utility_unavailable"`},
		{"there is no worker to kill", "worker killed while waiting", nil, "replacing worker a: there is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newByHand(t)
			b.spoil = c.spoil
			r, said := played(t, b, theRoute(t, c.route))
			require.ErrorContains(t, r.err, c.says)
			require.Contains(t, said, "NOT AS EXPECTED: ")
			require.Contains(t, said, c.says)

			var shown bytes.Buffer
			table(&shown, []row{{route: route{name: "a good one"}}, r})
			require.Regexp(t, `(?m)^a good one .* connected$`, shown.String())
			require.Regexp(t, `(?m)^\S.*`+c.route+` .* NOT AS EXPECTED$`, shown.String())
			require.ErrorContains(t, unexpected([]row{{}, r}), c.route+": ")
			require.ErrorContains(t, unexpected([]row{{}, r}), c.says)
		})
	}
	require.NoError(t, unexpected([]row{{}, {}}))
}

func TestARowCountsWhatTheSiteCounted(t *testing.T) {
	t.Parallel()
	twice := theRoute(t, "number code")
	twice.logins = 2
	r, said := played(t, newByHand(t), twice)
	require.ErrorIs(t, r.err, errUnexpected)
	require.Contains(t, said, "the practice site counted 1 logins and 1 codes, not 2 and 1")
	require.Positive(t, r.found, "what was read shows all the same")
}

func TestARequestThatCannotStartIsARowToo(t *testing.T) {
	t.Parallel()
	b := newByHand(t)
	r := row{route: theRoute(t, "number code"), id: "demo-1"}
	r.utility = "DEMO"
	require.NoError(t, b.client().Start(t.Context(), meterkey.Request{RequestID: "demo-1", Requester: "acme", Utility: "DEMO"}))
	r.run(t.Context(), b.stack, b.client(), &reporter{out: &bytes.Buffer{}})
	require.ErrorIs(t, r.err, sdk.ErrExists)
	require.Equal(t, "NOT AS EXPECTED", r.outcome())
	require.Zero(t, r.found)
}

// TestCtrlCEndsARow while the customer waits for what never comes.
func TestCtrlCEndsARow(t *testing.T) {
	t.Parallel()
	b := newByHand(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.spoil = func(s *meterkey.State) {
		if s.Status == meterkey.AwaitingCode {
			s.Status = meterkey.SigningIn
			cancel()
		}
	}
	rows := chosen([]route{theRoute(t, "number code")}, "", time.Now())
	rows[0].utility = "DEMO"
	rows[0].run(ctx, b.stack, b.client(), &reporter{out: &bytes.Buffer{}})
	require.ErrorIs(t, rows[0].err, context.Canceled)
	require.ErrorContains(t, unexpected(rows), "waiting for "+rows[0].id)
}
