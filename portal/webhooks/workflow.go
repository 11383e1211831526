package webhooks

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey/internal/webhook"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// ActivityDeliver makes one attempt.
	ActivityDeliver = "DeliverWebhook"
	// ActivityGiveUp notes that there will be no more.
	ActivityGiveUp = "GiveUpWebhook"

	// RetryEvery is how long a delivery that was not answered with 200 waits for its next attempt. Deliver
	// asks for it with its error.
	RetryEvery = time.Hour
	// deliveryTimeout is how long a delivery is tried: for 72 hours, and for what the attempts themselves take meanwhile.
	deliveryTimeout = 72*time.Hour + 30*time.Minute
)

// DeliveryResult is how a delivery ended.
type DeliveryResult struct {
	Delivered bool `json:"delivered"`
}

// Delivery is the workflow that takes one delivery to one webhook, and gives up when that takes too long.
func Delivery(ctx workflow.Context, in webhook.DeliveryInput) (*DeliveryResult, error) {
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, deliverOptions()), ActivityDeliver, in).Get(ctx, nil)
	if err == nil {
		return &DeliveryResult{Delivered: true}, nil
	}
	if temporal.IsCanceledError(err) {
		return nil, err
	}
	workflow.GetLogger(ctx).Warn("webhook given up", "delivery", in.DeliveryUID, "error", err)
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, giveUpOptions()), ActivityGiveUp, in).Get(ctx, nil); err != nil {
		return nil, fmt.Errorf("giving the delivery up: %w", err)
	}
	return &DeliveryResult{}, nil
}

// deliverOptions: an attempt is bounded by Deliver itself, to ten seconds of waiting for the receiver; the rest is
// for our database. What a receiver does not take comes again after an hour (RetryEvery); a fault on our side, a
// portal that was killed included, is no reason to wait for that long. Faults throughout the 72 hours make 900 attempts.
func deliverOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: deliveryTimeout,
		StartToCloseTimeout:    30 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 5 * time.Minute, MaximumAttempts: 1000},
		Summary:                "Post to the webhook",
	}
}

// giveUpOptions: one short write; a database that is down is tried for as long as a projection would be.
func giveUpOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 24 * time.Hour,
		StartToCloseTimeout:    15 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
		Summary:                "Note that it could not be delivered",
	}
}
