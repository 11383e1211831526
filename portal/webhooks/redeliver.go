package webhooks

import (
	"context"
	"fmt"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
)

// superseded is what a delivery says that was still being tried when it was delivered again.
const superseded = "delivered again as a new delivery"

// Redeliver delivers a requester's delivery again, at once: a new delivery of the same events to the same webhook. One that
// is still being tried ends in favour of the new one. store.ErrNotFound.
func (s *Service) Redeliver(ctx context.Context, requester, uid string) (store.Delivery, error) {
	return Redeliver(ctx, s.store, &s.Starter, requester, uid)
}

// Redeliver does the same for a command, without a service. An empty requester stands for whichever it belongs to.
func Redeliver(ctx context.Context, s *store.Store, starter *webhook.Starter, requester, uid string) (store.Delivery, error) {
	again, err := renew(ctx, s, requester, uid)
	if err == nil {
		starter.Deliver(ctx, again.UID)
	}
	return again, err
}

func renew(ctx context.Context, s *store.Store, requester, uid string) (store.Delivery, error) {
	earlier, err := s.Delivery(ctx, uid)
	if err == nil && requester != "" && earlier.RequesterUID != requester {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Delivery{}, fmt.Errorf("reading delivery %s: %w", uid, err)
	}
	again, err := s.Redeliver(ctx, earlier.RequesterUID, uid)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("delivering %s again: %w", uid, err)
	}
	if earlier.Status == store.DeliveryPending {
		err = s.FinishAttempt(ctx, uid, store.Attempt{Status: earlier.LastStatus, Error: superseded, Outcome: store.DeliveryFailed})
	}
	return again, err
}
