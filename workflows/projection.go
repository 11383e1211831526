package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// Whatever causes a status also records it for lists, reports and webhooks: Login, SubmitCode, ResendCode and
// FetchMeterList record the status that they work in and the one that their result leads to, Notify the one that it tells
// of. Record is for what is left, such as after a database that was down. A newer revision never waits for an older one: in
// the database the newest wins.

// projection is what is recorded of the request as it stands now.
func (r *runner) projection(ctx workflow.Context) meterkey.Projection {
	return meterkey.Projection{Request: r.request, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID, State: r.State}
}

// recordedBy notes that an activity which has just been scheduled records this state.
func (r *runner) recordedBy(t Task) { r.recording = max(r.recording, t.State().Revision) }

// recordedAs notes whether an activity could record a revision. Where it could not, keepRecorded does.
func (r *runner) recordedAs(revision int, done bool) {
	if done {
		r.recording, r.recorded = max(r.recording, revision), max(r.recorded, revision)
		return
	}
	r.recording = min(r.recording, revision-1)
}

// keepRecorded has recorded what nobody else records.
func (r *runner) keepRecorded(ctx workflow.Context) {
	stopEarlier := func() {}
	for {
		if workflow.Await(ctx, func() bool { return r.recording < r.State.Revision }) != nil {
			return
		}
		stopEarlier()
		var attempt workflow.Context
		attempt, stopEarlier = workflow.WithCancel(ctx)
		p := r.projection(ctx)
		r.recording = p.State.Revision
		recorded := workflow.ExecuteActivity(workflow.WithActivityOptions(attempt, recordOptions(p)), ActivityRecord, p)
		workflow.GoNamed(ctx, "recorded", func(ctx workflow.Context) {
			err := recorded.Get(ctx, nil)
			if attempt.Err() != nil {
				return // a newer one is under way
			}
			if err != nil {
				workflow.GetLogger(ctx).Error("state not recorded", "request_id", r.request.RequestID, "revision", p.State.Revision, "error", err)
			}
			r.recorded = max(r.recorded, p.State.Revision) // or given up: the run must close
		})
	}
}
