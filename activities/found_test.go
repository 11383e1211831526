package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

func workAt(policy utilities.Policy) (*work, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	u := &utilities.Utility{ID: "RIVER"}
	u.MFA.Policy = policy
	return &work{utility: u, log: zap.New(core)}, logs
}

// TestFound_EveryPageHasItsOutcome is the table of what each page means to a request, at either policy.
func TestFound_EveryPageHasItsOutcome(t *testing.T) {
	t.Parallel()
	stopsFor := func(r meterkey.Reason) workflows.Found {
		return workflows.Found{Outcome: workflows.OutcomeStopped, Reason: r}
	}
	asks := workflows.Found{Outcome: workflows.OutcomeChallenge}
	for page, want := range map[utilities.PageKind]struct{ interactive, turnOff workflows.Found }{
		utilities.SignedIn:               {workflows.Found{Outcome: workflows.OutcomeSignedIn}, workflows.Found{Outcome: workflows.OutcomeSignedIn}},
		utilities.CodeForm:               {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.ChoiceForm:             {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.QuestionForm:           {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.RejectedCode:           {workflows.Found{Outcome: workflows.OutcomeCodeRejected}, workflows.Found{Outcome: workflows.OutcomeCodeRejected}},
		utilities.RejectedLogin:          {stopsFor(meterkey.InvalidCredentials), stopsFor(meterkey.InvalidCredentials)},
		utilities.Locked:                 {stopsFor(meterkey.AccountLocked), stopsFor(meterkey.AccountLocked)},
		utilities.Captcha:                {stopsFor(meterkey.Captcha), stopsFor(meterkey.Captcha)},
		utilities.PasswordExpired:        {stopsFor(meterkey.PasswordExpired), stopsFor(meterkey.PasswordExpired)},
		utilities.RegistrationUnfinished: {stopsFor(meterkey.RegistrationUnfinished), stopsFor(meterkey.RegistrationUnfinished)},
		utilities.SessionEnded:           {stopsFor(meterkey.SessionEnded), stopsFor(meterkey.SessionEnded)},
		utilities.Unavailable:            {stopsFor(meterkey.UtilityUnavailable), stopsFor(meterkey.UtilityUnavailable)},
		utilities.LoginForm:              {stopsFor(meterkey.SiteChanged), stopsFor(meterkey.SiteChanged)},
		utilities.Nag:                    {stopsFor(meterkey.SiteChanged), stopsFor(meterkey.SiteChanged)},
		utilities.Unknown:                {stopsFor(meterkey.SiteChanged), stopsFor(meterkey.SiteChanged)},
		"a page of tomorrow":             {stopsFor(meterkey.SiteChanged), stopsFor(meterkey.SiteChanged)},
	} {
		w, _ := workAt(utilities.Interactive)
		require.Equal(t, want.interactive, (&Site{}).found(w, flow.Observation{Page: page}), page)
		w, _ = workAt(utilities.TurnOff)
		require.Equal(t, want.turnOff, (&Site{}).found(w, flow.Observation{Page: page}), page)
	}
}

func TestFound_TellsAllThatTheSiteAsks(t *testing.T) {
	t.Parallel()
	w, _ := workAt(utilities.Interactive)
	asked := &meterkey.Challenge{Kind: "method_choice", Prompt: "How?", SentTo: "***1", Digits: 6, CanResend: true, TriesLeft: 2,
		Options: []meterkey.Option{{ID: "sms", Label: "Text", Target: "***1"}, {ID: "email", Label: "E-mail"}}}
	require.Equal(t, &meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "How?", SentTo: "***1", Digits: 6, CanResend: true, TriesLeft: 2,
		Options: []meterkey.Option{{ID: "sms", Label: "Text", Target: "***1"}, {ID: "email", Label: "E-mail"}}},
		(&Site{}).found(w, flow.Observation{Page: utilities.ChoiceForm, Challenge: asked}).Challenge)
}

func TestFound_KeepsEvidenceOfAPageThatNobodyKnows(t *testing.T) {
	t.Parallel()
	w, _ := workAt(utilities.Interactive)
	s := &Site{Evidence: Evidence{Dir: filepath.Join(t.TempDir(), "evidence")}}
	seen := &flow.Evidence{URL: "https://river.example/x", Outline: "heading", Screenshot: []byte("png")}
	f := s.found(w, flow.Observation{Page: utilities.Unknown, Evidence: seen})
	require.Equal(t, meterkey.SiteChanged, f.Reason)
	require.Regexp(t, `^\d{8}T\d{6}\.\d{6}-river-[a-zA-Z0-9]{6}$`, f.Evidence)
	outline, err := os.ReadFile(filepath.Join(s.Evidence.Dir, f.Evidence, "outline.txt"))
	require.NoError(t, err)
	require.Equal(t, "https://river.example/x\n\nheading\n", string(outline))
	info, err := os.Stat(filepath.Join(s.Evidence.Dir, f.Evidence, "page.png"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "its owner alone may look")

	seen.Screenshot = nil
	name, err := s.Evidence.Save("RIVER", *seen)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(s.Evidence.Dir, name, "page.png"), "a picture that could not be taken is not made up")
}

// TestFound_GoesOnWithoutEvidence: a full disk must not change what the customer and the operator are told.
func TestFound_GoesOnWithoutEvidence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	w, logs := workAt(utilities.Interactive)
	f := (&Site{Evidence: Evidence{Dir: file}}).found(w, flow.Observation{Page: utilities.Unknown, Evidence: &flow.Evidence{URL: "https://river.example"}})
	require.Equal(t, workflows.Found{Outcome: workflows.OutcomeStopped, Reason: meterkey.SiteChanged}, f)
	require.Equal(t, 1, logs.FilterMessage("evidence not stored").Len())
}

func TestWindowFailed_IsAnAnswerWhereNoRetryHelps(t *testing.T) {
	t.Parallel()
	at := workflows.Window{Host: "h", ID: "w-1"}
	for _, sign := range []error{browser.ErrWindowLost, browser.ErrTabClosed, browser.ErrTabCrashed, browser.ErrTabHung, flow.ErrPageGone} {
		f, err := windowFailed(zap.NewNop(), at, fmt.Errorf("finding the window: %w", sign))
		require.NoError(t, err, sign.Error())
		require.Equal(t, meterkey.WindowLost, f.Reason)
		require.Equal(t, &at, f.Window, "what is left of it gets closed")
	}
	passing := errors.New("the driver is restarting")
	_, err := windowFailed(zap.NewNop(), at, passing)
	require.Equal(t, passing, err, "a retry may mend it")
	for _, passing := range []error{browser.ErrFull, context.DeadlineExceeded} {
		require.False(t, gone(passing), passing)
	}
}

func TestCanceled_IsNotAStoppingWorker(t *testing.T) {
	t.Parallel()
	require.False(t, canceled(t.Context()))
	stopping, stop := context.WithCancel(t.Context())
	stop()
	require.False(t, canceled(stopping), "a worker that stops leaves its windows")
	called, cancel := context.WithCancelCause(t.Context())
	cancel(temporal.NewCanceledError())
	require.True(t, canceled(called))
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	require.Empty(t, kindOf(flow.Observation{}))
	require.Equal(t, meterkey.SecurityAnswer, kindOf(flow.Observation{Challenge: &meterkey.Challenge{Kind: "security_answer"}}))
}
