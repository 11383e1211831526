package main

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

const (
	stepsType, stepSignal, stepActivity = "Steps", "step", "Step"
	windowActivity, windowHost          = "Window", "host"
)

// step is what the workflow of these tests does at each signal: the build that decided on it, and the build whose activity
// answered.
type step struct{ Decided, Answered int }

// steps is that workflow, as a build has it. Its second activity is a window's.
func steps(build int) func(workflow.Context) error {
	return func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: patience})
		for {
			workflow.GetSignalChannel(ctx, stepSignal).Receive(ctx, nil)
			s := step{Decided: build}
			if err := workflow.ExecuteActivity(ctx, stepActivity).Get(ctx, &s.Answered); err != nil {
				return err
			}
			window := workflow.WithTaskQueue(ctx, workflows.WindowTaskQueue(windowHost))
			if err := workflow.ExecuteActivity(window, windowActivity, s).Get(ctx, nil); err != nil {
				return err
			}
		}
	}
}

// fleet is a server, a run that does steps, and a worker beside a window. Builds come and go.
type fleet struct {
	t        *testing.T
	server   *stack.Temporal
	temporal client.Client
	run      client.WorkflowRun
	done     chan step
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f := &fleet{t: t, done: make(chan step, 1)}
	var err error
	f.server, err = stack.StartTemporal(ctx, stack.TemporalOptions{Dir: t.TempDir(), Settings: []string{`matching.longPollExpirationInterval="2s"`}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.server.Stop(context.Background())) })
	f.temporal, err = client.DialContext(ctx, client.Options{HostPort: f.server.Address(), Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(f.temporal.Close)
	beside := worker.New(f.temporal, workflows.WindowTaskQueue(windowHost), worker.Options{DisableWorkflowWorker: true})
	beside.RegisterActivityWithOptions(func(s step) error { f.done <- s; return nil }, activity.RegisterOptions{Name: windowActivity})
	require.NoError(t, beside.Start())
	t.Cleanup(beside.Stop)
	f.run, err = f.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		TaskQueue: meterkey.TaskQueue, WorkflowTaskTimeout: sdk.TaskTimeout}, stepsType)
	require.NoError(t, err)
	return f
}

// start starts a worker of data-requests that has this build's workflow. stop drains it.
func (f *fleet) start(build int, o worker.Options) (stop func()) {
	f.t.Helper()
	w := worker.New(f.temporal, meterkey.TaskQueue, o)
	w.RegisterWorkflowWithOptions(steps(build), workflow.RegisterOptions{Name: stepsType})
	w.RegisterActivityWithOptions(func() (int, error) { return build, nil }, activity.RegisterOptions{Name: stepActivity})
	require.NoError(f.t, w.Start())
	f.t.Cleanup(w.Stop)
	return w.Stop
}

// deploy starts a worker that is versioned, and follows the deployment as such a worker does, in less time.
func (f *fleet) deploy(build int) (log *logged, stop func()) {
	f.t.Helper()
	leave := f.start(build, requestOptions(build, nil, nil))
	log = &logged{}
	written, err := logging.New(log, "info", logging.JSON)
	require.NoError(f.t, err)
	d := newDeployment(f.temporal, build, written)
	d.watchEvery, d.pollLimit = 200*time.Millisecond, 10*time.Second
	unfollow := d.follow(f.t.Context())
	f.t.Cleanup(unfollow)
	return log, func() { leave(); unfollow() }
}

// next has the run do a step.
func (f *fleet) next() step {
	f.t.Helper()
	f.signal()
	return f.await()
}

func (f *fleet) signal() {
	f.t.Helper()
	require.NoError(f.t, f.temporal.SignalWorkflow(f.t.Context(), f.run.GetID(), "", stepSignal, nil))
}

func (f *fleet) await() step {
	f.t.Helper()
	select {
	case s := <-f.done:
		return s
	case <-time.After(patience):
		require.Fail(f.t, "nobody did the step")
		return step{}
	}
}

// goBack does what docs/upgrading.md tells operators.
func (f *fleet) goBack(build int) {
	f.t.Helper()
	tool, err := stack.FindTemporal("")
	require.NoError(f.t, err)
	said, err := exec.CommandContext(f.t.Context(), tool, "worker", "deployment", "set-current-version", "--address", f.server.Address(),
		"--deployment-name", deploymentName, "--build-id", strconv.Itoa(build), "--yes").CombinedOutput()
	require.NoError(f.t, err, string(said))
}

func (f *fleet) current() string {
	f.t.Helper()
	known, err := f.temporal.WorkerDeploymentClient().GetHandle(deploymentName).Describe(f.t.Context(), client.WorkerDeploymentDescribeOptions{})
	require.NoError(f.t, err)
	return currentBuild(known.Info)
}

func (f *fleet) lastPoll() poll {
	f.t.Helper()
	queue, err := f.temporal.DescribeTaskQueue(f.t.Context(), meterkey.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	require.NoError(f.t, err)
	return lastPoll(queue)
}

const isCurrent, notPromoted, noPollers = "build is current", "build not promoted", "current build has no pollers"

func TestDeploy_WithoutVersions(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	stop := f.start(1, requestOptions(0, nil, nil))
	require.Equal(t, step{1, 1}, f.next())
	for _, build := range []int{2, 1} { // on, and back again
		stop()
		f.signal() // nobody is there, and the run waits
		stop = f.start(build, requestOptions(0, nil, nil))
		require.Equal(t, step{build, build}, f.await())
	}
}

func TestDeploy_WithVersions(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	log, _ := f.deploy(1)
	log.await(t, isCurrent, map[string]any{"build": 1.0})
	require.Equal(t, step{1, 1}, f.next())
	log, stop := f.deploy(2)
	log.await(t, isCurrent, map[string]any{"build": 2.0})
	require.Equal(t, step{2, 2}, f.next(), "the run goes on where the older build still works")

	f.goBack(1)
	require.Equal(t, step{1, 1}, f.next())
	stop()
	log, _ = f.deploy(2)
	log.await(t, notPromoted, map[string]any{"reason": "it was current before, and somebody went back from it", "current_build": "1"})
	require.Equal(t, step{1, 1}, f.next(), "a restart does not undo what the operator did")
}

func TestDeploy_PromotesUpwardsOnly(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	log, _ := f.deploy(10)
	log.await(t, isCurrent, nil)
	log, _ = f.deploy(9)
	log.await(t, notPromoted, map[string]any{"level": "warn", "reason": "the current build is not an older one", "current_build": "10"})
	require.Equal(t, step{10, 10}, f.next())

	f.deploy(11)
	log, _ = f.deploy(12)
	log.await(t, isCurrent, nil)
	require.Equal(t, "12", f.current(), "of two at once the newer one")
}

func TestDeploy_DeadCurrentBuild(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	older, _ := f.deploy(1)
	older.await(t, isCurrent, nil)
	log, stop := f.deploy(2)
	log.await(t, isCurrent, nil)
	require.Equal(t, step{2, 2}, f.next())
	polled := f.lastPoll()
	require.Equal(t, "2", polled.build)
	require.Eventually(t, func() bool { return f.lastPoll().at.After(polled.at) }, patience, 50*time.Millisecond, "it is seen to live")
	require.Nil(t, find(older.String(), noPollers, nil))
	stop()
	f.signal() // nobody may do it
	older.await(t, noPollers, map[string]any{"level": "error", "deployment": deploymentName, "build": 1.0, "current_build": "2",
		"task_queue": meterkey.TaskQueue})
	f.goBack(1)
	require.Equal(t, step{1, 1}, f.await())
}
