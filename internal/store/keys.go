package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// APIKey opens the API in a requester's name. The key itself is not stored.
type APIKey struct {
	bun.BaseModel `bun:"table:api_keys,alias:api_key"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	Name         string
	// Prefix is the key's first characters, by which people tell their keys apart.
	Prefix  string
	Hash    string `json:"-"`
	Created time.Time
	// Expires is nil for a key that does not.
	Expires *time.Time
	// LastUsed is exact to a minute.
	LastUsed *time.Time
	Revoked  *time.Time

	Requester *Requester `bun:"rel:belongs-to,join:requester_uid=uid"`
}

// AddKey makes a key and returns it in the clear, this once. Expires may be nil. ErrNotFound without such a requester.
func (s *Store) AddKey(ctx context.Context, requesterUID, name string, expires *time.Time) (k APIKey, key string, err error) {
	return APIKey{}, "", errors.ErrUnsupported
}

// KeyOwner finds the key's row with its Requester, and notes that it was used. ErrNotFound for a key that does not
// exist, has expired or was revoked, or whose requester is disabled.
func (s *Store) KeyOwner(ctx context.Context, key string) (APIKey, error) {
	return APIKey{}, errors.ErrUnsupported
}

// Keys lists a requester's keys, newest first, revoked ones included.
func (s *Store) Keys(ctx context.Context, requesterUID string) ([]APIKey, error) {
	return nil, errors.ErrUnsupported
}

// RevokeKey makes the key useless for ever. ErrNotFound; revoking again is no error.
func (s *Store) RevokeKey(ctx context.Context, requesterUID, uid string) error {
	return errors.ErrUnsupported
}
