package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// VisitState says whether the customer is at the page.
type VisitState string

// The states of a visit.
const (
	VisitHere VisitState = "here" // the page is shown
	VisitAway VisitState = "away" // the page is hidden: the customer may be reading the code elsewhere
	VisitGone VisitState = "gone" // the page was closed or left
)

// Visit is one tab in which a customer has a request's page open.
type Visit struct {
	bun.BaseModel `bun:"table:visits,alias:visit"`

	RequestUID string `bun:"request_uid,pk"`
	// Tab tells the customer's tabs apart: 1 to 64 characters of the page's own choosing.
	Tab   string `bun:"tab,pk"`
	State VisitState
	Seen  time.Time
}

// Grace is how long a customer may be gone before the browser window is freed.
const Grace = time.Minute

// TouchVisit notes what was heard of a tab. ErrNotFound without such a request, ErrInvalid for a tab or state that is
// none.
func (s *Store) TouchVisit(ctx context.Context, requestUID, tab string, state VisitState, now time.Time) error {
	return errors.ErrUnsupported
}

// Leavers are the requests that wait for an answer only the customer can give, while the customer has left for good:
// there were visits, and every one is gone, or unseen though not hidden, for Grace.
func (s *Store) Leavers(ctx context.Context, now time.Time) ([]string, error) {
	return nil, errors.ErrUnsupported
}

// ForgetVisits forgets a request's visits, so that a departure is told once.
func (s *Store) ForgetVisits(ctx context.Context, requestUID string) error {
	return errors.ErrUnsupported
}
