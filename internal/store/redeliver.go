package store

import (
	"context"

	"github.com/uptrace/bun"
)

// RedeliverEvent makes new pending deliveries of an event, with those that it was delivered together with, to each of the
// requester's enabled webhooks. ErrNotFound. Publishes no event, as none is new.
func (s *Store) RedeliverEvent(ctx context.Context, requesterUID, eventUID string) (Published, error) {
	var published Published
	err := s.write(ctx, "delivering an event again", func(ctx context.Context, tx bun.Tx) error {
		event, err := one[Event](ctx, tx, "reading event", owned(requesterUID, eventUID))
		if err != nil {
			return err
		}
		events, err := tx.NewSelect().Model((*Event)(nil)).Where("batch_uid = ?", event.BatchUID).Count(ctx)
		if err != nil {
			return err
		}
		var webhooks []Webhook
		err = tx.NewSelect().Model(&webhooks).Where("requester_uid = ?", requesterUID).Where("enabled = ?", true).
			Order("created", "uid").Scan(ctx)
		if err != nil {
			return err
		}
		var again []Delivery
		for _, webhook := range webhooks {
			again = append(again, newDelivery(webhook, event.BatchUID, int(events), s.now()))
		}
		published = Published{Deliveries: uids(again)}
		return insert(ctx, tx, again, nil)
	})
	return published, err
}
