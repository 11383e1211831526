package activities_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

func TestLogin_SaysWhatTheSiteShowed(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]workflows.PageResult{
		"plain":      {Outcome: workflows.OutcomeSignedIn},
		"nag":        {Outcome: workflows.OutcomeSignedIn},
		"code":       {Outcome: workflows.OutcomeChallenge},
		"question":   {Outcome: workflows.OutcomeChallenge},
		"choice":     {Outcome: workflows.OutcomeChallenge},
		"wrong":      {Outcome: workflows.OutcomeStopped, Reason: meterkey.InvalidCredentials},
		"locked":     {Outcome: workflows.OutcomeStopped, Reason: meterkey.AccountLocked},
		"expired":    {Outcome: workflows.OutcomeStopped, Reason: meterkey.PasswordExpired},
		"unfinished": {Outcome: workflows.OutcomeStopped, Reason: meterkey.RegistrationUnfinished},
		"captcha":    {Outcome: workflows.OutcomeStopped, Reason: meterkey.Captcha},
		"down":       {Outcome: workflows.OutcomeStopped, Reason: meterkey.UtilityUnavailable},
		"changed":    {Outcome: workflows.OutcomeStopped, Reason: meterkey.SiteChanged},
	} {
		t.Run(kind, func(t *testing.T) {
			a := newAccount(t, "DEMO", kind)
			found := a.login()
			require.Equal(t, want.Outcome, found.Outcome)
			require.Equal(t, want.Reason, found.Reason)
			require.True(t, found.Typed)
			require.NotNil(t, found.Window, "the workflow closes it")
			require.Equal(t, a.Host.ID(), found.Window.Host)
			if found.Outcome == workflows.OutcomeChallenge {
				require.NotNil(t, found.Challenge)
				require.WithinDuration(t, time.Now().Add(10*time.Minute), found.Window.ExpiresAt, 20*time.Second)
			}
			if found.Reason == meterkey.SiteChanged {
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
	require.Equal(t, meterkey.MFAUnsupported, found.Reason)
	require.Zero(t, a.ledger()["codes_sent"], "no text message is triggered for nothing")
}

func TestLogin_ThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	in := a.loginInput()
	in.Credentials = a.seal("not a login")
	require.Equal(t, meterkey.Unreadable, a.do(a.Login, in).Reason)
	require.Zero(t, a.ledger()["logins"])
}

// TestLogin_RetryReadsThePage runs Login a second time as Temporal would after a crash: the heartbeat names the window.
func TestLogin_RetryReadsThePage(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	first, at := a.login(), time.Now()
	a.env.SetHeartbeatDetails(*first.Window)
	second := a.login()
	require.Equal(t, workflows.OutcomeChallenge, second.Outcome)
	require.Equal(t, first.Window.ID, second.Window.ID)
	requireSameEnd(t, first.Window, second.Window, at)
	require.Equal(t, 1, a.ledger()["logins"])
	require.Equal(t, 1, a.ledger()["codes_sent"])
}

// requireSameEnd holds that a window's life was not lengthened since it was looked at: by the moments between two readings of a clock
// perhaps, by the time that has passed not.
func requireSameEnd(t *testing.T, before, after *workflows.Window, at time.Time) {
	t.Helper()
	require.WithinDuration(t, before.ExpiresAt, after.ExpiresAt, time.Since(at)/2)
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
	w, err := a.Host.OpenWindow(t.Context(), a.id+"/left", time.Minute)
	require.NoError(t, err)
	_, err = w.Page().Goto(sites.Origins()["https://demo.meterkey.example"] + "/sign-in")
	require.NoError(t, err)
	require.NoError(t, w.BeginOnce("login"))
	in := a.loginInput()
	in.Window = &workflows.Window{Host: a.Host.ID(), ID: w.ID()}
	found := a.do(a.Login, in)
	require.Equal(t, meterkey.WindowLost, found.Reason)
	require.Zero(t, a.ledger()["logins"])
}

func TestLogin_OpenedButNotTyped(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	w, err := a.Host.OpenWindow(t.Context(), a.id+"/left", time.Minute)
	require.NoError(t, err)
	in := a.loginInput()
	in.Window = &workflows.Window{Host: a.Host.ID(), ID: w.ID()}
	require.Equal(t, workflows.OutcomeSignedIn, a.do(a.Login, in).Outcome)
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
	a.env.SetHeartbeatDetails(workflows.Window{Host: a.Host.ID(), ID: "0123456789ABCDEF"})
	require.Equal(t, meterkey.WindowLost, a.login().Reason)
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
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", meterkey.NumberCode, a.phone()).Outcome)
		require.Equal(t, 1, a.ledger()["codes_submitted"])
	})
	t.Run("wrong then right", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w, at := a.login().Window, time.Now()
		found := a.submit(w, "c-1", meterkey.NumberCode, another(a.phone()))
		require.Equal(t, workflows.OutcomeCodeRejected, found.Outcome)
		requireSameEnd(t, w, found.Window, at)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-2", meterkey.NumberCode, a.phone()).Outcome)
	})
	t.Run("security answer", func(t *testing.T) {
		a := newAccount(t, "DEMO", "question")
		f := a.login()
		require.Equal(t, meterkey.SecurityAnswer, f.Challenge.Kind)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(f.Window, "c-1", meterkey.SecurityAnswer, a.phone()).Outcome)
	})
	t.Run("choice", func(t *testing.T) {
		a := newAccount(t, "DEMO", "choice")
		f := a.login()
		require.Zero(t, a.ledger()["codes_sent"])
		f = a.submit(f.Window, "c-1", meterkey.MethodChoice, f.Challenge.Options[0].ID)
		require.Equal(t, workflows.OutcomeChallenge, f.Outcome)
		require.Equal(t, meterkey.NumberCode, f.Challenge.Kind)
		require.Equal(t, 1, a.ledger()["codes_sent"])
	})
	t.Run("again after it was sent", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		code := a.phone()
		a.submit(w, "c-1", meterkey.NumberCode, code)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", meterkey.NumberCode, code).Outcome, "the retry reads the page")
		require.Equal(t, 1, a.ledger()["codes_submitted"])
	})
	t.Run("interrupted before it was sent", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		require.NoError(t, a.window(w).BeginOnce("answer c-1"))
		found := a.submit(w, "c-1", meterkey.NumberCode, a.phone())
		require.Equal(t, meterkey.Unreadable, found.Reason, "the customer types it again")
		require.NotNil(t, found.Challenge)
		require.Zero(t, a.ledger()["codes_submitted"])
	})
	t.Run("cannot be opened", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		in := a.submitInput(a.login().Window, "c-1", meterkey.NumberCode, "")
		in.Code = "x"
		found := a.do(a.SubmitCode, in)
		require.Equal(t, meterkey.Unreadable, found.Reason)
		require.Zero(t, a.ledger()["codes_submitted"])
	})
	t.Run("window gone", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		a.close(w)
		a.close(w) // closing twice is closing
		found := a.submit(w, "c-1", meterkey.NumberCode, "123456")
		require.Equal(t, meterkey.WindowLost, found.Reason)
		require.Equal(t, w, found.Window, "what is left of it gets closed")
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
	again := a.asked(meterkey.AwaitingCode, f.Window, *f.Challenge)
	again.Progress.State.Challenge.ID = "c-1"
	for range 2 { // the second is the retry
		require.Equal(t, workflows.OutcomeChallenge, a.do(a.ResendCode, again).Outcome)
	}
	require.Equal(t, 2, a.ledger()["codes_sent"])
}

