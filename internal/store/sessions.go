package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// KeepSession has a session that is still good last for another lifetime from now. ErrNotFound when there is none.
func (s *Store) KeepSession(ctx context.Context, token string, lifetime time.Duration) error {
	now := s.now()
	return s.write(ctx, "keeping session", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model((*session)(nil)).Set("expires = ?", now.Add(lifetime)).
			Where("token_hash = ?", hashToken(token)).Where("expires > ?", now).Exec(ctx))
	})
}
