package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// task is what an activity is told of the request as it stands now.
func (r *runner) task() Task { return Task{Request: r.request, Progress: r.Progress} }

// signIn has the login typed and takes in what the site showed.
func (r *runner) signIn(ctx workflow.Context) (event, meterkey.Reason) {
	if !r.DownSince.IsZero() {
		if e, reason := r.waitForSite(ctx); e != "" {
			return r.decided(ctx, e, reason)
		}
	}
	f, err := r.runLogin(ctx)
	if e := r.calledOff(ctx); e != "" {
		r.Window = f.Window
		return r.decided(ctx, e, "")
	}
	if err != nil {
		return r.fault(ctx, err)
	}
	return r.concluded(ctx, f)
}

// runLogin runs Login, once more on the host that holds the window if a retry found itself on another.
func (r *runner) runLogin(ctx workflow.Context) (PageResult, error) {
	r.SignIns++
	in := LoginInput{Task: r.task(), Credentials: r.login}
	f, err := r.untilDeclined(ctx, loginOptions(in.Task), in)
	if err != nil || f.Outcome != OutcomeElsewhere || r.inbox.declined || ctx.Err() != nil {
		return f, err
	}
	r.State.Revision += maxAttempts // the attempts so far may have recorded what they saw
	in.Task, in.Window = r.task(), f.Window
	there := submitOptions(in.Task, *f.Window)
	there.Summary = "Read what an interrupted sign-in left"
	return r.untilDeclined(ctx, there, in)
}

// untilDeclined runs Login and calls it off as soon as the customer declines: it may still wait for a free window, and
// after a no it is to type nothing. Called off or not, its end is waited for, so that no window is forgotten.
func (r *runner) untilDeclined(ctx workflow.Context, options workflow.ActivityOptions, in LoginInput) (PageResult, error) {
	options.WaitForCancellation = true
	running, callOff := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	defer callOff()
	login := workflow.ExecuteActivity(running, ActivityLogin, in)
	r.recordedBy(in.Task)
	// When the request is canceled, so is the login; its end is waited for below.
	_ = workflow.Await(ctx, func() bool { return login.IsReady() || r.inbox.declined })
	if !login.IsReady() {
		callOff()
	}
	var f PageResult
	err := login.Get(ctx, &f)
	return f, err
}

// calledOff is what follows, whatever the site did, from a cancellation or a no that came while it was at work.
func (r *runner) calledOff(ctx workflow.Context) event {
	e := event("")
	switch {
	case ctx.Err() != nil:
		e = eventCancel
	case r.inbox.declined:
		e = eventDecline
	default:
		return ""
	}
	r.drop()
	return e
}

// drop forgets what an activity was told to do. What the activity may have recorded as its outcome does not come about:
// what comes about instead is newer.
func (r *runner) drop() {
	r.login, r.answer, r.DownSince = "", answer{}, time.Time{}
	r.State.Revision += maxAttempts
}

// waitForSite waits before a site that is down is tried again, ever longer.
func (r *runner) waitForSite(ctx workflow.Context) (event, meterkey.Reason) {
	now := workflow.Now(ctx)
	pause := min(max(5*time.Second, now.Sub(r.DownSince)), 5*time.Minute)
	r.await(ctx, now.Add(pause), "The utility's site is down: next try", func() bool { return r.inbox.left || r.inbox.declined })
	if e := r.calledOff(ctx); e != "" {
		return e, ""
	}
	if r.inbox.left {
		r.drop()
		return eventSignInAgain, meterkey.WindowClosed
	}
	return "", ""
}

// submitCode has the customer's answer typed.
func (r *runner) submitCode(ctx workflow.Context) (event, meterkey.Reason) {
	in := SubmitCodeInput{Task: r.task(), Code: r.answer.code, Option: r.answer.option}
	f, err := r.inWindow(ctx, submitOptions(in.Task, *r.Window), ActivitySubmitCode, in)
	if e := r.calledOff(ctx); e != "" {
		return r.decided(ctx, e, "")
	}
	if err != nil {
		return r.fault(ctx, err)
	}
	return r.concluded(ctx, f)
}

// resendCode has the site send the code again; an answer to the earlier one no longer counts.
func (r *runner) resendCode(ctx workflow.Context) (event, meterkey.Reason) {
	in := r.task()
	options := submitOptions(in, *r.Window)
	options.Summary = "Have the code sent again"
	f, err := r.inWindow(ctx, options, ActivityResendCode, in)
	if err != nil {
		return r.fault(ctx, err)
	}
	return r.concluded(ctx, f)
}

// fetchMeters reads the meter list.
func (r *runner) fetchMeters(ctx workflow.Context) (event, meterkey.Reason) {
	in := r.task()
	f, err := r.inWindow(ctx, fetchOptions(in, *r.Window), ActivityFetchMeterList, in)
	if err != nil {
		return r.fault(ctx, err)
	}
	return r.concluded(ctx, f)
}

