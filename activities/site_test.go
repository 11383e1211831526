package activities_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

func TestLogin_SaysWhatTheSiteShowed(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]workflows.Found{
		"plain":      {Outcome: workflows.OutcomeSignedIn},
		"nag":        {Outcome: workflows.OutcomeSignedIn},
		"code":       {Outcome: workflows.OutcomeChallenge},
		"question":   {Outcome: workflows.OutcomeChallenge},
		"choice":     {Outcome: workflows.OutcomeChallenge},
		"wrong":      {Outcome: workflows.OutcomeStopped, Reason: workflows.InvalidCredentials},
		"locked":     {Outcome: workflows.OutcomeStopped, Reason: workflows.AccountLocked},
		"expired":    {Outcome: workflows.OutcomeStopped, Reason: workflows.PasswordExpired},
		"unfinished": {Outcome: workflows.OutcomeStopped, Reason: workflows.RegistrationUnfinished},
		"captcha":    {Outcome: workflows.OutcomeStopped, Reason: workflows.Captcha},
		"down":       {Outcome: workflows.OutcomeStopped, Reason: workflows.UtilityUnavailable},
		"changed":    {Outcome: workflows.OutcomeStopped, Reason: workflows.SiteChanged},
	} {
		t.Run(kind, func(t *testing.T) {
			a := newAccount(t, "DEMO", kind)
			found := a.login()
			require.Equal(t, want.Outcome, found.Outcome)
			require.Equal(t, want.Reason, found.Reason)
			require.True(t, found.Typed)
			require.NotNil(t, found.Window, "the workflow closes it")
			require.Equal(t, site.Host.ID(), found.Window.Host)
			if found.Outcome == workflows.OutcomeChallenge {
				require.NotNil(t, found.Challenge)
				require.WithinDuration(t, time.Now().Add(10*time.Minute), found.Window.ExpiresAt, 20*time.Second)
			}
			if found.Reason == workflows.SiteChanged {
				requireEvidence(t, found.Evidence, a.user)
			}
			require.LessOrEqual(t, a.ledger()["logins"], 1)
		})
	}
}

func requireEvidence(t *testing.T, name, user string) {
	t.Helper()
	require.NotEmpty(t, name)
	outline, err := os.ReadFile(filepath.Join(evidence, name, "outline.txt"))
	require.NoError(t, err)
	require.NotContains(t, string(outline), user)
	picture, err := os.Stat(filepath.Join(evidence, name, "page.png"))
	require.NoError(t, err)
	require.Positive(t, picture.Size())
}

func TestLogin_AtAUtilityThatTurnsMFAOff(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "BGE", "choice")
	found := a.login()
	require.Equal(t, workflows.OutcomeStopped, found.Outcome)
	require.Equal(t, workflows.MFAUnsupported, found.Reason)
	require.Zero(t, a.ledger()["codes_sent"], "no text message is triggered for nothing")
}

func TestLogin_WhatCannotBeOpenedOrFound(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	in := a.loginInput()
	in.Credentials = a.seal("not a login")
	require.Equal(t, workflows.Unreadable, a.do(site.Login, in).Reason)
	in.Utility = "NOWHERE"
	require.Equal(t, workflows.UnknownUtility, a.do(site.Login, in).Reason)
	require.Zero(t, a.ledger()["logins"])
}

// TestLogin_RetryReadsThePage runs Login a second time as Temporal would after a crash: the heartbeat names the window.
func TestLogin_RetryReadsThePage(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	first := a.login()
	a.env.SetHeartbeatDetails(*first.Window)
	second := a.login()
	require.Equal(t, workflows.OutcomeChallenge, second.Outcome)
	require.Equal(t, first.Window.ID, second.Window.ID)
	require.Equal(t, first.Window.ExpiresAt, second.Window.ExpiresAt, "reading does not lengthen the window's life")
	require.Equal(t, 1, a.ledger()["logins"])
	require.Equal(t, 1, a.ledger()["codes_sent"])
}

// TestLogin_RetryWithoutHeartbeat finds the window by its owner: the heartbeat may be lost with the worker.
func TestLogin_RetryWithoutHeartbeat(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	first, second := a.login(), a.login()
	require.Equal(t, first.Window.ID, second.Window.ID)
	require.Equal(t, 1, a.ledger()["logins"])
}

// TestLogin_TypedButNotSent never types a password a second time without the customer.
func TestLogin_TypedButNotSent(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	w, err := site.Host.OpenWindow(t.Context(), a.id+"/left", time.Now().Add(time.Minute))
	require.NoError(t, err)
	_, err = w.Page().Goto(sites.Origins()["https://demo.meterkey.example"] + "/sign-in")
	require.NoError(t, err)
	require.NoError(t, w.Mark("login"))
	in := a.loginInput()
	in.Window = &workflows.Window{Host: site.Host.ID(), ID: w.ID(), ExpiresAt: w.Expires()}
	found := a.do(site.Login, in)
	require.Equal(t, workflows.WindowLost, found.Reason)
	require.Zero(t, a.ledger()["logins"])
}

