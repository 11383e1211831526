// Package webhooks is the portal's part in delivering webhooks: it runs their workflows, starts what was missed, and
// delivers again what it is told to.
package webhooks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

const (
	// sweepEvery is how often a portal looks for what was missed.
	sweepEvery = time.Minute
	// missedAfter is how old a delivery is before it counts as missed: whoever made it is about to start it.
	missedAfter = 10 * time.Second
	// sweepBatch is how many missed deliveries are started before their start is noted.
	sweepBatch = 100
	// atOnce is how many receivers one portal waits for at a time; most answer within milliseconds.
	atOnce = 200
	// stopWithin is how long a stopping portal lets an attempt go on: as long as one may take.
	stopWithin = 15 * time.Second
)

// Service is safe for concurrent use.
type Service struct {
	webhook.Starter
	store *store.Store
	key   *portalkey.Key
	guard *webhook.Guard
	log   *zap.Logger
}

// New is the service on a database; private lets webhooks go to private addresses.
func New(c client.Client, s *store.Store, key *portalkey.Key, private bool, log *zap.Logger) *Service {
	return &Service{Starter: webhook.Starter{Temporal: c, Store: s, Log: log}, store: s, key: key, guard: webhook.NewGuard(private), log: log}
}

// Check tells why no webhook may go to an address: webhook.ErrRefused, in words for whoever typed it.
func (s *Service) Check(ctx context.Context, address string) error {
	return s.guard.Check(ctx, address)
}

// NewSecret makes a signing secret: as it is shown to the requester once, and as it is stored.
func (s *Service) NewSecret() (shown, sealed string, err error) { return s.Secret("") }

// Secret is NewSecret with a secret of the requester's own; webhook.ErrSecret says what would be right.
func (s *Service) Secret(given string) (shown, sealed string, err error) {
	return webhook.NewSecret(s.key, given)
}

// Announce starts the deliveries of a change.
func (s *Service) Announce(ctx context.Context, published store.Published) {
	s.Deliver(ctx, published.Deliveries...)
}

// Run delivers webhooks and sweeps until ctx ends. An error means that Temporal takes this portal no more.
func (s *Service) Run(ctx context.Context) error {
	var sweeping sync.WaitGroup
	defer sweeping.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	sweeping.Go(func() { s.sweepUntil(ctx) })
	w := worker.New(s.Temporal, webhook.TaskQueue, worker.Options{MaxConcurrentActivityExecutionSize: atOnce, WorkerStopTimeout: stopWithin})
	s.Register(w)
	stop := make(chan any)
	defer context.AfterFunc(ctx, func() { close(stop) })()
	if err := w.Run(stop); err != nil {
		return fmt.Errorf("running the webhooks' worker: %w", err)
	}
	return nil
}

func (s *Service) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sweep", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Register registers the workflow of a delivery and its activities.
func (s *Service) Register(w worker.Registry) {
	w.RegisterWorkflowWithOptions(Delivery, workflow.RegisterOptions{Name: webhook.WorkflowType})
	deliver := &Deliveries{Store: s.store, Key: s.key, Client: s.guard.Client(), Log: s.log}
	deliver.Register(w)
}

// Sweep starts the deliveries that nobody has started, and lets authorizations expire whose time has come. Several portals
// may sweep at once.
func (s *Service) Sweep(ctx context.Context) error {
	published, err := s.store.ExpireAuthorizations(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("letting authorizations expire: %w", err)
	}
	if err := s.Start(ctx, published.Deliveries...); err != nil {
		return err
	}
	for {
		missed, err := s.store.DueDeliveries(ctx, time.Now().Add(-missedAfter), sweepBatch)
		if err != nil {
			return fmt.Errorf("looking for missed deliveries: %w", err)
		}
		if err := s.Start(ctx, uids(missed)...); err != nil || len(missed) < sweepBatch {
			return err
		}
	}
}

func uids(deliveries []store.Delivery) []string {
	all := make([]string, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.UID
	}
	return all
}
