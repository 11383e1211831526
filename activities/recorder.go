package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// recordWithin bounds the recording of what an activity leads to: a database that is slow holds up nobody's login. What
	// it did not take in time, the workflow has recorded by Record.
	recordWithin = 2 * time.Second
	// recordAgain is how soon the status that an activity works in is tried again.
	recordAgain = time.Second
)

// Recorder keeps data requests in the database and has the webhooks of what is new delivered. The database takes a
// projection only if it is newer than the one it has, so they may come late, twice and side by side.
type Recorder struct {
	Store interface {
		Record(ctx context.Context, p meterkey.Projection) (store.Published, error)
	}
	Webhooks interface {
		Deliver(ctx context.Context, deliveries ...string)
	}
	Log *zap.Logger
}

// Register registers Record.
func (r *Recorder) Register(w worker.ActivityRegistry) {
	w.RegisterActivityWithOptions(r.Record, activity.RegisterOptions{Name: workflows.ActivityRecord})
}

// Record records a request's state.
func (r *Recorder) Record(ctx context.Context, p meterkey.Projection) error {
	defer beat(ctx)()
	return r.record(ctx, p)
}

// record writes a state, and one structured line of it, without personal data. Lines may come twice; the revision tells. What
// is recorded is not undone when its webhooks cannot be started: the portal's sweep does that later.
func (r *Recorder) record(ctx context.Context, p meterkey.Projection) error {
	published, err := r.Store.Record(ctx, p)
	if err != nil {
		return fmt.Errorf("recording %s: %w", p.Request.RequestID, err)
	}
	r.Webhooks.Deliver(ctx, published.Deliveries...)
	r.Log.Info("data request", zap.String("request_id", p.Request.RequestID), zap.String("run_id", p.RunID),
		zap.String("requester", p.Request.Requester), zap.String("utility", p.State.Utility),
		zap.String("status", string(p.State.Status)), zap.String("reason", string(p.State.Reason)),
		zap.Int("meters", len(p.State.Meters)), zap.Int("revision", p.State.Revision))
	return nil
}

// recorded tells whether a state could be recorded soon.
func (r *Recorder) recorded(ctx context.Context, request meterkey.Request, state meterkey.State) bool {
	bounded, cancel := context.WithTimeout(ctx, recordWithin)
	defer cancel()
	p := meterkey.Projection{Request: request, RunID: activity.GetInfo(ctx).WorkflowExecution.RunID, State: state}
	err := r.record(bounded, p)
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("state left for later", zap.Error(err))
	}
	return err == nil
}

// working records the status that an activity works in, beside its work. Call stop at its end: what follows is newer.
func (r *Recorder) working(ctx context.Context, t workflows.Task) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !r.recorded(ctx, t.Request, t.State()) && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(recordAgain):
			}
		}
	}()
	return func() { cancel(); <-done }
}

// recording runs an activity that causes a status: it records the status that the activity works in, and the one that its
// result leads to.
func (b *BrowserActivities) recording(ctx context.Context, t workflows.Task, work func() (workflows.PageResult, error)) (workflows.PageResult, error) {
	stop := b.Recorder.working(ctx, t)
	f, err := work()
	stop()
	if err != nil || f.Outcome == workflows.OutcomeElsewhere {
		return f, err
	}
	f.At, f.Attempt = b.Now().UTC(), int(activity.GetInfo(ctx).Attempt)
	f.Recorded = b.Recorder.recorded(ctx, t.Request, t.After(f))
	return f, nil
}
