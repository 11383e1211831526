package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// signIn has the login typed and says what the site showed.
func (r *runner) signIn(ctx workflow.Context) (event, meterkey.Reason) {
	if !r.DownSince.IsZero() {
		if e, reason := r.waitForSite(ctx); e != "" {
			return e, reason
		}
	}
	f, err := r.runLogin(ctx)
	if e := r.calledOff(ctx); e != "" {
		r.Window = f.Window
		return e, ""
	}
	if err != nil {
		return r.fault(ctx, err)
	}
	now := workflow.Now(ctx)
	e, reason := r.verdict(f, now)
	r.Window, r.inbox.windowEnded, r.Evidence = f.Window, "", f.Evidence
	switch {
	case e == eventSiteDown && r.DownSince.IsZero():
		r.DownSince = now
	case e != eventSiteDown:
		r.DownSince = time.Time{}
		r.login = ""
	}
	if f.Reason == meterkey.InvalidCredentials {
		r.RejectedLogins++
	}
	r.MFAWasOff = r.MFAWasOff || e == eventMFAUnsupported
	return r.asked(e, reason, f)
}

// runLogin runs Login, once more on the host that holds the window if a retry found itself on another.
func (r *runner) runLogin(ctx workflow.Context) (Found, error) {
	r.SignIns++
	in := LoginInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Credentials: r.login, Attempt: r.SignIns}
	f, err := r.untilDeclined(ctx, loginOptions(r.asChosen()), in)
	if err != nil || f.Outcome != OutcomeElsewhere || r.calledOff(ctx) != "" {
		return f, err
	}
	in.Window = f.Window
	there := submitOptions(*f.Window)
	there.Summary = "Read what an interrupted sign-in left"
	return r.untilDeclined(ctx, there, in)
}

// asChosen is the request with the utility that the customer chose, where it names none itself.
func (r *runner) asChosen() meterkey.Request {
	request := r.request
	request.Utility = r.State.Utility
	return request
}

// untilDeclined runs Login and calls it off as soon as the customer declines: it may still wait for a free window, and
// after a no it is to type nothing. Called off or not, its end is waited for, so that no window is forgotten.
func (r *runner) untilDeclined(ctx workflow.Context, options workflow.ActivityOptions, in LoginInput) (Found, error) {
	options.WaitForCancellation = true
	running, callOff := workflow.WithCancel(workflow.WithActivityOptions(ctx, options))
	defer callOff()
	login := workflow.ExecuteActivity(running, ActivityLogin, in)
	// When the request is canceled, so is the login; its end is waited for below.
	_ = workflow.Await(ctx, func() bool { return login.IsReady() || r.inbox.declined })
	if !login.IsReady() {
		callOff()
	}
	var f Found
	err := login.Get(ctx, &f)
	return f, err
}

// calledOff is what follows, whatever the site did, from a cancellation or a no that came while it was at work.
func (r *runner) calledOff(ctx workflow.Context) event {
	switch {
	case ctx.Err() != nil:
		r.login = ""
		return eventCancel
	case r.inbox.declined:
		r.login, r.DownSince = "", time.Time{}
		return eventDecline
	}
	return ""
}

// waitForSite waits before a site that is down is tried again, ever longer.
func (r *runner) waitForSite(ctx workflow.Context) (event, meterkey.Reason) {
	down := workflow.Now(ctx).Sub(r.DownSince)
	pause := min(max(5*time.Second, down), 5*time.Minute)
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: pause, TimerOptions: workflow.TimerOptions{Summary: "The utility's site is down: next try"},
	}, func() bool { return r.inbox.left || r.inbox.declined })
	switch {
	case err != nil, r.inbox.declined:
		return r.calledOff(ctx), ""
	case r.inbox.left:
		r.DownSince, r.login = time.Time{}, ""
		return eventSignInAgain, meterkey.WindowClosed
	}
	return "", ""
}

// asked puts what the site asks for before the customer, and has the window held meanwhile.
func (r *runner) asked(e event, reason meterkey.Reason, f Found) (event, meterkey.Reason) {
	if r.present(e, f.Challenge) {
		r.holdWindow()
	}
	return e, reason
}

