package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// WebhookWorkflowType is the name under which a webhook delivery's workflow is registered.
	WebhookWorkflowType = "WebhookDelivery"
	// WebhookTaskQueue serves webhook deliveries; the portal works on it.
	WebhookTaskQueue = "webhooks"

	// ActivityDeliverWebhook makes one attempt.
	ActivityDeliverWebhook = "DeliverWebhook"
	// ActivityGiveUpWebhook notes that there will be no more.
	ActivityGiveUpWebhook = "GiveUpWebhook"

	// WebhookRetryEvery is how long a delivery that was not answered with 200 waits for its next attempt. DeliverWebhook
	// asks for it with its error.
	WebhookRetryEvery = time.Hour
	// webhookPatience is how long a delivery is tried: for 72 hours, and for what the attempts themselves take meanwhile.
	webhookPatience = 72*time.Hour + 30*time.Minute
)

// WebhookWorkflowID is the workflow id of a delivery.
func WebhookWorkflowID(deliveryUID string) string { return "webhook-" + deliveryUID }

// WebhookStart is how a delivery's workflow is started. One that runs, or has run, is not started again; a delivery that is
// to be made again is a new one.
func WebhookStart(deliveryUID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: WebhookWorkflowID(deliveryUID), TaskQueue: WebhookTaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Webhook delivery",
	}
}

// WebhookDeliveryInput names what to deliver. What it says and where it goes stays in the database.
type WebhookDeliveryInput struct {
	DeliveryUID string `json:"delivery_uid"`
}

// WebhookDeliveryResult is how a delivery ended.
type WebhookDeliveryResult struct {
	Delivered bool `json:"delivered"`
}

// WebhookDelivery is the workflow that takes one delivery to one webhook, and gives up when that takes too long.
func WebhookDelivery(ctx workflow.Context, in WebhookDeliveryInput) (*WebhookDeliveryResult, error) {
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, deliverOptions()), ActivityDeliverWebhook, in).Get(ctx, nil)
	if err == nil {
		return &WebhookDeliveryResult{Delivered: true}, nil
	}
	if temporal.IsCanceledError(err) {
		return nil, err
	}
	workflow.GetLogger(ctx).Warn("webhook given up", "delivery", in.DeliveryUID, "error", err)
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, giveUpOptions()), ActivityGiveUpWebhook, in).Get(ctx, nil); err != nil {
		return nil, fmt.Errorf("giving the delivery up: %w", err)
	}
	return &WebhookDeliveryResult{}, nil
}

// deliverOptions: an attempt is bounded by DeliverWebhook itself, to ten seconds of waiting for the receiver; the rest is
// for our database. What a receiver does not take comes again after an hour (WebhookRetryEvery); a fault on our side, a
// portal that was killed included, is no reason to wait for that long. Faults throughout the 72 hours make 900 attempts.
func deliverOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: webhookPatience,
		StartToCloseTimeout:    30 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 5 * time.Minute, MaximumAttempts: 1000},
		Summary:                "Post to the webhook",
	}
}

// giveUpOptions: one short write; a database that is down is tried for as long as a projection would be.
func giveUpOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: delivery,
		StartToCloseTimeout:    15 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
		Summary:                "Note that it could not be delivered",
	}
}