// inWindow runs an activity in the request's window.
func (r *runner) inWindow(ctx workflow.Context, options workflow.ActivityOptions, name string, in any) (PageResult, error) {
	var f PageResult
	working := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, in)
	r.recordedBy(r.task())
	err := working.Get(ctx, &f)
	return f, err
}

// concluded takes in what an activity found at the site, which has most likely recorded what follows from it.
func (r *runner) concluded(ctx workflow.Context, f PageResult) (event, meterkey.Reason) {
	from := r.State.Status
	e, reason := r.conclude(f, r.foundAt(ctx, f))
	r.taken(e)
	if from != meterkey.SubmittingCode && r.State.Status.AsksCustomer() {
		r.inbox.windowEnded = "" // that was another window, or an earlier end of this one
	}
	r.answer = answer{}
	if e != eventSiteDown {
		r.login = ""
	}
	r.recordedAs(r.State.Revision, f.Recorded)
	return e, reason
}

// foundAt is when something was found, as long as that can be: a worker's clock is not to be trusted.
func (r *runner) foundAt(ctx workflow.Context, f PageResult) time.Time {
	now := workflow.Now(ctx).UTC()
	if f.At.Before(r.State.Since) || f.At.After(now) {
		return now
	}
	return f.At
}

// faultReasons are the errors that somebody can mend, by their types: the operator, the requester, and the customer by
// signing in again.
var faultReasons = []struct {
	errType string
	reason  meterkey.Reason
}{
	{ErrTypeMisconfigured, meterkey.Misconfigured},
	{ErrTypeUnknownUtility, meterkey.UnknownUtility},
	{ErrTypeWindowGone, meterkey.WindowLost},
}

// fault is what follows when an activity could not be done at all. A worker or a host that went away costs its customers
// another sign-in; what nobody foresaw does so a few times, and is then for an operator.
func (r *runner) fault(ctx workflow.Context, err error) (event, meterkey.Reason) {
	r.drop()
	if temporal.IsCanceledError(err) {
		return r.decided(ctx, eventCancel, "")
	}
	reason, foreseen := faultReason(err)
	r.Faults++
	if foreseen {
		r.Faults = 0
	} else {
		workflow.GetLogger(ctx).Error("alert: an activity failed for a reason that nobody foresaw", "request_id", r.request.RequestID, "error", err)
	}
	if r.Faults >= maxFaults {
		reason = meterkey.Misconfigured
	}
	e := eventSignInAgain
	if reason.Text().Leads == meterkey.Failed {
		e = eventGiveUp
	}
	workflow.GetLogger(ctx).Warn("activity failed", "request_id", r.request.RequestID, "reason", reason, "error", err)
	return r.decided(ctx, e, reason)
}

// faultReason is why an activity could not be done, and whether that is one of the things that happen.
func faultReason(err error) (reason meterkey.Reason, foreseen bool) {
	var late *temporal.TimeoutError
	if errors.As(err, &late) { // the worker, or its host, went away
		return meterkey.WindowLost, true
	}
	for _, row := range faultReasons {
		if hasType(err, row.errType) {
			return row.reason, true
		}
	}
	return meterkey.WindowLost, false
}

// hasType tells whether an activity ended with an application error of this type.
func hasType(err error, errType string) bool {
	var failed *temporal.ApplicationError
	return errors.As(err, &failed) && failed.Type() == errType
}

// holdWindow has the window watched from now until it ends, unless it is already. Its end is known at once.
func (r *runner) holdWindow() {
	w := *r.Window
	if r.held == w.ID {
		return
	}
	r.held = w.ID
	in := HoldWindowInput{Task: r.task(), Notice: r.notice(r.lasting, meterkey.NoticeCodeNeeded, meterkey.ToCustomer, "")}
	workflow.GoNamed(r.lasting, "hold "+w.ID, func(ctx workflow.Context) {
		var f PageResult
		options := holdOptions(in.Task, w, workflow.Now(ctx))
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), ActivityHoldWindow, in).Get(ctx, &f)
		if r.Window == nil || r.Window.ID != w.ID {
			return // closed by us: there is nothing left to lose
		}
		if err != nil || f.Reason == "" {
			f.Reason = meterkey.WindowLost
		}
		r.held, r.inbox.windowEnded = "", f.Reason
	})
}

// closeWindow frees the window while the request goes on.
func (r *runner) closeWindow() {
	w := *r.Window
	r.Window, r.held = nil, ""
	r.closing++
	options := closeOptions(r.task(), w)
	workflow.GoNamed(r.lasting, "close "+w.ID, func(ctx workflow.Context) {
		in := CloseWindowInput{RequestID: r.request.RequestID, Window: w}
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), ActivityCloseWindow, in).Get(ctx, nil)
		if err != nil {
			workflow.GetLogger(ctx).Warn("window left to the sweeper", "request_id", r.request.RequestID, "error", err)
		}
		r.closing--
	})
}
