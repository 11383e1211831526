package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sandbox/devenv"
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
	server   *devenv.Temporal
	temporal client.Client
	run      client.WorkflowRun
	done     chan step
}

// newTemporal starts a server whose polls last two seconds at most.
func newTemporal(t *testing.T) (*devenv.Temporal, client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := devenv.StartTemporal(ctx, devenv.TemporalOptions{Dir: t.TempDir(), Settings: []string{`matching.longPollExpirationInterval="2s"`}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	c, err := client.DialContext(ctx, client.Options{HostPort: server.Address(), Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return server, c
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, done: make(chan step, 1)}
	f.server, f.temporal = newTemporal(t)
	beside := worker.New(f.temporal, workflows.WindowTaskQueue(windowHost), worker.Options{DisableWorkflowWorker: true})
	beside.RegisterActivityWithOptions(func(s step) error { f.done <- s; return nil }, activity.RegisterOptions{Name: windowActivity})
	require.NoError(t, beside.Start())
	t.Cleanup(beside.Stop)
	var err error
	f.run, err = f.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
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

// settle does steps until they are a build's: the server may give one or two more to a build that has the run in its memory.
func (f *fleet) settle(build int) {
	f.t.Helper()
	did := f.next()
	for tries := 1; tries < 10 && did != (step{build, build}); tries++ {
		did = f.next()
	}
	require.Equal(f.t, step{build, build}, did)
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

// What docs/upgrading.md tells operators.
const (
	goBackCommand = "temporal worker deployment set-current-version --deployment-name meterkey --build-id %d --yes"
	ranOnQuery    = "TemporalWorkerDeploymentVersion = 'meterkey:%d'"
)

func (f *fleet) goBack(build int) {
	f.t.Helper()
	tool, err := devenv.FindTemporal("")
	require.NoError(f.t, err)
	args := strings.Fields(fmt.Sprintf(goBackCommand, build))[1:]
	args = append(args, "--address", f.server.Address())
	said, err := exec.CommandContext(f.t.Context(), tool, args...).CombinedOutput()
	require.NoError(f.t, err, string(said))
}

// awaitFound waits until the run is found by the build that ran its last task.
func (f *fleet) awaitFound(build int) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		found, err := f.temporal.CountWorkflow(f.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: fmt.Sprintf(ranOnQuery, build)})
		return err == nil && found.GetCount() == 1
	}, patience, 50*time.Millisecond)
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
	f.settle(2) // although the older build still works

	f.awaitFound(2)
	f.goBack(1)
	f.settle(1)
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
	f.settle(2)
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
