package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
	"github.com/meterkey/meterkey/workflows"
)

const (
	scriptedHost = "scripted"
	rightCode    = "271828"
	rightAnswer  = "rosebud"
)

func dial(address string) (client.Client, error) {
	return client.Dial(client.Options{
		HostPort: address, DataConverter: payload.New(nil), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
}

// scripted plays a utility's site: what happens depends on the user name that signs in.
//
//	plain     signs in at once
//	code      is asked for a code, question for a security answer, choice for a method and then a code
//	fixed     as code, on a page that does not offer to send it again
//	bare      as code, on a page that says nothing about it
//	empty     signs in to an account without meters
//	wrong     has the password rejected
//	locked    has a locked account
//	captcha   meets a captcha
//	mfa       has a second factor that is not supported
//	slow      never gets an answer from the site
type scripted struct {
	identity *sealed.Identity
	mu       sync.Mutex
	windows  map[string]chan struct{} // closed when the window is
}

// startScripted starts a worker with the real workflow and the scripted site's activities.
func startScripted(c client.Client, identity *sealed.Identity) (stop func(), err error) {
	s := &scripted{identity: identity, windows: map[string]chan struct{}{}}
	desk := worker.New(c, meterkey.TaskQueue, worker.Options{DeadlockDetectionTimeout: sdk.TaskTimeout})
	desk.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	desk.RegisterWorkflowWithOptions(workflows.ProbeUtility, workflow.RegisterOptions{Name: workflows.ProbeUtilityWorkflowType})
	register(desk, workflows.ActivityNotify, func(_ context.Context, in workflows.NotifyInput) (workflows.NotifyResult, error) {
		return workflows.NotifyResult{Recorded: in.Record != nil}, nil
	})
	register(desk, workflows.ActivityRecord, func(context.Context, meterkey.Projection) error { return nil })
	signIn := worker.New(c, workflows.SignInTaskQueue, worker.Options{DisableWorkflowWorker: true})
	register(signIn, workflows.ActivityLogin, s.login)
	register(signIn, workflows.ActivityProbe, probed)
	windows := worker.New(c, workflows.WindowTaskQueue(scriptedHost), worker.Options{DisableWorkflowWorker: true})
	register(windows, workflows.ActivityHoldWindow, s.hold)
	register(windows, workflows.ActivitySubmitCode, s.submitCode)
	register(windows, workflows.ActivityResendCode, s.resendCode)
	register(windows, workflows.ActivityFetchMeterList, s.meters)
	register(windows, workflows.ActivityCloseWindow, s.closeWindow)
	for _, w := range []worker.Worker{desk, signIn, windows} {
		if err := w.Start(); err != nil {
			return nil, fmt.Errorf("starting the scripted worker: %w", err)
		}
	}
	return func() { signIn.Stop(); windows.Stop(); desk.Stop() }, nil
}

// probed plays the login pages: PECO's site is down, BGE's is slow and asks for the password on a page of its own, COMED's never
// shows, and the workers know no ACE.
func probed(ctx context.Context, in workflows.ProbeInput) ([]meterkey.ProbedField, error) {
	var shows <-chan time.Time
	switch in.Utility {
	case "PECO":
		return nil, temporal.NewNonRetryableApplicationError("the site is down", workflows.ErrTypeSiteUnavailable, nil)
	case "ACE":
		return nil, temporal.NewNonRetryableApplicationError(`no utility is called "ACE"`, workflows.ErrTypeUnknownUtility, nil)
	case "BGE":
		shows = time.After(2 * time.Second)
	case "DEMO":
		shows = time.After(0)
	}
	for beat := time.Tick(100 * time.Millisecond); ; activity.RecordHeartbeat(ctx) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-shows:
			return []meterkey.ProbedField{
				{Field: "flow.sign_in.steps[0].into", Selector: "#username", Found: true},
				{Field: "flow.sign_in.steps[1].into", Selector: "#password", Found: in.Utility == "DEMO"},
			}, nil
		case <-beat:
		}
	}
}

func register(w worker.Worker, name string, f any) {
	w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
}

