package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// Requester is who asks customers for access.
type Requester struct {
	bun.BaseModel `bun:"table:requesters,alias:requester"`

	// UID is workflows.Request.Requester: 1 to 64 of A-Z a-z 0-9 . _ -.
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
	return Requester{}, errors.ErrUnsupported
}

// Requester reads one requester. ErrNotFound.
func (s *Store) Requester(ctx context.Context, uid string) (Requester, error) {
	return Requester{}, errors.ErrUnsupported
}

// Requesters lists all requesters by uid.
func (s *Store) Requesters(ctx context.Context) ([]Requester, error) {
	return nil, errors.ErrUnsupported
}
