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

func leaseAt(policy utilities.Policy) (*windowLease, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	u := &utilities.Utility{ID: "RIVER"}
	u.MFA.Policy = policy
	return &windowLease{utility: u, log: zap.New(core)}, logs
}

// TestFound_EveryPageHasItsOutcome is the table of what each page means to a request, at either policy.
func TestFound_EveryPageHasItsOutcome(t *testing.T) {
	t.Parallel()
	stopsFor := func(r meterkey.Reason) workflows.PageResult {
		return workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: r}
	}
	asks := workflows.PageResult{Outcome: workflows.OutcomeChallenge}
	for page, want := range map[utilities.PageKind]struct{ interactive, turnOff workflows.PageResult }{
		utilities.SignedIn:               {workflows.PageResult{Outcome: workflows.OutcomeSignedIn}, workflows.PageResult{Outcome: workflows.OutcomeSignedIn}},
		utilities.CodeForm:               {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.ChoiceForm:             {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.QuestionForm:           {asks, stopsFor(meterkey.MFAUnsupported)},
		utilities.RejectedCode:           {workflows.PageResult{Outcome: workflows.OutcomeCodeRejected}, workflows.PageResult{Outcome: workflows.OutcomeCodeRejected}},
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
		l, _ := leaseAt(utilities.Interactive)
		require.Equal(t, want.interactive, (&BrowserActivities{}).found(l, flow.Observation{Page: page}), page)
		l, _ = leaseAt(utilities.TurnOff)
		require.Equal(t, want.turnOff, (&BrowserActivities{}).found(l, flow.Observation{Page: page}), page)
	}
}

func TestFound_TellsAllThatTheSiteAsks(t *testing.T) {
	t.Parallel()
	l, _ := leaseAt(utilities.Interactive)
	asked := &meterkey.Challenge{Kind: "method_choice", Prompt: "How?", SentTo: "***1", Digits: 6, CanResend: true, TriesLeft: 2,
		Options: []meterkey.Option{{ID: "sms", Label: "Text", Target: "***1"}, {ID: "email", Label: "E-mail"}}}
	require.Equal(t, &meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "How?", SentTo: "***1", Digits: 6, CanResend: true, TriesLeft: 2,
		Options: []meterkey.Option{{ID: "sms", Label: "Text", Target: "***1"}, {ID: "email", Label: "E-mail"}}},
		(&BrowserActivities{}).found(l, flow.Observation{Page: utilities.ChoiceForm, Challenge: asked}).Challenge)
}

func TestFound_KeepsEvidenceOfAPageThatNobodyKnows(t *testing.T) {
	t.Parallel()
	l, _ := leaseAt(utilities.Interactive)
	b := &BrowserActivities{Evidence: Evidence{Dir: filepath.Join(t.TempDir(), "evidence")}}
	seen := &flow.Evidence{URL: "https://river.example/x", Outline: "heading", Screenshot: []byte("png")}
	f := b.found(l, flow.Observation{Page: utilities.Unknown, Evidence: seen})
	require.Equal(t, meterkey.SiteChanged, f.Reason)
	require.Regexp(t, `^\d{8}T\d{6}\.\d{6}-river-[a-zA-Z0-9]{6}$`, f.Evidence)
	outline, err := os.ReadFile(filepath.Join(b.Evidence.Dir, f.Evidence, "outline.txt"))
	require.NoError(t, err)
	require.Equal(t, "https://river.example/x\n\nheading\n", string(outline))
	info, err := os.Stat(filepath.Join(b.Evidence.Dir, f.Evidence, "page.png"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "its owner alone may look")

	seen.Screenshot = nil
	name, err := b.Evidence.Save("RIVER", *seen)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(b.Evidence.Dir, name, "page.png"), "a picture that could not be taken is not made up")
}

// TestFound_GoesOnWithoutEvidence: a full disk must not change what the customer and the operator are told.
func TestFound_GoesOnWithoutEvidence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	l, logs := leaseAt(utilities.Interactive)
	f := (&BrowserActivities{Evidence: Evidence{Dir: file}}).found(l, flow.Observation{Page: utilities.Unknown, Evidence: &flow.Evidence{URL: "https://river.example"}})
	require.Equal(t, workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: meterkey.SiteChanged}, f)
	require.Equal(t, 1, logs.FilterMessage("evidence not stored").Len())
}

func TestGone_IsWhereNoRetryHelps(t *testing.T) {
	t.Parallel()
	for _, sign := range []error{browser.ErrWindowLost, browser.ErrTabClosed, browser.ErrTabCrashed, browser.ErrTabHung, flow.ErrPageGone} {
		require.True(t, gone(fmt.Errorf("finding the window: %w", sign)), sign)
	}
	for _, passing := range []error{errors.New("the driver is restarting"), browser.ErrFull, context.DeadlineExceeded, nil} {
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
