package webhook

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
)

// startWithin bounds the starting of the deliveries of one change, whose maker waits for it.
const startWithin = 5 * time.Second

const (
	// WorkflowType is the name under which a delivery's workflow is registered; portal/webhooks has it.
	WorkflowType = "WebhookDelivery"
	// TaskQueue serves deliveries; portals work on it.
	TaskQueue = "webhooks"
)

// WorkflowID is the workflow id of a delivery.
func WorkflowID(deliveryUID string) string { return "webhook-" + deliveryUID }

// StartOptions is how a delivery's workflow is started. One that runs, or has run, is not started again; a delivery that is
// to be made again is a new one.
func StartOptions(deliveryUID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: WorkflowID(deliveryUID), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Webhook delivery",
	}
}

// DeliveryInput names what to deliver. What it says and where it goes stays in the database.
type DeliveryInput struct {
	DeliveryUID string `json:"delivery_uid"`
}

// Starter starts the workflows of deliveries. Workers and portals have one each; it is safe for concurrent use.
type Starter struct {
	Temporal client.Client
	Store    interface {
		MarkStarted(ctx context.Context, uids ...string) error
	}
	Log *zap.Logger
}

// Deliver starts deliveries. One that cannot be started now is started by the portal's next sweep; one that was started
// before is not started again.
func (s *Starter) Deliver(ctx context.Context, deliveries ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startWithin)
	defer cancel()
	if err := s.Start(ctx, deliveries...); err != nil {
		s.Log.Warn("deliveries left to the sweep", zap.Int("deliveries", len(deliveries)), zap.Error(err))
	}
}

// Start starts deliveries until one cannot be started.
func (s *Starter) Start(ctx context.Context, deliveries ...string) error {
	for _, uid := range deliveries {
		in := DeliveryInput{DeliveryUID: uid}
		if _, err := s.Temporal.ExecuteWorkflow(ctx, StartOptions(uid), WorkflowType, in); err != nil {
			return fmt.Errorf("starting delivery %s: %w", uid, err)
		}
	}
	if len(deliveries) == 0 {
		return nil
	}
	if err := s.Store.MarkStarted(ctx, deliveries...); err != nil {
		return fmt.Errorf("noting that deliveries were started: %w", err)
	}
	return nil
}