func (s *scripted) login(ctx context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
	login, err := s.identity.OpenCredentials(in.Credentials)
	if err != nil || login.Password == "" {
		return workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: meterkey.Unreadable}, nil
	}
	window := s.open(in, login.Username)
	found := workflows.PageResult{Window: &window, Typed: true}
	switch login.Username {
	case "plain", "empty":
		found.Outcome = workflows.OutcomeSignedIn
	case "code":
		found.Outcome, found.Challenge = workflows.OutcomeChallenge, codeAsk()
	case "fixed":
		found.Outcome, found.Challenge = workflows.OutcomeChallenge, codeAsk()
		found.Challenge.CanResend = false
	case "bare":
		found.Outcome, found.Challenge = workflows.OutcomeChallenge, &meterkey.Challenge{Kind: meterkey.NumberCode, TriesLeft: 3}
	case "question":
		found.Outcome, found.Challenge = workflows.OutcomeChallenge,
			&meterkey.Challenge{Kind: meterkey.SecurityAnswer, Prompt: "The name of your first sled?", TriesLeft: 3}
	case "choice":
		found.Outcome, found.Challenge = workflows.OutcomeChallenge, choiceAsk()
	case "slow":
		return workflows.PageResult{}, beatUntil(ctx, nil)
	default:
		found.Outcome, found.Reason = workflows.OutcomeStopped, stops[login.Username]
	}
	return found, nil
}

var stops = map[string]meterkey.Reason{
	"wrong":   meterkey.InvalidCredentials,
	"locked":  meterkey.AccountLocked,
	"captcha": meterkey.Captcha,
	"mfa":     meterkey.MFAUnsupported,
}

// codeAsk's prompt carries what a page could try to do to a terminal.
func codeAsk() *meterkey.Challenge {
	return &meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "Enter the code\x1b[2J we sent you", SentTo: "(***) ***-1234",
		Digits: 6, TriesLeft: 3, CanResend: true}
}

func choiceAsk() *meterkey.Challenge {
	return &meterkey.Challenge{Kind: meterkey.MethodChoice, Prompt: "How shall we send your code?", TriesLeft: 3,
		Options: []meterkey.Option{
			{ID: "sms", Label: "Text message", Target: "(***) ***-1234"},
			{ID: "email", Label: "E-mail", Target: "p***@example.com"},
		}}
}

func (s *scripted) open(in workflows.LoginInput, user string) workflows.Window {
	w := workflows.Window{Host: scriptedHost, ID: fmt.Sprintf("%s.%s.%d", user, in.Request.RequestID, in.Progress.SignIns), ExpiresAt: time.Now().Add(10 * time.Minute)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.windows[w.ID] == nil {
		s.windows[w.ID] = make(chan struct{})
	}
	return w
}

func (s *scripted) hold(ctx context.Context, in workflows.HoldWindowInput) (workflows.PageResult, error) {
	s.mu.Lock()
	closed := s.windows[in.Progress.Window.ID]
	s.mu.Unlock()
	err := beatUntil(ctx, closed)
	return workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: meterkey.WindowLost}, err
}

// beatUntil heartbeats until something is closed.
func beatUntil(ctx context.Context, closed <-chan struct{}) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-closed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (s *scripted) closeWindow(_ context.Context, in workflows.CloseWindowInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closed := s.windows[in.Window.ID]; closed != nil {
		close(closed)
		delete(s.windows, in.Window.ID)
	}
	return nil
}

func (s *scripted) submitCode(_ context.Context, in workflows.SubmitCodeInput) (workflows.PageResult, error) {
	answer := in.Option
	if answer == "" {
		plain, err := s.identity.Open(in.Code)
		if err != nil {
			return workflows.PageResult{Outcome: workflows.OutcomeStopped, Reason: meterkey.Unreadable}, nil
		}
		answer = string(plain)
	}
	window := in.Progress.Window
	switch kind := in.State().Challenge.Kind; {
	case kind == meterkey.MethodChoice && (answer == "sms" || answer == "email"):
		return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: codeAsk(), Window: window}, nil
	case kind == meterkey.NumberCode && answer == rightCode,
		kind == meterkey.SecurityAnswer && strings.EqualFold(answer, rightAnswer):
		return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Window: window}, nil
	}
	return workflows.PageResult{Outcome: workflows.OutcomeCodeRejected, Window: window}, nil
}

func (s *scripted) resendCode(_ context.Context, in workflows.Task) (workflows.PageResult, error) {
	return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: codeAsk(), Window: in.Progress.Window}, nil
}

func (s *scripted) meters(_ context.Context, in workflows.Task) (workflows.PageResult, error) {
	if strings.HasPrefix(in.Progress.Window.ID, "empty.") {
		return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Window: in.Progress.Window}, nil
	}
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Window: in.Progress.Window, Meters: []meterkey.Meter{
		{AccountNumber: "1001", MeterNumber: "E-17", ServiceClass: "electric", ServiceAddress: `1 "Main" St, Springfield`, Status: "active"},
		{AccountNumber: "1001", MeterNumber: "G-4", ServiceClass: "gas", ServiceAddress: `1 "Main" St, Springfield`},
	}}, nil
}
