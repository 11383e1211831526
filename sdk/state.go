package sdk

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
)

// lastStateLimit bounds asking a worker where a terminated run stood.
const lastStateLimit = time.Second

// State tells where the request stands. A run that an operator terminated has failed, for the reason Terminated.
// ErrNoWorker when no worker answered; the request is safe then.
func (c *Client) State(ctx context.Context, requestID string) (meterkey.State, error) {
	state, err := c.ask(ctx, requestID)
	var failed *serviceerror.QueryFailed
	if errors.As(err, &failed) {
		// The query itself cannot fail: the worker could not bring the run to the point asked for. It has forgotten what it
		// had in memory by now, and reads the history anew when asked again.
		state, err = c.ask(ctx, requestID)
	}
	return state, wrap("asking for the status of", requestID, err)
}

func (c *Client) ask(ctx context.Context, requestID string) (meterkey.State, error) {
	state, rejected, err := c.query(ctx, requestID, enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY)
	switch rejected {
	case enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED:
		return state, err
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		state, _, err = c.query(ctx, requestID, enumspb.QUERY_REJECT_CONDITION_NONE)
		return state, err
	default:
		return c.terminated(ctx, requestID)
	}
}

// query asks a worker. For a run that has ended as the condition says, it is not asked, and rejected tells how it ended.
func (c *Client) query(ctx context.Context, requestID string, condition enumspb.QueryRejectCondition) (
	state meterkey.State, rejected enumspb.WorkflowExecutionStatus, err error,
) {
	answer, err := c.temporal.QueryWorkflowWithOptions(ctx, &client.QueryWorkflowWithOptionsRequest{
		WorkflowID: meterkey.WorkflowID(requestID), QueryType: meterkey.QueryStatus, QueryRejectCondition: condition,
	})
	switch {
	case err != nil:
	case answer.QueryRejected != nil:
		rejected = answer.QueryRejected.GetStatus()
	default:
		err = answer.QueryResult.Get(&state)
	}
	return state, rejected, err
}

// terminated is what became of a run that was ended from outside. Where it stood a worker knows; where none answers, or the
// run never got as far as answering, what it began with has to do.
func (c *Client) terminated(ctx context.Context, requestID string) (meterkey.State, error) {
	described, err := c.temporal.DescribeWorkflowExecution(ctx, meterkey.WorkflowID(requestID), "")
	if err != nil {
		return meterkey.State{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, lastStateLimit)
	defer cancel()
	last, _, err := c.query(bounded, requestID, enumspb.QUERY_REJECT_CONDITION_NONE)
	if err != nil {
		last, err = c.firstState(ctx, requestID)
	}
	return last.TerminatedAt(described.GetWorkflowExecutionInfo().GetCloseTime().AsTime()), err
}

// firstState is the state that the latest run began with, as far as its history tells without a worker.
func (c *Client) firstState(ctx context.Context, requestID string) (meterkey.State, error) {
	var r meterkey.Request
	var continued struct {
		State meterkey.State `json:"state"`
	}
	input, began, err := c.beginning(ctx, requestID)
	if err != nil {
		return continued.State, err
	}
	if err = c.converter.FromPayloads(input, &r, &continued); continued.State.RequestID != "" {
		return continued.State, err
	}
	return meterkey.State{RequestID: requestID, Requester: r.Requester, Utility: r.Utility, Status: meterkey.AwaitingLogin,
		Meters: []meterkey.Meter{}, LinkedAt: began}, err
}

// beginning reads what the latest run was started with, and when its workflow began.
func (c *Client) beginning(ctx context.Context, requestID string) (input *commonpb.Payloads, began time.Time, err error) {
	events := c.temporal.GetWorkflowHistory(ctx, meterkey.WorkflowID(requestID), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, began, err
		}
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			input = event.GetWorkflowExecutionStartedEventAttributes().GetInput()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			began = event.GetEventTime().AsTime().Truncate(time.Microsecond)
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			return input, began, nil
		default:
		}
	}
	return input, began, nil
}
