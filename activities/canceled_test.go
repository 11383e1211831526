package activities_test

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
)

type activityInfo = activity.Info

// errCanceled is the cause that a canceled workflow gives its activities' contexts.
var errCanceled = temporal.NewCanceledError()

func workerOptions(ctx context.Context) worker.Options {
	return worker.Options{BackgroundActivityContext: ctx}
}