func TestFetchMeterList_IsTheSitesOwn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"plain", "many-57", "none"} {
		t.Run(kind, func(t *testing.T) {
			a := newAccount(t, "DEMO", kind)
			f := a.do(a.FetchMeterList, a.task(meterkey.FetchingMeters, a.login().Window))
			require.Equal(t, workflows.OutcomeSignedIn, f.Outcome)
			var known []meterkey.Meter
			a.get("/accounts/", &known)
			require.ElementsMatch(t, known, f.Meters)
		})
	}
}

func TestEvidence_KeepsTheNewest(t *testing.T) {
	t.Parallel()
	store := activities.Evidence{Dir: t.TempDir()}
	var saved []string
	for range 210 {
		name, err := store.Save("DEMO", flow.Evidence{URL: "https://demo.meterkey.example/x", Outline: "heading"})
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
	_, err = activities.Evidence{Dir: filepath.Join(store.Dir, last, "outline.txt")}.Save("DEMO", flow.Evidence{})
	require.Error(t, err)
}

func TestLogin_CanceledClosesItsWindow(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "slow")
	ctx, cancel := context.WithCancelCause(t.Context())
	a.env.SetWorkerOptions(workerOptions(ctx))
	a.env.SetOnActivityHeartbeatListener(func(*activityInfo, converter.EncodedValues) { cancel(errCanceled) })
	_, err := a.env.ExecuteActivity(a.Login, a.loginInput())
	require.Error(t, err)
	_, err = a.Host.WindowOf(t.Context(), a.id+"/default-test-run-id/1")
	require.ErrorIs(t, err, browser.ErrWindowLost)
}