func TestLogin_OpenedButNotTyped(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	w, err := site.Host.OpenWindow(t.Context(), a.id+"/left", time.Now().Add(time.Minute))
	require.NoError(t, err)
	in := a.loginInput()
	in.Window = &workflows.Window{Host: site.Host.ID(), ID: w.ID(), ExpiresAt: w.Expires()}
	require.Equal(t, workflows.OutcomeSignedIn, a.do(site.Login, in).Outcome)
}

func TestLogin_WindowElsewhere(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	a.env.SetHeartbeatDetails(workflows.Window{Host: "another", ID: "w-1"})
	found := a.login()
	require.Equal(t, workflows.OutcomeElsewhere, found.Outcome)
	require.Equal(t, "another", found.Window.Host)
	require.Zero(t, a.ledger()["logins"])
}

func TestLogin_WindowGone(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	a.env.SetHeartbeatDetails(workflows.Window{Host: site.Host.ID(), ID: "0123456789ABCDEF"})
	require.Equal(t, workflows.WindowLost, a.login().Reason)
}

// TestLogin_NotesItsWindowBeforeItTypes looks at the site's ledger at the moment of the first heartbeat.
func TestLogin_NotesItsWindowBeforeItTypes(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	noted := make(chan workflows.Window, 100)
	logins := -1
	a.env.SetOnActivityHeartbeatListener(func(_ *activityInfo, details converter.EncodedValues) {
		var w workflows.Window
		if details.Get(&w) == nil {
			if logins < 0 {
				logins = a.ledger()["logins"]
			}
			noted <- w
		}
	})
	found := a.login()
	require.Equal(t, found.Window.ID, (<-noted).ID)
	require.Zero(t, logins)
}

func TestSubmitCode(t *testing.T) {
	t.Parallel()
	t.Run("right", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", workflows.NumberCode, a.phone()).Outcome)
		require.Equal(t, 1, a.ledger()["codes_submitted"])
	})
	t.Run("wrong then right", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		found := a.submit(w, "c-1", workflows.NumberCode, another(a.phone()))
		require.Equal(t, workflows.OutcomeCodeRejected, found.Outcome)
		require.Equal(t, w.ExpiresAt, found.Window.ExpiresAt, "the window's end stays")
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-2", workflows.NumberCode, a.phone()).Outcome)
	})
	t.Run("security answer", func(t *testing.T) {
		a := newAccount(t, "DEMO", "question")
		f := a.login()
		require.Equal(t, workflows.SecurityAnswer, f.Challenge.Kind)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(f.Window, "c-1", workflows.SecurityAnswer, a.phone()).Outcome)
	})
	t.Run("choice", func(t *testing.T) {
		a := newAccount(t, "DEMO", "choice")
		f := a.login()
		require.Zero(t, a.ledger()["codes_sent"])
		f = a.submit(f.Window, "c-1", workflows.MethodChoice, f.Challenge.Options[0].ID)
		require.Equal(t, workflows.OutcomeChallenge, f.Outcome)
		require.Equal(t, workflows.NumberCode, f.Challenge.Kind)
		require.Equal(t, 1, a.ledger()["codes_sent"])
	})
	t.Run("again after it was sent", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		code := a.phone()
		a.submit(w, "c-1", workflows.NumberCode, code)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", workflows.NumberCode, code).Outcome, "the retry reads the page")
		require.Equal(t, 1, a.ledger()["codes_submitted"])
	})
	t.Run("interrupted before it was sent", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		held, err := site.Host.Window(t.Context(), w.ID)
		require.NoError(t, err)
		require.NoError(t, held.Mark("answer c-1"))
		found := a.submit(w, "c-1", workflows.NumberCode, a.phone())
		require.Equal(t, workflows.Unreadable, found.Reason, "the customer types it again")
		require.NotNil(t, found.Challenge)
		require.Zero(t, a.ledger()["codes_submitted"])
	})
	t.Run("cannot be opened", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		found := a.do(site.SubmitCode, workflows.SubmitCodeInput{RequestID: a.id, Utility: a.utility, Window: *w, ChallengeID: "c-1", Code: "x"})
		require.Equal(t, workflows.Unreadable, found.Reason)
		require.Zero(t, a.ledger()["codes_submitted"])
	})
	t.Run("window gone", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		require.NoError(t, site.CloseWindow(t.Context(), a.at(w)))
		require.NoError(t, site.CloseWindow(t.Context(), a.at(w)), "closing twice is closing")
		require.Equal(t, workflows.WindowLost, a.submit(w, "c-1", workflows.NumberCode, "123456").Reason)
	})
}

