package sdk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/meterkey/meterkey"
)

// lookAgain is how soon Follow asks again where no answer came, and looks for the run after one that has ended.
const lookAgain = time.Second

// Follow tells where the request stands: now, and each time that it has changed, until ctx ends. Changes that come faster
// than they are fetched are told as one. It hears of them on one stream of the request's history, which it opens again
// where it breaks, and goes on with the run that follows upon the present one, a resend after the end included. That no
// worker answers (ErrNoWorker), or Temporal does not, is told and followed by more; any other error is the last.
func (c *Client) Follow(ctx context.Context, requestID string) iter.Seq2[meterkey.State, error] {
	return func(yield func(meterkey.State, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		h := c.newHistory(requestID)
		h.findRun(ctx) // what has happened in it so far is in the first state
		for t := (teller{yield: yield}); ; {
			state, err := c.State(ctx, requestID)
			if ctx.Err() != nil || !t.tell(state, err) {
				return
			}
			h.listen(ctx)
			h.awaitChange(ctx, err != nil)
		}
	}
}

// teller tells states apart and passes on those that are news.
type teller struct {
	yield func(meterkey.State, error) bool
	told  *meterkey.State // the last one, unless an error was told since
}

// tell is false once nothing more is to be told.
func (t *teller) tell(state meterkey.State, err error) bool {
	switch {
	case err != nil:
		t.told = nil
		return t.yield(meterkey.State{}, err) && passing(err)
	case t.told != nil && !t.told.Differs(state):
		return true
	}
	t.told = &state
	return t.yield(state, nil)
}

// passing tells whether an error may be gone when asked again.
func passing(err error) bool {
	var unavailable *serviceerror.Unavailable
	return errors.Is(err, ErrNoWorker) || errors.As(err, &unavailable)
}

// Wait returns the state as soon as it satisfies done, following the request. Its error is ctx's, or the first one that
// waiting cannot mend.
func (c *Client) Wait(ctx context.Context, requestID string, done func(meterkey.State) bool) (meterkey.State, error) {
	var last meterkey.State
	for state, err := range c.Follow(ctx, requestID) {
		switch {
		case err != nil && !passing(err):
			return last, err
		case err == nil && done(state):
			return state, nil
		case err == nil:
			last = state
		}
	}
	if last.Status == "" {
		return last, fmt.Errorf("waiting for %s: %w", requestID, ctx.Err())
	}
	return last, fmt.Errorf("waiting for %s, last seen %s: %w", requestID, last.Status, ctx.Err())
}

// history reads the events of a request's latest run, and of those that follow.
type history struct {
	*Client
	workflowID string
	run        string
	seen       int64 // the last event of the run that is known
	changed    chan struct{}
	listening  bool
}

func (c *Client) newHistory(requestID string) *history {
	return &history{Client: c, workflowID: meterkey.WorkflowID(requestID), changed: make(chan struct{}, 1)}
}

// findRun tells whether the latest run is another one than that which is read. What has happened in it so far counts as
// seen. That there is no run at all is a change too.
func (h *history) findRun(ctx context.Context) bool {
	described, err := h.temporal.DescribeWorkflowExecution(ctx, h.workflowID, "")
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		h.change()
	}
	info := described.GetWorkflowExecutionInfo()
	if err != nil || info.GetExecution().GetRunId() == h.run {
		return false
	}
	h.run, h.seen = info.GetExecution().GetRunId(), info.GetHistoryLength()
	return true
}

// listen begins to read, once.
func (h *history) listen(ctx context.Context) {
	if !h.listening {
		h.listening = true
		go h.read(ctx)
	}
}

// read reads one run after the other, until ctx ends.
func (h *history) read(ctx context.Context) {
	for ended := h.run == ""; ctx.Err() == nil; {
		if !ended {
			ended = h.readRun(ctx)
		}
		if h.findRun(ctx) {
			ended = false
			h.change()
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// readRun reads until the run has ended, or the connection is lost: then ended is false.
func (h *history) readRun(ctx context.Context) (ended bool) {
	events := h.temporal.GetWorkflowHistory(ctx, h.workflowID, h.run, true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return false
		}
		if event.GetEventId() > h.seen {
			h.seen = event.GetEventId()
			h.hear(event.GetEventType())
		}
	}
	return true
}

// hear takes in an event. A state changes in a workflow task alone, or when the run is ended from outside.
func (h *history) hear(event enumspb.EventType) {
	switch event {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		h.change()
	default:
	}
}

// change tells that there may be another state. Several changes may be told as one.
func (h *history) change() {
	select {
	case h.changed <- struct{}{}:
	default: // told already, not heard yet
	}
}

// awaitChange waits for a change or, where no answer came, until it is time to ask again.
func (h *history) awaitChange(ctx context.Context, unanswered bool) {
	var again <-chan time.Time
	if unanswered {
		again = time.After(lookAgain)
	}
	select {
	case <-ctx.Done():
	case <-h.changed:
	case <-again:
	}
}
