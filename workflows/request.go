package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// DataRequest is the workflow: from the sign-in link to the meter list. Every business outcome, a failed request
// included, is a Result; it returns an error only for an invalid Request or when it was canceled.
//
// Continued carries a run's progress into its next run (continue-as-new). Starters leave it out.
func DataRequest(ctx workflow.Context, r meterkey.Request, continued *Progress) (*meterkey.Result, error) {
	if err := r.Validate(); err != nil {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), meterkey.ErrTypeInvalidRequest, nil)
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
	toCustomer, toRequester mailbox
	recording               int // the newest revision that is in the database, or on its way there
	recorded                int // the newest revision that is known to be in the database
}

func setup(ctx workflow.Context, r meterkey.Request, continued *Progress) *runner {
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	run := &runner{machine: newMachine(r, continued, workflow.Now(ctx).UTC()), lasting: lasting}
	if continued != nil {
		run.recording, run.recorded = run.State.Revision, run.State.Revision // the run before saw to it
	}
	run.answerQueries(ctx)
	run.takeUpdates(ctx)
	run.publish(ctx)
	workflow.GoNamed(lasting, "signals", run.listen)
	workflow.GoNamed(lasting, "record", run.keepRecorded)
	workflow.GoNamed(lasting, "cancel", func(lasting workflow.Context) {
		ctx.Done().Receive(lasting, nil)
		run.pump(lasting)
		run.inbox.resend = false // it came before; one that comes after counts
	})
	if continued == nil {
		// A request revived by resend begins with that signal waiting: the link goes out once, not twice.
		for workflow.GetSignalChannel(ctx, meterkey.SignalResend).ReceiveAsync(nil) {
		}
		run.notify(ctx, meterkey.AwaitingLogin, "", "")
	}
	return run
}

func (r *runner) run(ctx workflow.Context) (*meterkey.Result, error) {
	for !r.State.Status.Terminal() {
		if r.outgrown(ctx) {
			r.pump(ctx) // the next run hears only what comes after its start
		}
		if r.outgrown(ctx) {
			return nil, workflow.NewContinueAsNewError(ctx, meterkey.WorkflowType, r.request, r.Progress)
		}
		from := r.State.Status
		if e, reason := r.step(ctx); e != "" {
			r.entered(ctx, from, e, reason)
		}
	}
	return r.finish()
}

// step does what the status asks for, moves to the status that follows and returns by which event and for which reason. An
// empty event changed nothing.
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

// decided moves to the status that a decision of the workflow's own leads to.
func (r *runner) decided(ctx workflow.Context, e event, reason meterkey.Reason) (event, meterkey.Reason) {
	if e != "" {
		r.act(e, reason, workflow.Now(ctx).UTC())
	}
	return e, reason
}

// entered makes a new status known.
func (r *runner) entered(ctx workflow.Context, from meterkey.Status, e event, reason meterkey.Reason) {
	workflow.GetLogger(ctx).Info("status", "request_id", r.request.RequestID, "status", r.State.Status, "reason", reason)
	if !hasWindow(r.State.Status) && r.Window != nil {
		r.closeWindow()
	}
	if reason.Text().Acts == meterkey.Operator {
		workflow.GetLogger(ctx).Error("alert: an operator must act", "request_id", r.request.RequestID, "utility", r.State.Utility,
			"reason", reason, "evidence", r.Evidence)
	}
	r.publish(ctx)
	r.notify(ctx, from, e, reason)
}

// awaitCustomer waits for the customer, or for whatever else comes first.
func (r *runner) awaitCustomer(ctx workflow.Context) (event, meterkey.Reason) {
	if r.State.Status.AsksCustomer() {
		r.holdWindow() // whose end is the deadline
	}
	something := func() bool {
		e, _ := decide(r.State.Status, r.inbox)
		return e != "" || r.outgrown(ctx)
	}
	until, what := r.nextTimer()
	if r.await(ctx, until, what, something) {
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
	return r.decided(ctx, e, reason)
}

// await waits until the condition holds, until a moment has come (which it tells) or until the request is canceled. A zero
// moment never comes. The timer is canceled when it is no longer needed.
func (r *runner) await(ctx workflow.Context, until time.Time, what string, condition func() bool) (timedOut bool) {
	timing, stop := workflow.WithCancel(ctx)
	defer stop()
	come := func() bool { return false }
	if !until.IsZero() {
		timer := workflow.NewTimerWithOptions(timing, until.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: what})
		come = timer.IsReady
	}
	if workflow.Await(ctx, func() bool { return condition() || come() }) != nil || ctx.Err() != nil { // a canceled timer is ready, too
		r.inbox.canceled = true
		return false
	}
	return come() && !condition()
}

// reminders are sent so long after the customer was asked to turn MFA off.
var reminders = [...]time.Duration{24 * time.Hour, 3 * 24 * time.Hour}

// nextTimer is the next moment at which something happens by itself: a reminder or the deadline. While an answer is awaited
// it is the window that ends, see HoldWindow.
func (r *runner) nextTimer() (time.Time, string) {
	switch {
	case r.State.Status.AsksCustomer():
		return time.Time{}, ""
	case r.State.Status == meterkey.AwaitingMFAOff && r.Reminders < len(reminders):
		return r.State.Since.Add(reminders[r.Reminders]), "Reminder to turn MFA off"
	}
	return *r.State.Until, "The request's deadline"
}

// finish lets what is under way end, so that nothing is lost, and closes the run. Nobody waits for mail: what cannot be sent
// soon goes on in workflows of its own. A resend that comes meanwhile begins a new run, unless a cancel follows it.
func (r *runner) finish() (*meterkey.Result, error) {
	r.await(r.lasting, time.Time{}, "", func() bool { return r.idle(r.lasting) || r.inbox.resend })
	r.pump(r.lasting)
	if r.inbox.resend {
		r.handOverMail()
		r.pump(r.lasting)
	}
	if r.inbox.resend {
		return nil, workflow.NewContinueAsNewError(r.lasting, meterkey.WorkflowType, r.request)
	}
	if r.State.Status == meterkey.Canceled {
		return nil, temporal.NewCanceledError()
	}
	return &meterkey.Result{RequestID: r.request.RequestID, Status: r.State.Status, Reason: r.State.Reason, Meters: r.State.Meters}, nil
}

// idle tells that nothing is under way beside the request's own course.
func (r *runner) idle(ctx workflow.Context) bool {
	return r.closing == 0 && r.mailed() && r.recorded >= r.State.Revision && workflow.AllHandlersFinished(ctx)
}

// outgrown tells that the history has become long and that this is a moment to start a new one: nothing is under way.
func (r *runner) outgrown(ctx workflow.Context) bool {
	e, _ := decide(r.State.Status, r.inbox)
	return e == "" && ctx.Err() == nil && r.State.Status.TakesLogin() && r.idle(ctx) &&
		workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}
