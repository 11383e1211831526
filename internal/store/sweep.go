package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Sweep forgets what has served its time: sessions that have expired, and the idempotency keys and presences of more than
// a day ago.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	yesterday := now.Add(-24 * time.Hour)
	return s.write(ctx, "sweeping", func(ctx context.Context, tx bun.Tx) error {
		for _, old := range []*bun.DeleteQuery{
			tx.NewDelete().Model((*session)(nil)).Where("expires <= ?", now),
			tx.NewDelete().Model((*Idempotency)(nil)).Where("created < ?", yesterday),
			tx.NewDelete().Model((*Presence)(nil)).Where("seen < ?", yesterday),
		} {
			if _, err := old.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
