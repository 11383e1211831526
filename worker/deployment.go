package main

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
)

const (
	// deploymentName is the Worker Deployment whose versions are our builds.
	deploymentName = "meterkey"
	// promoteEvery is how often a build asks to be promoted until the server knows it, which takes a second or two.
	promoteEvery = 200 * time.Millisecond
	// watchEvery is how often each worker looks whether anybody runs the current build.
	watchEvery = 30 * time.Second
	// pollLimit is how long a build may go without polling before it counts as gone. A poll that finds nothing takes the
	// server a minute.
	pollLimit = 90 * time.Second
)

// deploymentOptions makes a worker of data-requests the version of this build; 0 leaves it unversioned. The other task
// queues never are versioned: a window is served by the one worker beside it, whatever its build, and what another build
// polls is not delivered to it.
func deploymentOptions(build int) worker.DeploymentOptions {
	if build == 0 {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: deploymentName, BuildID: strconv.Itoa(build)},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}
}

// deployment is what a worker of a build sees to beside its work: that the newest build is the current one, and that somebody hears of a
// current one that nobody runs.
type deployment struct {
	temporal              client.Client
	build                 int
	log                   *zap.Logger
	watchEvery, pollLimit time.Duration
}

func newDeployment(c client.Client, build int, log *zap.Logger) *deployment {
	return &deployment{temporal: c, build: build, watchEvery: watchEvery, pollLimit: pollLimit,
		log: log.With(zap.String("deployment", deploymentName), zap.Int("build", build))}
}

// follow promotes the build, unless ctx ends before, and watches the current one until stop is called, which waits for both.
func (d *deployment) follow(ctx context.Context) (stop func()) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	working, leave := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { d.promote(working) })
	following.Go(func() { d.watch(life) })
	return func() {
		leave()
		end()
		following.Wait()
	}
}

// promote makes this build the current one if it should be; it asks until the server has an answer, or ctx ends.
func (d *deployment) promote(ctx context.Context) {
	for {
		err := d.tryToPromote(ctx)
		if err == nil {
			return
		}
		again := promoteEvery
		if !expected(err) {
			d.log.Warn("build not promoted yet", zap.Error(err))
			again = d.watchEvery
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// expected tells of the errors that pass by themselves: the server has not registered the build's first poll, or another
// build was promoted in between.
func expected(err error) bool {
	var unknown *serviceerror.NotFound
	var overtaken *serviceerror.FailedPrecondition
	return errors.As(err, &unknown) || errors.As(err, &overtaken)
}

// tryToPromote promotes upwards only: not over a newer build, and not back after an operator went back to an older one.
func (d *deployment) tryToPromote(ctx context.Context) error {
	handle := d.temporal.WorkerDeploymentClient().GetHandle(deploymentName)
	known, err := handle.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return err
	}
	if why := d.refusal(known.Info); why != "" {
		d.log.Warn("build not promoted", zap.String("reason", why), zap.String("current_build", currentBuild(known.Info)))
		return nil
	}
	if currentBuild(known.Info) != d.id() {
		_, err = handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
			BuildID: d.id(), ConflictToken: known.ConflictToken,
		})
	}
	if err == nil {
		d.log.Info("build is current")
	}
	return err
}

func (d *deployment) id() string { return strconv.Itoa(d.build) }

// refusal says why this build is not to be promoted; "" when it is, or when it is current.
func (d *deployment) refusal(known client.WorkerDeploymentInfo) string {
	current := currentBuild(known)
	if number, err := strconv.Atoi(current); current != "" && (err != nil || number > d.build) {
		return "the current build is not an older one"
	}
	for _, version := range known.VersionSummaries {
		retired := version.DrainageStatus != client.WorkerDeploymentVersionDrainageStatusUnspecified
		if version.Version.BuildID == d.id() && retired {
			return "it was current before, and somebody went back from it"
		}
	}
	return ""
}

// currentBuild is "" when the workers that are not versioned are current.
func currentBuild(known client.WorkerDeploymentInfo) string {
	if current := known.RoutingConfig.CurrentVersion; current != nil {
		return current.BuildID
	}
	return ""
}

// poll is when a build last asked for workflow tasks, by the server's clock.
type poll struct {
	build string
	at    time.Time
}

// watch says so, again and again, while nobody runs the current build: then nothing moves but what windows do. It returns when ctx ends.
func (d *deployment) watch(ctx context.Context) {
	ticker := time.NewTicker(d.watchEvery)
	defer ticker.Stop()
	var last poll
	since := time.Now() // of the news, by our clock: the server's may differ
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		queue, err := d.temporal.DescribeTaskQueue(ctx, meterkey.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			continue // no server, no news: whoever needs it says so
		}
		if now := lastPoll(queue); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > d.pollLimit {
			d.log.Error("current build has no pollers", zap.String("current_build", cmp.Or(last.build, "unversioned")),
				zap.String("task_queue", meterkey.TaskQueue))
		}
	}
}

// lastPoll is the current build's.
func lastPoll(queue *workflowservice.DescribeTaskQueueResponse) poll {
	last := poll{build: queue.GetVersioningInfo().GetCurrentDeploymentVersion().GetBuildId()}
	for _, poller := range queue.GetPollers() {
		at := poller.GetLastAccessTime().AsTime()
		if versionOf(poller.GetDeploymentOptions()) == last.build && at.After(last.at) {
			last.at = at
		}
	}
	return last
}

// versionOf is the build of a poller, "" for one that is not versioned.
func versionOf(poller *deploymentpb.WorkerDeploymentOptions) string {
	if poller.GetWorkerVersioningMode() != enumspb.WORKER_VERSIONING_MODE_VERSIONED {
		return ""
	}
	return poller.GetBuildId()
}
