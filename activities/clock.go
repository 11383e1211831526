package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	// clockTolerance is how far this machine's clock may be from Temporal's before an operator is told, once in a warnEvery.
	clockTolerance = 2 * time.Second
	warnEvery      = time.Minute
	// clockTrust is how long the latest time that was heard of outweighs an earlier one: a task may arrive late, when this
	// process was frozen, and Temporal's own clock may be set back.
	clockTrust = time.Minute
)

// Clock is Temporal's clock, as the tasks that a worker takes tell it. What customers are told goes by it, and what they get does not
// depend on this machine's time of day, which may be wrong. It is safe for concurrent use.
type Clock struct {
	Log *zap.Logger

	mu     sync.Mutex
	told   time.Time // Temporal's time
	at     time.Time // when it was told; only what has passed since counts, which nobody can set
	warned time.Time
}

// Now is Temporal's time; this machine's as long as no task has come.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.at.IsZero() {
		return time.Now()
	}
	return c.told.Add(time.Since(c.at))
}

// Intercept is the [grpc.UnaryClientInterceptor] of a worker's client. It hears the time, and moves the time at which a task was
// scheduled to this machine's clock: the SDK compares the two for the deadline of an activity, and drops the work of an activity whose
// deadline has passed by a clock that is ahead.
func (c *Clock) Intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if err := call(ctx, method, request, reply, conn, options...); err != nil {
		return err
	}
	switch reply := reply.(type) {
	case *workflowservice.PollActivityTaskQueueResponse:
		c.take(reply)
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		for _, task := range reply.GetActivityTasks() { // those that are to start at once
			c.take(task)
		}
	}
	return nil
}

func (c *Clock) take(task *workflowservice.PollActivityTaskQueueResponse) {
	if task.GetStartedTime() == nil {
		return // there was nothing to do
	}
	ahead := c.hear(task.GetStartedTime().AsTime())
	task.ScheduledTime = timestamppb.New(task.GetScheduledTime().AsTime().Add(ahead))
}

// hear takes in what time it is and returns how far this machine's clock is ahead.
func (c *Clock) hear(now time.Time) (ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.now()) || time.Since(c.at) > clockTrust {
		c.told, c.at = now, time.Now()
	}
	ahead = time.Now().Round(0).Sub(c.now())
	if ahead.Abs() > clockTolerance && time.Since(c.warned) > warnEvery {
		c.warned = time.Now()
		c.Log.Warn("this machine's clock is wrong", zap.Float64("seconds_ahead_of_temporal", ahead.Round(time.Second/10).Seconds()))
	}
	return ahead
}
