package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// ErrTypeInvalidRequest is the type of the application error that ends a run whose input is not a valid Request.
const ErrTypeInvalidRequest = "invalid_request"

// DataRequest is the workflow: from the sign-in link to the meter list. Every business outcome, a failed request
// included, is a Result; it returns an error only for an invalid Request or when it was canceled.
//
// Continued carries a run's progress into its next run (continue-as-new). Starters leave it out.
func DataRequest(ctx workflow.Context, r meterkey.Request, continued *Progress) (*meterkey.Result, error) {
	if err := r.Validate(); err != nil {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), ErrTypeInvalidRequest, nil)
	}
	run := setup(ctx, r, continued)
	return run.run(ctx)
}

// runner gives the machine its clock and its world.
type runner struct {
	*machine
	lasting                 workflow.Context // outlives cancellation: for what must be finished all the same
	held                    string           // the window that HoldWindow watches
	closing                 int              // windows being closed
	toCustomer, toRequester post
	known                   int // the version that was last recorded
}

func setup(ctx workflow.Context, r meterkey.Request, continued *Progress) *runner {
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	run := &runner{machine: newMachine(r, continued, workflow.Now(ctx).UTC()), lasting: lasting}
	if err := workflow.SetQueryHandler(ctx, meterkey.QueryStatus, func() (meterkey.State, error) { return run.State, nil }); err != nil {
		workflow.GetLogger(ctx).Error("no status query", "error", err)
	}
	run.publish(ctx)
	if continued == nil {
		// A request revived by resend begins with that signal waiting: the link goes out once, not twice.
		workflow.GetSignalChannel(ctx, meterkey.SignalResend).ReceiveAsync(nil)
		run.notify(ctx, meterkey.AwaitingLogin, "", "")
	}
	workflow.GoNamed(lasting, "signals", run.listen)
	for _, p := range []*post{&run.toCustomer, &run.toRequester} {
		workflow.GoNamed(lasting, "notices", func(ctx workflow.Context) { run.deliver(ctx, p) })
	}
	workflow.GoNamed(lasting, "record", run.record)
	return run
}

func (r *runner) run(ctx workflow.Context) (*meterkey.Result, error) {
	for !r.State.Status.Terminal() {
		if r.outgrown(ctx) {
			r.pump(ctx) // the next run hears only what comes after its start
		}
		if r.outgrown(ctx) {
			return nil, r.continueAsNew(ctx)
		}
		e, reason := r.step(ctx)
		if err := r.move(ctx, e, reason); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// step does what the status asks for and returns what came of it.
func (r *runner) step(ctx workflow.Context) (event, meterkey.Reason) {
	switch r.State.Status {
	case meterkey.SigningIn:
		return r.signIn(ctx)
	case meterkey.SubmittingCode:
		return r.submitCode(ctx)
	case meterkey.FetchingMeters:
		return r.fetchMeters(ctx)
	default:
		return r.awaitCustomer(ctx)
	}
}

// move makes the change known everywhere. An empty event changes nothing.
func (r *runner) move(ctx workflow.Context, e event, reason meterkey.Reason) error {
	if e == "" {
		return nil
	}
	from := r.State.Status
	r.taken(e)
	if err := r.apply(e, reason, workflow.Now(ctx).UTC()); err != nil {
		return fmt.Errorf("moving on: %w", err)
	}
	workflow.GetLogger(ctx).Info("status", "request_id", r.request.RequestID, "status", r.State.Status, "reason", reason)
	if !hasWindow(r.State.Status) && r.Window != nil {
		r.closeWindow()
	}
	r.publish(ctx)
	r.notify(ctx, from, e, reason)
	return nil
}

// awaitCustomer waits for the customer, or for whatever else comes first.
func (r *runner) awaitCustomer(ctx workflow.Context) (event, meterkey.Reason) {
	decided := func() bool {
		e, _ := decide(r.State.Status, r.inbox)
		return e != "" || r.outgrown(ctx)
	}
	until, what := r.nextTimer()
	met, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: until.Sub(workflow.Now(ctx)), TimerOptions: workflow.TimerOptions{Summary: what},
	}, decided)
	if err != nil {
		r.inbox.canceled = true
	}
	if !met && err == nil {
		r.pump(ctx) // what arrived in the same workflow task as the timer counts as in time
		if until.Before(*r.State.Until) {
			r.remind(ctx)
			return "", ""
		}
		r.inbox.deadline = true
	}
	e, reason := decide(r.State.Status, r.inbox)
	if e == eventCodeResent {
		return r.resendCode(ctx)
	}
	return e, reason
}

// reminders are sent so long after the customer was asked to turn MFA off.
var reminders = [...]time.Duration{24 * time.Hour, 3 * 24 * time.Hour}

// nextTimer is the next moment at which something happens by itself: a reminder or the deadline.
func (r *runner) nextTimer() (time.Time, string) {
	if r.State.Status == meterkey.AwaitingMFAOff && r.Reminders < len(reminders) {
		return r.State.Since.Add(reminders[r.Reminders]), "Reminder to turn MFA off"
	}
	if r.State.Status.AsksCustomer() {
		return *r.State.Until, "The browser window's end"
	}
	return *r.State.Until, "The request's deadline"
}

// publish shows the state to operators: search attributes, and details in Temporal's Web UI.
func (r *runner) publish(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, r.details())
	shown, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(keyStatus)
	if shown == string(r.State.Status) {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, searchAttributes(r.asChosen(), r.State.Status)...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}

// finish lets what is under way end, so that nothing is lost, and closes the run.
func (r *runner) finish() (*meterkey.Result, error) {
	if err := workflow.Await(r.lasting, r.idle); err != nil {
		return nil, fmt.Errorf("finishing: %w", err)
	}
	r.pump(r.lasting)
	if r.inbox.resend {
		return nil, workflow.NewContinueAsNewError(r.lasting, meterkey.WorkflowType, r.request)
	}
	if r.State.Status == meterkey.Canceled {
		return nil, temporal.NewCanceledError()
	}
	return &meterkey.Result{RequestID: r.request.RequestID, Status: r.State.Status, Reason: r.State.Reason, Meters: r.State.Meters}, nil
}

// idle tells that nothing is under way beside the request's own course.
func (r *runner) idle() bool {
	return r.closing == 0 && r.toCustomer.idle() && r.toRequester.idle() && r.known == r.State.Revision
}

// outgrown tells that the history has become long and that this is a moment to start a new one: nothing is under way.
func (r *runner) outgrown(ctx workflow.Context) bool {
	e, _ := decide(r.State.Status, r.inbox)
	return e == "" && ctx.Err() == nil && r.State.Status.TakesLogin() && r.idle() &&
		workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// continueAsNew carries the progress into a new run.
func (r *runner) continueAsNew(ctx workflow.Context) error {
	return workflow.NewContinueAsNewError(ctx, meterkey.WorkflowType, r.request, r.Progress)
}
