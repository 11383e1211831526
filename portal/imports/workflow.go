package imports

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// WorkflowType is the name under which the workflow that sends an import is registered.
	WorkflowType = "SendImport"
	// TaskQueue serves it; portals work on it.
	TaskQueue = "imports"

	// ActivitySendRows takes an Input, sends the next rows, and returns Counts.
	ActivitySendRows = "SendImportRows"

	// QueryProgress answers with Progress.
	QueryProgress = "progress"

	// The updates. Each is answered with Progress; one that asks for what is so already changes nothing.
	UpdatePause  = "pause"
	UpdateResume = "resume"
	UpdateStop   = "stop"
)

// WorkflowID is the workflow id of an import.
func WorkflowID(importUID string) string { return "import-" + importUID }

// Input names the import. Its rows stay in the database.
type Input struct {
	ImportUID string `json:"import_uid"`
	Requester string `json:"requester"`
	// AlsoOpen sends another request to customers who have an open one.
	AlsoOpen bool `json:"also_open,omitempty"`
}

// State is where the sending of an import stands.
type State string

// The states. Stopped and Done are the last ones.
const (
	Sending State = "sending"
	Paused  State = "paused"
	Stopped State = "stopped" // the rows that are left are not sent
	Done    State = "done"
)

// Open tells whether there may be more to send.
func (s State) Open() bool { return s == Sending || s == Paused }

// Counts are an import's rows, without those that are not to be sent. All are 0 until the first batch has ended.
type Counts struct {
	Rows   int `json:"rows"`
	Sent   int `json:"sent"`
	Failed int `json:"failed"`
}

// Left is how many rows are still to be sent.
func (c Counts) Left() int { return c.Rows - c.Sent - c.Failed }

// Progress is how far the sending of an import is.
type Progress struct {
	State State `json:"state"`
	Counts
}

// SendImport is the workflow that sends the rows of an import, batch by batch. Continued is where the run before it ended.
func SendImport(ctx workflow.Context, in Input, continued *Progress) (Progress, error) {
	s := &sending{input: in, Progress: Progress{State: Sending}}
	if continued != nil {
		s.Progress = *continued
	}
	if err := s.answer(ctx); err != nil {
		return s.Progress, err
	}
	return s.Progress, s.run(ctx)
}

// sending is a run of SendImport.
type sending struct {
	Progress
	input Input
}

// answer answers the query and takes the updates.
func (s *sending) answer(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetQueryHandler(ctx, QueryProgress, func() (Progress, error) { return s.Progress, nil }),
		s.take(ctx, UpdatePause, Paused), s.take(ctx, UpdateResume, Sending), s.take(ctx, UpdateStop, Stopped))
}

func (s *sending) take(ctx workflow.Context, update string, state State) error {
	return workflow.SetUpdateHandler(ctx, update, func(ctx workflow.Context) (Progress, error) {
		s.enter(ctx, state)
		return s.Progress, nil
	})
}

// enter goes on to a state, unless one of the last ones has been reached, and tells operators.
func (s *sending) enter(ctx workflow.Context, state State) {
	if s.State.Open() {
		s.State = state
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**: %d rows, %d sent, %d refused", s.State, s.Rows, s.Sent, s.Failed))
}

func (s *sending) run(ctx workflow.Context) error {
	s.enter(ctx, s.State)
	for s.State.Open() {
		var err error
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			err = workflow.NewContinueAsNewError(ctx, WorkflowType, s.input, s.Progress)
		case s.State == Paused:
			err = s.awaitResume(ctx)
		default:
			err = s.sendBatch(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pauseLimit is how long a pause may last: files are forgotten after that.
const pauseLimit = 30 * 24 * time.Hour

func (s *sending) awaitResume(ctx workflow.Context) error {
	resumed, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: pauseLimit,
		TimerOptions: workflow.TimerOptions{Summary: "The pause lasts until then"}}, func() bool { return s.State != Paused })
	if err == nil && !resumed {
		s.enter(ctx, Stopped)
	}
	return err
}

// sendBatch sends the next rows; a pause or a stop cuts it short, and waits until it has ended.
func (s *sending) sendBatch(ctx workflow.Context) error {
	batch, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, batchOptions()))
	defer cancel()
	sent := workflow.ExecuteActivity(batch, ActivitySendRows, s.input)
	// Cancellation of the workflow ends the waiting and the batch alike.
	_ = workflow.Await(ctx, func() bool { return sent.IsReady() || s.State != Sending })
	cancel()
	err := sent.Get(ctx, &s.Counts)
	switch {
	case temporal.IsCanceledError(err):
		return nil // it was waiting for its next attempt
	case err != nil:
		return fmt.Errorf("sending rows: %w", err)
	case s.Left() == 0:
		s.enter(ctx, Done)
	default:
		s.enter(ctx, s.State)
	}
	return nil
}

// batchOptions: what the database or Temporal do not take is tried until they do. Another portal goes on where one
// died within the heartbeat time-out, which is longer than one row may take.
func batchOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: batchRows * 2 * rowTimeout,
		HeartbeatTimeout:    rowTimeout * 3 / 2,
		WaitForCancellation: true,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 30 * time.Second},
		Summary:             "Send the next rows",
	}
}
