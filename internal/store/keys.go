package store

import (
	"context"
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

// keyPrefix lets people and scanners of leaked secrets recognise a key.
const keyPrefix = "mk_"

// AddKey makes a key and returns it in the clear, this once. Expires may be nil. ErrNotFound without such a requester.
func (s *Store) AddKey(ctx context.Context, requesterUID, name string, expires *time.Time) (k APIKey, key string, err error) {
	key = keyPrefix + randomToken()
	k = APIKey{UID: NewUID(), RequesterUID: requesterUID, Name: name, Prefix: key[:len(keyPrefix)+6], Hash: hashToken(key),
		Created: s.now(), Expires: expires}
	err = s.write(ctx, "adding key", func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, &k) })
	return k, key, err
}

// KeyOwner finds the key's row with its Requester, and notes that it was used. ErrNotFound for a key that does not
// exist, has expired or was revoked, or whose requester is disabled.
func (s *Store) KeyOwner(ctx context.Context, key string) (APIKey, error) {
	now := s.now()
	k, err := one[APIKey](ctx, s.db, "finding key", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Relation("Requester").Where("requester.disabled = ?", false).
			Where("?TableAlias.hash = ?", hashToken(key)).Where("?TableAlias.revoked IS NULL").
			Where("(?TableAlias.expires IS NULL OR ?TableAlias.expires > ?)", now)
	})
	if err != nil || k.LastUsed != nil && now.Sub(*k.LastUsed) < time.Minute {
		return k, err
	}
	k.LastUsed = &now
	return k, s.write(ctx, "noting a key's use", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(&k).Column("last_used").WherePK().Exec(ctx)
		return err
	})
}

// Keys lists a requester's keys, newest first, revoked ones included.
func (s *Store) Keys(ctx context.Context, requesterUID string) ([]APIKey, error) {
	var all []APIKey
	err := s.db.NewSelect().Model(&all).Where("requester_uid = ?", requesterUID).
		OrderBy("created", bun.OrderDesc).OrderBy("uid", bun.OrderDesc).Scan(ctx)
	return all, failed("listing keys", err)
}

// RevokeKey makes the key useless for ever. ErrNotFound; revoking again is no error.
func (s *Store) RevokeKey(ctx context.Context, requesterUID, uid string) error {
	return s.write(ctx, "revoking key", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model((*APIKey)(nil)).Set("revoked = COALESCE(revoked, ?)", s.now()).
			Where("uid = ?", uid).Where("requester_uid = ?", requesterUID).Exec(ctx))
	})
}
