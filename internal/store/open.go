package store

import (
	"context"
	"errors"
)

// Open connects to the database and applies migrations that are missing, which several processes may do at once.
func Open(ctx context.Context, o Options) (*Store, error) {
	return nil, errors.ErrUnsupported
}

// Migrate applies the migrations that are missing and tells the version reached.
func (s *Store) Migrate(ctx context.Context) (version int64, err error) {
	return 0, errors.ErrUnsupported
}
