package sdk_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

// site plays a utility beside the real workflow. It asks everybody how to send a code, and then for the code, and likes any
// answer. Who is to be called off WhileSigningIn gets no answer before.
var site struct {
	signingIn, closed sync.Map // by request id: a channel that is closed when it happens
}

const host = "site"

// happened is closed once it has happened to the request.
func happened(to *sync.Map, requestID string) chan struct{} {
	c, _ := to.LoadOrStore(requestID, make(chan struct{}))
	return c.(chan struct{}) //nolint:errcheck // nothing else is in it
}

func serveSite() error {
	requests := requestWorker(server.temporal, meterkey.TaskQueue)
	signIn := worker.New(server.temporal, workflows.SignInTaskQueue, worker.Options{DisableWorkflowWorker: true, MaxHeartbeatThrottleInterval: 100 * time.Millisecond})
	register(signIn, map[string]any{workflows.ActivityLogin: login})
	windows := worker.New(server.temporal, workflows.WindowTaskQueue(host), worker.Options{DisableWorkflowWorker: true, MaxHeartbeatThrottleInterval: 100 * time.Millisecond})
	register(windows, map[string]any{
		workflows.ActivityHoldWindow: func(ctx context.Context, _ workflows.HoldWindowInput) (workflows.PageResult, error) {
			return workflows.PageResult{}, untilCalledOff(ctx)
		},
		workflows.ActivitySubmitCode: submitCode,
		workflows.ActivityFetchMeterList: func(context.Context, workflows.Task) (workflows.PageResult, error) {
			return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Meters: []meterkey.Meter{{AccountNumber: "1"}}, Closed: true, At: time.Now()}, nil
		},
		workflows.ActivityCloseWindow: func(_ context.Context, in workflows.CloseWindowInput) error {
			close(happened(&site.closed, in.RequestID))
			return nil
		},
	})
	for _, w := range []worker.Worker{requests, signIn, windows} {
		if err := w.Start(); err != nil {
			return err
		}
		testenv.AtEnd(func(context.Context) error { w.Stop(); return nil })
	}
	return nil
}

// requestWorker serves the workflow, and what it asks for on its own queue.
func requestWorker(c client.Client, queue string) worker.Worker {
	w := worker.New(c, queue, worker.Options{DeadlockDetectionTimeout: sdk.TaskTimeout})
	w.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	register(w, map[string]any{
		workflows.ActivityNotify: func(context.Context, workflows.NotifyInput) (workflows.NotifyResult, error) {
			return workflows.NotifyResult{Recorded: true}, nil
		},
		workflows.ActivityRecord: func(context.Context, meterkey.Projection) error { return nil },
	})
	return w
}

func register(w worker.Worker, activities map[string]any) {
	for name, f := range activities {
		w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}

func login(ctx context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
	window := &workflows.Window{Host: host, ID: in.Request.RequestID, ExpiresAt: time.Now().Add(10 * time.Minute)}
	close(happened(&site.signingIn, in.Request.RequestID))
	if strings.Contains(in.Request.RequestID, "WhileSigningIn") {
		_ = untilCalledOff(ctx) // the site answers all the same
		return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Window: window, At: time.Now()}, nil
	}
	return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Window: window, At: time.Now(), Challenge: &meterkey.Challenge{
		Kind: meterkey.MethodChoice, Options: []meterkey.Option{{ID: "sms", Label: "Text message"}, {ID: "mail", Label: "E-mail"}}}}, nil
}

func submitCode(_ context.Context, in workflows.SubmitCodeInput) (workflows.PageResult, error) {
	if in.State().Challenge.Kind == meterkey.MethodChoice {
		return workflows.PageResult{Outcome: workflows.OutcomeChallenge, At: time.Now(),
			Challenge: &meterkey.Challenge{Kind: meterkey.NumberCode, TriesLeft: 3}}, nil
	}
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, At: time.Now()}, nil
}

func untilCalledOff(ctx context.Context) error {
	for ctx.Err() == nil {
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return ctx.Err()
}
