package store

import (
	"context"
	"errors"

	"github.com/meterkey/meterkey/workflows"
)

// Record projects a workflow's state, in one transaction. A projection is newer than another when its (linked_at,
// version) is greater; one that is not newer than what is stored changes nothing and returns no news. A request that the
// store does not know, and its requester, get their rows.
//
// The authorization is created when the customer first signs in, or declines; it then follows the newest state, and
// takes the meter list once connected.
func (s *Store) Record(ctx context.Context, p workflows.Projection) (News, error) {
	return News{}, errors.ErrUnsupported
}
