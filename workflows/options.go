package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

const (
	// HeartbeatTimeout is how long a worker may be silent before its work is given to another, or to itself once it is back.
	// It bounds what a customer notices of a killed worker, and is well above a garbage collection or a slow disk.
	HeartbeatTimeout = 5 * time.Second
	// retryInterval is how long the next attempt waits: a worker that was killed has been waited for already.
	retryInterval = 200 * time.Millisecond
	// maxAttempts bounds the attempts of an activity that works at a site.
	maxAttempts = 5
	// hostTimeout is how long a browser host's worker may be away before its windows count as lost. With the heartbeat
	// time-out before it, customers are told within half a minute.
	hostTimeout = 20 * time.Second
	// noticeTimeout is how long a request itself tries to send a notice.
	noticeTimeout = time.Minute
	// deliveryTimeout is how long a notice or a projection is tried: a day outlasts a mail server's or a database's bad night.
	deliveryTimeout = 24 * time.Hour
)

// priority: one requester's ten thousand customers must not hold up another's one, in whatever is done for them.
func priority(r meterkey.Request) temporal.Priority {
	return temporal.Priority{FairnessKey: r.Requester}
}

// loginOptions: a login may meet several late pages of up to 45 s each, and waits for a free window for as long as the
// customer would. A retry reads the page that the earlier attempt left, so several are safe.
func loginOptions(t Task) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              SignInTaskQueue,
		ScheduleToCloseTimeout: siteDownTimeout,
		StartToCloseTimeout:    5 * time.Minute,
		HeartbeatTimeout:       HeartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: retryInterval, MaximumInterval: 10 * time.Second, MaximumAttempts: maxAttempts},
		Summary:                "Sign in at " + t.Utility(),
		Priority:               priority(t.Request),
	}
}

// windowOptions are common to all that is done in a window: only its own host can do it.
func windowOptions(t Task, w Window, attempts int32, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: hostTimeout,
		HeartbeatTimeout:       HeartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: retryInterval, MaximumInterval: 5 * time.Second, MaximumAttempts: attempts},
		Summary:                summary,
		Priority:               priority(t.Request),
	}
}

// holdOptions: lasts as long as the window may live and a little more, so that its end is always the window's, and is
// retried for as long as the host's worker is not away for too long.
func holdOptions(t Task, w Window, now time.Time) workflow.ActivityOptions {
	options := windowOptions(t, w, 0, "Hold the window while the customer is away")
	options.StartToCloseTimeout = max(0, w.ExpiresAt.Sub(now)) + time.Minute
	return options
}

// submitOptions: typing a code and one late page; a retry reads the page first and never types twice.
func submitOptions(t Task, w Window) workflow.ActivityOptions {
	options := windowOptions(t, w, maxAttempts, "Answer the utility's challenge")
	options.StartToCloseTimeout = 3 * time.Minute
	return options
}

// fetchOptions: a city's account has hundreds of pages of meters.
func fetchOptions(t Task, w Window) workflow.ActivityOptions {
	options := windowOptions(t, w, 3, "Read the meter list")
	options.StartToCloseTimeout = 15 * time.Minute
	return options
}

// closeOptions: closing is bounded to seconds; what it cannot close, the host's sweeper does.
func closeOptions(t Task, w Window) workflow.ActivityOptions {
	options := windowOptions(t, w, 3, "Close the window")
	options.StartToCloseTimeout, options.HeartbeatTimeout = 30*time.Second, 0
	return options
}

// notifyOptions: a mail server answers within seconds or is down. An attempt that was killed is not waited for, since it may
// have been about to record what it tells of.
func notifyOptions(n meterkey.Notice) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: noticeTimeout,
		HeartbeatTimeout:       HeartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 2 * time.Second},
		Summary:                "Tell " + n.To.String() + ": " + string(n.Kind),
		Priority:               priority(n.Request),
	}
}

// deliverOptions: a mail server that is down is tried for a day, ever less often.
func deliverOptions(n meterkey.Notice) workflow.ActivityOptions {
	options := notifyOptions(n)
	options.ScheduleToCloseTimeout, options.StartToCloseTimeout = deliveryTimeout, noticeTimeout
	options.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 10 * time.Second, MaximumInterval: 10 * time.Minute}
	return options
}

// recordOptions: one short write, and longer the more meters there are: an attempt that were given up in the middle of a
// city's list would only begin it anew, for ever on a slow database. One that is down is tried for a day.
func recordOptions(p meterkey.Projection) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: deliveryTimeout,
		StartToCloseTimeout:    15*time.Second + time.Duration(len(p.State.Meters))*10*time.Millisecond,
		HeartbeatTimeout:       HeartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
		Summary:                "Record: " + string(p.State.Status),
		Priority:               priority(p.Request),
	}
}
