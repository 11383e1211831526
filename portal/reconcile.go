package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

const (
	// terminatedEvery is how often a portal asks Temporal which runs were ended without their own doing.
	terminatedEvery = 10 * time.Second
	// visibilityLag is how late Temporal's list may show that a run has ended, and how far its clock may be from ours.
	visibilityLag = time.Minute
	// deletedEvery is how often a portal looks whether Temporal still has all that the database takes for open.
	deletedEvery = 5 * time.Minute
	// comparedAtOnce is how many requests one question to Temporal names.
	comparedAtOnce = 100
	// ofDataRequests narrows one of Temporal's lists to our runs.
	ofDataRequests = "WorkflowType = '" + meterkey.WorkflowType + "'"
)

// reconcile records, until ctx ends, how requests have ended whose workflow cannot: an operator terminated or deleted the
// run, or Temporal ended it. Several portals may do so at once.
func (p *portal) reconcile(ctx context.Context) error {
	terminated, deleted := time.NewTicker(terminatedEvery), time.NewTicker(deletedEvery)
	defer terminated.Stop()
	defer deleted.Stop()
	looked := time.Now()
	err := p.compareOpen(ctx) // what happened while no portal looked
	for {
		if err != nil && ctx.Err() == nil {
			p.log.Warn("reconciling with Temporal", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case now := <-terminated.C:
			if err = p.findTerminated(ctx, looked.Add(-visibilityLag)); err == nil {
				looked = now
			}
		case <-deleted.C:
			err = p.compareOpen(ctx)
		}
	}
}

// findTerminated looks at the requests that had a run ended since then without its own doing.
func (p *portal) findTerminated(ctx context.Context, since time.Time) error {
	ids, err := p.listRequests(ctx, fmt.Sprintf("ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed') AND CloseTime > '%s'",
		since.UTC().Format(time.RFC3339Nano)))
	for _, id := range ids {
		err = errors.Join(err, p.reconcileRequest(ctx, id))
	}
	return err
}

// compareOpen looks at all requests that the database takes for open and that have no run. Where Temporal has no request at
// all, that is because this is another namespace, or its database was lost: what comes of that is for operators to say.
func (p *portal) compareOpen(ctx context.Context) error {
	all, err := p.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: ofDataRequests})
	if err != nil || all.GetCount() == 0 {
		return err
	}
	var failed error
	for after := ""; ; {
		open, err := p.store.OpenRequests(ctx, after, comparedAtOnce)
		if err != nil || len(open) == 0 {
			return errors.Join(failed, err)
		}
		after = open[len(open)-1]
		running, err := p.running(ctx, open)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, id := range open {
			if !running[id] {
				failed = errors.Join(failed, p.reconcileRequest(ctx, id))
			}
		}
	}
}

// running tells which of the requests have a run that goes on.
func (p *portal) running(ctx context.Context, ids []string) (map[string]bool, error) {
	named := make([]string, len(ids))
	for i, id := range ids {
		named[i] = "'" + meterkey.WorkflowID(id) + "'" // the ids' alphabet has nothing to quote
	}
	found, err := p.listRequests(ctx, "ExecutionStatus = 'Running' AND WorkflowId IN ("+strings.Join(named, ", ")+")")
	running := make(map[string]bool, len(found))
	for _, id := range found {
		running[id] = true
	}
	return running, err
}

// listRequests lists the ids of data requests whose runs match a query in Temporal's list syntax.
func (p *portal) listRequests(ctx context.Context, query string) (ids []string, err error) {
	ask := workflowservice.ListWorkflowExecutionsRequest{Query: ofDataRequests + " AND " + query}
	for {
		answer, err := p.temporal.ListWorkflow(ctx, &ask)
		if err != nil {
			return ids, fmt.Errorf("listing runs: %w", err)
		}
		for _, run := range answer.GetExecutions() {
			ids = append(ids, strings.TrimPrefix(run.GetExecution().GetWorkflowId(), meterkey.WorkflowID("")))
		}
		if ask.NextPageToken = answer.GetNextPageToken(); len(ask.NextPageToken) == 0 {
			return ids, nil
		}
	}
}

// reconcileRequest records that a request has ended if its latest run was ended without its own doing, or is gone. Which
// run the database knows of is read before Temporal is asked, so that a request that is sent again meanwhile is left alone.
func (p *portal) reconcileRequest(ctx context.Context, id string) error {
	row, err := p.store.RequestByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.Status.Terminal() {
		return nil
	}
	if err != nil {
		return err
	}
	at, ended, err := p.endedWithoutAWord(ctx, row)
	if err != nil || !ended {
		return err
	}
	published, err := p.store.RecordTerminated(ctx, id, row.RunID, at)
	if err != nil {
		return err
	}
	p.log.Warn("the run of a request was terminated or deleted", zap.String("request_id", id), zap.String("run_id", row.RunID))
	p.webhooks.Announce(ctx, published)
	return nil
}

// endedWithoutAWord tells whether, and when, a request's latest run ended without recording so. A request without a run
// whose workflow was never seen is about to be started.
func (p *portal) endedWithoutAWord(ctx context.Context, row store.Request) (at time.Time, ended bool, err error) {
	described, err := p.temporal.DescribeWorkflowExecution(ctx, meterkey.WorkflowID(row.UID), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return time.Now(), row.RunID != "", nil
	}
	if err != nil {
		return at, false, fmt.Errorf("looking at the run of %s: %w", row.UID, err)
	}
	run := described.GetWorkflowExecutionInfo()
	switch run.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		return run.GetCloseTime().AsTime(), true, nil
	default:
		return at, false, nil
	}
}
