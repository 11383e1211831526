package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

const (
	// heartbeat is how long a worker may be silent before its work is given to another. It bounds how long a customer
	// notices a killed worker, and is well above a garbage collection or a slow disk.
	heartbeat = 10 * time.Second
	// hostAway is how long a browser host's worker may be away before its windows count as lost. Hosts sweep windows
	// that nobody claims after the same time.
	hostAway = 2 * time.Minute
	// siteDownPatience is how long a site that is down is tried before the customer is asked to come back later.
	siteDownPatience = time.Hour
	// delivery is how long a notice or a projection is tried: a day outlasts a mail server's or a database's bad night.
	delivery = 24 * time.Hour
)

// loginOptions: a login may meet several late pages of up to 45 s each, and waits for a free window for as long as the
// customer would. A retry reads the page that the earlier attempt left, so several are safe.
func loginOptions(r meterkey.Request) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              SignInTaskQueue,
		ScheduleToCloseTimeout: siteDownPatience,
		StartToCloseTimeout:    5 * time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 10 * time.Second, MaximumAttempts: 5},
		Summary:                "Sign in at " + r.Utility,
		// One requester's ten thousand customers must not hold up another's one.
		Priority: temporal.Priority{FairnessKey: r.Requester},
	}
}

// holdOptions: lasts as long as the window may live and a little more, so that its end is always the window's, and is
// retried for as long as the host's worker is not away for too long.
func holdOptions(w Window, now time.Time) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: hostAway,
		StartToCloseTimeout:    max(0, w.ExpiresAt.Sub(now)) + hostAway,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 5 * time.Second},
		Summary:                "Hold the window while the customer is away",
	}
}

// submitOptions: typing a code and one late page; a retry reads the page first and never types twice.
func submitOptions(w Window) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: hostAway,
		StartToCloseTimeout:    3 * time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 5},
		Summary:                "Answer the utility's challenge",
	}
}

// fetchOptions: a city's account has hundreds of pages of meters.
func fetchOptions(w Window) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: hostAway,
		StartToCloseTimeout:    15 * time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 3},
		Summary:                "Read the meter list",
	}
}

// closeOptions: closing is bounded to seconds; what it cannot close, the host's sweeper does.
func closeOptions(w Window) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: hostAway,
		StartToCloseTimeout:    30 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 3},
		Summary:                "Close the window",
	}
}

// notifyOptions: a mail server answers within a minute or is down; it is tried for a day, ever less often. That a code is
// needed is news only while it is, and urgent: a worker that is killed in the middle must not hold it up for a minute.
func notifyOptions(n meterkey.Notice, now time.Time) workflow.ActivityOptions {
	limit, attempt := delivery, time.Minute
	if n.Kind == meterkey.NoticeCodeNeeded && n.Until != nil {
		limit, attempt = max(n.Until.Sub(now), time.Minute), 15*time.Second
	}
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: limit,
		StartToCloseTimeout:    attempt,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 2 * time.Second, MaximumInterval: 10 * time.Minute},
		Summary:                "Tell the " + string(n.To) + ": " + string(n.Kind),
	}
}

// recordOptions: one short write, and longer the more meters there are: an attempt that were given up in the middle of a
// city's list would only begin it anew, for ever on a slow database. One that is down is tried for a day.
func recordOptions(s meterkey.State) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: delivery,
		StartToCloseTimeout:    15*time.Second + time.Duration(len(s.Meters))*10*time.Millisecond,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
		Summary:                "Record: " + string(s.Status),
	}
}
