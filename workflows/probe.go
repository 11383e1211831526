package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

const (
	// ProbeUtilityWorkflowType is the name that ProbeUtility is registered under; meterkey.TaskQueue serves it.
	ProbeUtilityWorkflowType = "ProbeUtility"
	// ActivityProbe is served by SignInTaskQueue.
	ActivityProbe = "Probe"
	// ErrTypeSiteUnavailable tells that the utility's site is down or does not answer; it may do later.
	ErrTypeSiteUnavailable = "site_unavailable"
	// ProbeTimeout bounds a ProbeUtility as a whole.
	ProbeTimeout = 4 * time.Minute
)

// ProbeInput is the input of ProbeUtility and of its activity.
type ProbeInput struct {
	// Utility is the utility's id.
	Utility string `json:"utility"`
}

// ProbeUtility looks at a utility's login page from where logins come from, a worker's own browser, and returns which fields
// of the utility's file stand on it. Nothing is typed and nothing is sent. It fails with an application error of type
// ErrTypeUnknownUtility or ErrTypeSiteUnavailable, or with a time-out where no worker has a free window.
func ProbeUtility(ctx workflow.Context, in ProbeInput) ([]meterkey.ProbedField, error) {
	var fields []meterkey.ProbedField
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, probeOptions(in)), ActivityProbe, in).Get(ctx, &fields)
	return fields, err
}

// probeOptions: the start of a window and one late page. Somebody waits for the answer, so that a window has to be free soon.
func probeOptions(in ProbeInput) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              SignInTaskQueue,
		ScheduleToStartTimeout: time.Minute,
		ScheduleToCloseTimeout: ProbeTimeout - 30*time.Second,
		StartToCloseTimeout:    90 * time.Second,
		HeartbeatTimeout:       HeartbeatTimeout,
		WaitForCancellation:    true, // the window is closed by then
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: retryInterval, MaximumAttempts: 2},
		Summary:                "Look at the login page of " + in.Utility,
	}
}