// another is a code of the same length that is wrong.
func another(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

func TestResendCode_OnceForEachChallenge(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	f := a.login()
	require.True(t, f.Challenge.CanResend)
	for range 2 { // the second is the retry
		require.Equal(t, workflows.OutcomeChallenge, a.do(site.ResendCode, a.at(f.Window)).Outcome)
	}
	require.Equal(t, 2, a.ledger()["codes_sent"])
}

func TestFetchMeterList_IsTheSitesOwn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"plain", "many-57", "none"} {
		t.Run(kind, func(t *testing.T) {
			a := newAccount(t, "DEMO", kind)
			f := a.do(site.FetchMeterList, a.at(a.login().Window))
			require.Equal(t, workflows.OutcomeSignedIn, f.Outcome)
			var known []workflows.Meter
			a.get("/accounts/", &known)
			require.ElementsMatch(t, known, f.Meters)
		})
	}
}

func TestHoldWindow_TellsWhyItEnded(t *testing.T) {
	t.Parallel()
	t.Run("the site ended the session", func(t *testing.T) {
		a := newAccount(t, "DEMO", "ends")
		require.Equal(t, workflows.SessionEnded, a.do(site.HoldWindow, a.at(a.login().Window)).Reason)
	})
	t.Run("the tab was closed", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		held, err := site.Host.Window(t.Context(), w.ID)
		require.NoError(t, err)
		require.NoError(t, held.Page().Close())
		require.Equal(t, workflows.WindowLost, a.do(site.HoldWindow, a.at(w)).Reason)
	})
	t.Run("there is no such window", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		require.Equal(t, workflows.WindowLost, a.do(site.HoldWindow, a.at(&workflows.Window{ID: "0123"})).Reason)
	})
	t.Run("the tab hangs for good", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		busy(t, w, time.Hour)
		require.Equal(t, workflows.WindowLost, a.do(site.HoldWindow, a.at(w)).Reason)
	})
	t.Run("the tab hangs for a while", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		hung := busy(t, w, 7*time.Second) // longer than its check waits
		held := make(chan workflows.Found, 1)
		watcher := newAccount(t, "DEMO", "code")
		go func() { held <- watcher.do(site.HoldWindow, a.at(w)) }()
		require.ErrorIs(t, hung.Check(t.Context()), browser.ErrTabHung)
		require.Eventually(t, func() bool { return hung.Check(t.Context()) == nil }, 3*time.Minute, 50*time.Millisecond)
		require.Empty(t, held)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", workflows.NumberCode, a.phone()).Outcome)
		require.NoError(t, site.CloseWindow(t.Context(), a.at(w)))
		require.Equal(t, workflows.WindowLost, (<-held).Reason)
	})
	t.Run("it only watches", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		f := a.login()
		held := make(chan workflows.Found, 1)
		watcher := newAccount(t, "DEMO", "code")
		go func() { held <- watcher.do(site.HoldWindow, a.at(f.Window)) }()
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(f.Window, "c-1", workflows.NumberCode, a.phone()).Outcome)
		require.NoError(t, site.CloseWindow(t.Context(), a.at(f.Window)))
		require.Equal(t, workflows.WindowLost, (<-held).Reason, "it ends with the window")
	})
}

// busy keeps the tab of a window from answering for so long.
func busy(t *testing.T, at *workflows.Window, long time.Duration) *browser.Window {
	t.Helper()
	w, err := site.Host.Window(t.Context(), at.ID)
	require.NoError(t, err)
	_, err = w.Page().Evaluate(`(ms) => { setTimeout(() => { const end = Date.now() + ms; while (Date.now() < end) {} }, 0) }`, int(long.Milliseconds()))
	require.NoError(t, err)
	return w
}

func TestEvidence_KeepsTheNewest(t *testing.T) {
	t.Parallel()
	store := activities.Evidence{Dir: t.TempDir()}
	var saved []string
	for range 210 {
		name, err := store.Save("DEMO", utilities.Evidence{URL: "https://demo.meterkey.example/x", Outline: "heading"})
		require.NoError(t, err)
		saved = append(saved, name)
	}
	kept, err := os.ReadDir(store.Dir)
	require.NoError(t, err)
	var names []string
	for _, k := range kept {
		names = append(names, k.Name())
	}
	require.Equal(t, saved[10:], names, "the newest 200, oldest first")
	last := saved[209]
	text, err := os.ReadFile(filepath.Join(store.Dir, last, "outline.txt"))
	require.NoError(t, err)
	require.Contains(t, string(text), "https://demo.meterkey.example/x")
	_, err = activities.Evidence{Dir: filepath.Join(store.Dir, last, "outline.txt")}.Save("DEMO", utilities.Evidence{})
	require.Error(t, err)
}

func TestLogin_CanceledClosesItsWindow(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "slow")
	ctx, cancel := context.WithCancelCause(t.Context())
	a.env.SetWorkerOptions(workerOptions(ctx))
	a.env.SetOnActivityHeartbeatListener(func(*activityInfo, converter.EncodedValues) { cancel(errCanceled) })
	_, err := a.env.ExecuteActivity(site.Login, a.loginInput())
	require.Error(t, err)
	_, err = site.Host.WindowOf(t.Context(), a.id+"/default-test-run-id/1")
	require.ErrorIs(t, err, browser.ErrWindowLost)
}
