package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

type probeCmd struct {
	Utility string `arg:"" help:"The utility."`
}

// Help is the command's longer help.
func (probeCmd) Help() string {
	return `Has a worker open the utility's login page in its own browser, where logins come from, and says which of the file's fields stand
on it. Nothing is typed and nothing is sent, so that fields of a later page count as missing. The worker's file counts, and its
MK_ORIGINS. Takes four minutes at most.

  starter probe CONED
  starter probe CONED -o json`
}

// Run has the page looked at.
func (c *probeCmd) Run(ctx context.Context, a *app) error {
	u, err := findUtility(c.Utility)
	if err != nil {
		return err
	}
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	a.progress("Opening the login page of "+u.Name, 0)
	fields, err := b.probe(ctx, u.ID)
	a.progress("", 0)
	if err != nil {
		return probeFailed(u.ID, err)
	}
	return a.showFields(u, fields)
}

// probe has a worker look at a login page. sdk.ErrNoWorker when none begins to within the time-out.
func (b *backend) probe(ctx context.Context, utility string) ([]meterkey.ProbedField, error) {
	var run client.WorkflowRun
	err := b.call(ctx, func(ctx context.Context) (err error) {
		run, err = b.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID: "probe-" + utility + "-" + strings.ToLower(rand.Text()[:8]), TaskQueue: meterkey.TaskQueue,
			WorkflowExecutionTimeout: workflows.ProbeTimeout, WorkflowTaskTimeout: sdk.TaskTimeout, StaticSummary: "Login page of " + utility,
		}, workflows.ProbeUtilityWorkflowType, workflows.ProbeInput{Utility: utility})
		return err
	})
	if err != nil {
		return nil, err
	}
	fields, err := b.probed(ctx, run)
	if ctx.Err() != nil || errors.Is(err, sdk.ErrNoWorker) {
		return nil, errors.Join(err, b.callOff(ctx, run))
	}
	return fields, err
}

// probed waits for what was found.
func (b *backend) probed(ctx context.Context, run client.WorkflowRun) (fields []meterkey.ProbedField, err error) {
	err = b.call(ctx, func(ctx context.Context) error { return run.Get(ctx, &fields) })
	if ctx.Err() != nil || !unreachable(err) {
		return fields, err
	}
	err = b.call(ctx, func(ctx context.Context) error { return b.begun(ctx, run) })
	if err == nil {
		err = run.Get(ctx, &fields)
	}
	return fields, err
}

// begun tells whether a worker has a run in hand.
func (b *backend) begun(ctx context.Context, run client.WorkflowRun) error {
	described, err := b.temporal.DescribeWorkflowExecution(ctx, run.GetID(), run.GetRunID())
	if err != nil {
		return err
	}
	if described.GetPendingWorkflowTask().GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED {
		return sdk.ErrNoWorker
	}
	return nil
}

// callOff cancels a run whose answer nobody waits for any more, after Ctrl-C too.
func (b *backend) callOff(ctx context.Context, run client.WorkflowRun) error {
	return b.call(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return b.temporal.CancelWorkflow(ctx, run.GetID(), run.GetRunID())
	})
}

// probeFailed tells what to do about a probe that failed.
func probeFailed(utility string, err error) error {
	var said *temporal.ApplicationError
	var late *temporal.TimeoutError
	switch {
	case errors.Is(err, sdk.ErrNoWorker):
		return &failure{exitUnreachable, fmt.Sprintf("probing %s: %s", utility, err), "is a worker running?"}
	case errors.As(err, &said) && said.Type() == workflows.ErrTypeUnknownUtility:
		return badInput("the workers: "+said.Message(), "give them this MK_UTILITIES_DIR and restart them")
	case errors.As(err, &said):
		return &failure{exitUnexpected, fmt.Sprintf("probing %s: %s", utility, said.Message()), ""}
	case errors.As(err, &late):
		return &failure{exitUnreachable, fmt.Sprintf("probing %s: no worker with a free browser window answered in time", utility),
			"docs/operating.md tells how many windows a worker has"}
	}
	return err
}

func (a *app) showFields(u *utilities.Utility, fields []meterkey.ProbedField) error {
	rows, there := [][]string{}, 0
	for _, f := range fields {
		mark := a.out.in(red, "missing")
		if f.Found {
			there++
			mark = a.out.in(green, "found")
		}
		rows = append(rows, []string{f.Field, mark, oneLine(f.Selector)})
	}
	if a.json {
		a.out.json(fields)
	} else {
		a.out.table([]string{"FIELD", "", "LOOKED FOR"}, rows)
	}
	switch {
	case there == 0:
		return &failure{exitUnexpected, "no field of " + u.ID + " is on its login page", "mend " + u.File}
	case there < len(fields):
		a.side.linef("Fields that come after the user name was sent cannot be found by looking.")
	}
	return nil
}
