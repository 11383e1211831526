package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// The example of docs/upgrading.md: TestUpgrading_ShowsThisCode holds the two together.

func tellUpToRelease7(ctx workflow.Context) error {
	if err := workflow.ExecuteActivity(ctx, "Mail").Get(ctx, nil); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "read").Receive(ctx, nil)
	return workflow.ExecuteActivity(ctx, "File").Get(ctx, nil)
}

func tellFromRelease8(ctx workflow.Context) error {
	if workflow.GetVersion(ctx, "text-message", workflow.DefaultVersion, 1) >= 1 {
		if err := workflow.ExecuteActivity(ctx, "Text").Get(ctx, nil); err != nil {
			return err
		}
	}
	if err := workflow.ExecuteActivity(ctx, "Mail").Get(ctx, nil); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "read").Receive(ctx, nil)
	return workflow.ExecuteActivity(ctx, "File").Get(ctx, nil)
}

// release is a build of the example: its workflow, and its list of changes.
type release struct {
	tell   func(workflow.Context) error
	listed map[string]workflow.Version
}

var (
	release7 = release{tell: tellUpToRelease7}
	release8 = release{tell: tellFromRelease8, listed: map[string]workflow.Version{
		"text-message": workflow.DefaultVersion,
	}}
	release9 = release{tell: tellFromRelease8}
)

// example is a server and a run of the example, which releases come to.
type example struct {
	*testing.T
	temporal client.Client
	run      client.WorkflowRun
	mailed   chan struct{}
}

const tellType = "Tell"

// start starts a worker of the release.
func (e *example) start(r release) (stop func()) {
	e.Helper()
	w := worker.New(e.temporal, meterkey.TaskQueue, requestOptions(0, r.listed, nil))
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		return r.tell(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: patience}))
	}, workflow.RegisterOptions{Name: tellType})
	for name, do := range map[string]func() error{
		"Text": func() error { return nil },
		"Mail": func() error { e.mailed <- struct{}{}; return nil },
		"File": func() error { return nil },
	} {
		w.RegisterActivityWithOptions(do, activity.RegisterOptions{Name: name})
	}
	require.NoError(e, w.Start())
	e.Cleanup(w.Stop)
	return w.Stop
}

// history is the run's.
func (e *example) history() (activities []string, blocked bool) {
	e.Helper()
	events := e.temporal.GetWorkflowHistory(e.Context(), e.run.GetID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(e, err)
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled != nil {
			activities = append(activities, scheduled.GetActivityType().GetName())
		}
		failed := event.GetWorkflowTaskFailedEventAttributes()
		blocked = blocked || failed.GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
	}
	return activities, blocked
}

// TestUpgrading deploys and goes back: a run of one release goes on in another.
func TestUpgrading(t *testing.T) {
	t.Parallel()
	_, temporal := newTemporal(t)
	for _, test := range []struct {
		name        string
		first, then release
		did         string
		blocked     bool
	}{
		{"7, then 8", release7, release8, "Mail, File", false},
		{"7, then 9", release7, release9, "Mail, File", false},
		{"8, back to 7", release8, release7, "Mail, File", false},
		{"8, then 9", release8, release9, "Mail, File", false},
		{"9, back to 8", release9, release8, "Text, Mail, File", false},
		{"the change in one release: 9, back to 7", release9, release7, "Text, Mail, File", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := &example{T: t, temporal: temporal, mailed: make(chan struct{}, 1)}
			stop := e.start(test.first)
			var err error
			e.run, err = temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
				TaskQueue: meterkey.TaskQueue, WorkflowTaskTimeout: sdk.TaskTimeout}, tellType)
			require.NoError(t, err)
			receive(t, e.mailed)
			stop()
			require.NoError(t, temporal.SignalWorkflow(t.Context(), e.run.GetID(), "", "read", nil))
			stop = e.start(test.then)
			if test.blocked {
				require.Eventually(t, func() bool { _, blocked := e.history(); return blocked }, patience, 50*time.Millisecond)
				stop()
				e.start(test.first)
			}
			require.NoError(t, e.run.Get(t.Context(), nil))
			did, blocked := e.history()
			require.Equal(t, test.did, strings.Join(did, ", "))
			require.Equal(t, test.blocked, blocked)
		})
	}
}

// TestUpgrading_ShowsThisCode: what docs/upgrading.md shows stands in this file.
func TestUpgrading_ShowsThisCode(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/upgrading.md")
	require.NoError(t, err)
	code, err := os.ReadFile("upgrading_test.go")
	require.NoError(t, err)
	shown := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(doc, -1)
	require.Len(t, shown, 3)
	for _, block := range shown {
		require.Contains(t, string(code), string(block[1]))
	}
	for _, said := range []string{fmt.Sprintf(goBackCommand, 41), fmt.Sprintf(ranOnQuery, 42), isCurrent, notPromoted, noPollers} {
		require.Contains(t, string(doc), said)
	}
}
