package webhook

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/workflows"
)

// startWithin bounds the starting of the deliveries of one change, whose maker waits for it.
const startWithin = 5 * time.Second

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
		in := workflows.WebhookDeliveryInput{DeliveryUID: uid}
		if _, err := s.Temporal.ExecuteWorkflow(ctx, workflows.WebhookStart(uid), workflows.WebhookWorkflowType, in); err != nil {
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