// submitCode has the customer's answer typed. The try is counted before anyone looks at the code.
func (r *runner) submitCode(ctx workflow.Context) (event, meterkey.Reason) {
	asked := r.State.Challenge
	in := SubmitCodeInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Window: *r.Window,
		ChallengeID: asked.ID, Kind: asked.Kind, Code: r.spend()}
	var f Found
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, submitOptions(*r.Window)), ActivitySubmitCode, in).Get(ctx, &f)
	if e := r.calledOff(ctx); e != "" {
		return e, ""
	}
	if err != nil {
		return r.fault(ctx, err)
	}
	if f.Evidence != "" {
		r.Evidence = f.Evidence
	}
	e, reason := r.verdict(f, workflow.Now(ctx))
	return r.asked(e, reason, f)
}

// resendCode has the site send the code again; an answer to the earlier one no longer counts.
func (r *runner) resendCode(ctx workflow.Context) (event, meterkey.Reason) {
	asked := r.State.Challenge
	options := submitOptions(*r.Window)
	options.Summary = "Have the code sent again"
	in := WindowInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Window: *r.Window, ChallengeID: asked.ID}
	var f Found
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), ActivityResendCode, in).Get(ctx, &f)
	if err != nil {
		return r.fault(ctx, err)
	}
	if f.Evidence != "" {
		r.Evidence = f.Evidence
	}
	e, reason := r.verdict(f, workflow.Now(ctx))
	if e == eventCodeAsked || e == eventCodeRejected { // nothing was typed: what is rejected there is an earlier code
		r.present(eventCodeRejected, f.Challenge)
		return eventCodeResent, ""
	}
	return r.asked(e, reason, f)
}

// fetchMeters reads the meter list.
func (r *runner) fetchMeters(ctx workflow.Context) (event, meterkey.Reason) {
	in := WindowInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Window: *r.Window}
	var f Found
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, fetchOptions(*r.Window)), ActivityFetchMeterList, in).Get(ctx, &f)
	if err != nil {
		return r.fault(ctx, err)
	}
	r.Evidence = f.Evidence
	e, reason := r.verdict(f, workflow.Now(ctx))
	switch {
	case e == eventCodeAsked, e == eventChoiceAsked: // some sites ask only now
		if f.Window != nil {
			r.Window = f.Window // its life begins with the first challenge
		}
		return r.asked(e, reason, f)
	case e != eventSignedIn:
		return e, reason
	case len(f.Meters) == 0:
		return eventGiveUp, meterkey.NoMeters
	}
	r.State.Meters = f.Meters
	return eventMetersRead, ""
}

// fault is what follows when an activity could not be done at all: the customer signs in again.
func (r *runner) fault(ctx workflow.Context, err error) (event, meterkey.Reason) {
	r.login, r.DownSince = "", time.Time{}
	if temporal.IsCanceledError(err) {
		return eventCancel, ""
	}
	workflow.GetLogger(ctx).Warn("window lost", "request_id", r.request.RequestID, "error", err)
	return eventSignInAgain, meterkey.WindowLost
}

// holdWindow has the window watched from now until it is closed. Its end is known at once.
func (r *runner) holdWindow() {
	w := *r.Window
	if r.held == w.ID {
		return
	}
	r.held = w.ID
	workflow.GoNamed(r.lasting, "hold "+w.ID, func(ctx workflow.Context) {
		in := WindowInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Window: w}
		var f Found
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, holdOptions(w, workflow.Now(ctx))), ActivityHoldWindow, in).Get(ctx, &f)
		if r.Window == nil || r.Window.ID != w.ID {
			return // closed by us: there is nothing left to lose
		}
		if err != nil || f.Reason == "" {
			f.Reason = meterkey.WindowLost
		}
		r.inbox.windowEnded = f.Reason
	})
}

// closeWindow frees the window while the request goes on.
func (r *runner) closeWindow() {
	w := *r.Window
	r.Window, r.held = nil, ""
	r.closing++
	workflow.GoNamed(r.lasting, "close "+w.ID, func(ctx workflow.Context) {
		in := WindowInput{RequestID: r.request.RequestID, Utility: r.State.Utility, Test: r.request.Test, Window: w}
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, closeOptions(w)), ActivityCloseWindow, in).Get(ctx, nil)
		if err != nil {
			workflow.GetLogger(ctx).Warn("window left to the sweeper", "request_id", r.request.RequestID, "error", err)
		}
		r.closing--
	})
}
