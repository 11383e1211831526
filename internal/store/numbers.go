package store

import (
	"context"
	"errors"
	"time"

	"github.com/meterkey/meterkey/workflows"
)

// Span selects a requester's requests by when they were created: From included, To not; zero bounds do not narrow.
// Practice requests (IsTest) count only when Test is set.
type Span struct {
	Requester string
	From, To  time.Time
	Test      bool
}

// Funnel is how many of the requests got how far.
type Funnel struct{ Sent, Opened, SignedIn, CodeAsked, Connected int }

// DayCount is a number for one day (UTC).
type DayCount struct {
	Day   time.Time
	Count int
}

// UtilityCount is how many requests went to a utility and how many of them were connected. Utility is empty for those
// whose customers have not chosen yet.
type UtilityCount struct {
	Utility         string
	Sent, Connected int
}

// Counts tells how many requests stand at each status; statuses without any are absent. Archived ones are left out.
func (s *Store) Counts(ctx context.Context, span Span) (map[workflows.Status]int, error) {
	return nil, errors.ErrUnsupported
}

// Funnel tells where requests stop.
func (s *Store) Funnel(ctx context.Context, span Span) (Funnel, error) {
	return Funnel{}, errors.ErrUnsupported
}

// ConnectedByDay counts first connections by their day, oldest first, days without any left out. Here From and To bound
// the connection.
func (s *Store) ConnectedByDay(ctx context.Context, span Span) ([]DayCount, error) {
	return nil, errors.ErrUnsupported
}

// ByUtility counts by utility, the most requests first.
func (s *Store) ByUtility(ctx context.Context, span Span) ([]UtilityCount, error) {
	return nil, errors.ErrUnsupported
}

// LastChange is when any of the requester's requests last changed; zero without requests. Lists that show themselves
// anew watch it.
func (s *Store) LastChange(ctx context.Context, requesterUID string) (time.Time, error) {
	return time.Time{}, errors.ErrUnsupported
}
