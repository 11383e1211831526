package store

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/uptrace/bun"
)

// Requester is who asks customers for access.
type Requester struct {
	bun.BaseModel `bun:"table:requesters,alias:requester"`

	// UID is meterkey.Request.Requester: 1 to 64 of A-Z a-z 0-9 . _ -.
	UID string `bun:"uid,pk"`
	// Name is how customers know the requester.
	Name string
	// Email receives the requester's notices; it may be empty.
	Email   string
	Created time.Time
	// Disabled requesters' keys and users open nothing.
	Disabled bool
}

// PutRequester creates the requester or changes its name, e-mail address and whether it is disabled.
func (s *Store) PutRequester(ctx context.Context, r Requester) (Requester, error) {
	r.Created = s.now()
	err := s.write(ctx, "storing requester", func(ctx context.Context, tx bun.Tx) error {
		if err := validUID(r.UID); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&r).On("CONFLICT (uid) DO UPDATE").
			Set("name = EXCLUDED.name").Set("email = EXCLUDED.email").Set("disabled = EXCLUDED.disabled").
			Returning("created").Exec(ctx)
		return err
	})
	return r, err
}

// Requester reads one requester. ErrNotFound.
func (s *Store) Requester(ctx context.Context, uid string) (Requester, error) {
	return one[Requester](ctx, s.db, "reading requester", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("uid = ?", uid)
	})
}

// Requesters lists all requesters by uid.
func (s *Store) Requesters(ctx context.Context) ([]Requester, error) {
	var all []Requester
	err := s.db.NewSelect().Model(&all).Order("uid").Scan(ctx)
	return all, failed("listing requesters", err)
}

var uidForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func validUID(uid string) error {
	if !uidForm.MatchString(uid) {
		return fmt.Errorf("%w: a uid is 1 to 64 letters, digits and . _ -", ErrInvalid)
	}
	return nil
}
