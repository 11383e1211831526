package main

import (
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// loginStop is how long a stopping worker lets running logins go on: as long as one may take.
	loginStop = 5 * time.Minute
	// requestStop is how long it lets notices and projections go on: a mail server answers within a minute, or not at all.
	requestStop = time.Minute
	// windowStop is how long it lets the rest go on: whoever holds a window is taken over by the next worker.
	windowStop = 10 * time.Second
	// stickyWait is how long a workflow task waits for the worker that has the run in its memory, before any other may
	// take it: what a killed worker costs each of its requests once. Five seconds, the usual, is long for a customer.
	stickyWait = time.Second
	// heartbeatThrottle is how often heartbeats are sent, and so how soon a cancel reaches the activity. The SDK gives each that
	// long to arrive and cancels the activity over one that does not: a server that stalls for less costs nobody a login.
	// Two of them fit into the heartbeat time-out.
	heartbeatThrottle = workflows.HeartbeatTimeout / 2
	// requestPollers is how many polls for workflow tasks, and for notices and projections, are open at once, browserPollers
	// those for what browsers do: with the SDK's two, tasks wait for one another.
	requestPollers, browserPollers = 10, 5
	// cachedRuns is how many runs are kept in memory between their workflow tasks, some 30 KB each. The others are read
	// anew, which takes milliseconds.
	cachedRuns = 1000
	// windowTasks bounds what may run in windows at once, far above what the windows themselves allow.
	windowTasks = 4000
)

// workers are the three of this process: one task queue each.
type workers struct {
	requests, windows, signIn worker.Worker
	fatal                     chan error
}

func startWorkers(c client.Client, in *activities.BrowserActivities, build int) (*workers, error) {
	worker.SetStickyWorkflowCacheSize(cachedRuns)
	w := &workers{fatal: make(chan error, 3)}
	tuner, err := signInTuner(in.Host)
	if err != nil {
		return nil, err
	}
	w.requests = worker.New(c, meterkey.TaskQueue, requestOptions(build, changes, w.failed))
	w.requests.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	w.requests.RegisterWorkflowWithOptions(workflows.DeliverNotice, workflow.RegisterOptions{Name: workflows.DeliverNoticeWorkflowType})
	w.requests.RegisterWorkflowWithOptions(workflows.ProbeUtility, workflow.RegisterOptions{Name: workflows.ProbeUtilityWorkflowType})
	in.Notifier.Register(w.requests)
	in.Recorder.Register(w.requests)
	w.windows = worker.New(c, workflows.WindowTaskQueue(in.Host.ID()), worker.Options{
		WorkerStopTimeout: windowStop, OnFatalError: w.failed, DisableWorkflowWorker: true, MaxHeartbeatThrottleInterval: heartbeatThrottle,
		MaxConcurrentActivityExecutionSize: windowTasks, MaxConcurrentActivityTaskPollers: browserPollers,
	})
	in.RegisterWindows(w.windows)
	w.signIn = worker.New(c, workflows.SignInTaskQueue, worker.Options{
		WorkerStopTimeout: loginStop, OnFatalError: w.failed, DisableWorkflowWorker: true, Tuner: tuner,
		MaxHeartbeatThrottleInterval: heartbeatThrottle, MaxConcurrentActivityTaskPollers: browserPollers,
	})
	in.RegisterSignIn(w.signIn)
	return w, w.start()
}

// requestOptions are those of the one worker that runs workflows.
func requestOptions(build int, listed map[string]workflow.Version, failed func(error)) worker.Options {
	return worker.Options{
		WorkerStopTimeout: requestStop, OnFatalError: failed, StickyScheduleToStartTimeout: stickyWait,
		DeadlockDetectionTimeout:         sdk.TaskTimeout,
		MaxConcurrentWorkflowTaskPollers: requestPollers, MaxConcurrentActivityTaskPollers: requestPollers,
		DeploymentOptions: deploymentOptions(build), PreferredVersionProvider: preferredVersion(listed),
	}
}

func (w *workers) start() error {
	for _, one := range []worker.Worker{w.requests, w.windows, w.signIn} {
		if err := one.Start(); err != nil {
			return fmt.Errorf("starting a worker: %w", err)
		}
	}
	return nil
}

func (w *workers) failed(err error) {
	select {
	case w.fatal <- err:
	default: // one is enough to end the process
	}
}

func (w *workers) stop() {
	var stopping sync.WaitGroup
	for _, one := range []worker.Worker{w.signIn, w.windows, w.requests} {
		stopping.Go(one.Stop)
	}
	stopping.Wait()
}

// drain leaves logins and workflows to other workers at once, ends what of them is in hand, serves the windows that are
// open to their end, and stops. Window lifetimes bound it; what a newer worker opens on the same host meanwhile is not
// waited for.
func drain(w *workers, in *activities.BrowserActivities, log *zap.Logger, every time.Duration) {
	log.Info("draining: no new logins, no workflow tasks", zap.Int("open_windows", len(in.Host.Windows())))
	var requests sync.WaitGroup
	requests.Go(w.requests.Stop)
	w.signIn.Stop()
	mine := ids(in.Host)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for end := time.Now().Add(longestLife(in)); time.Now().Before(end) && anyOpen(in.Host, mine); {
		<-ticker.C
	}
	w.windows.Stop()
	requests.Wait()
	log.Info("stopped", zap.Int("open_windows", len(in.Host.Windows())))
}

func ids(host *browser.Host) map[string]bool {
	open := map[string]bool{}
	for _, window := range host.Windows() {
		open[window.ID] = true
	}
	return open
}

func anyOpen(host *browser.Host, among map[string]bool) bool {
	for _, window := range host.Windows() {
		if among[window.ID] {
			return true
		}
	}
	return false
}

func longestLife(in *activities.BrowserActivities) time.Duration {
	var longest time.Duration
	for _, u := range in.Utilities.All() {
		longest = max(longest, u.WindowLifetime)
	}
	return longest + time.Minute
}
