package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// Span selects a requester's requests by when they were created: From included, To not; zero bounds do not narrow.
// Practice requests (IsTest) are counted apart: Test selects them alone.
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
func (s *Store) Counts(ctx context.Context, span Span) (map[meterkey.Status]int, error) {
	var rows []struct {
		Status meterkey.Status
		Count  int
	}
	err := s.counted(span).Where("is_archived = ?", false).Column("status").ColumnExpr("COUNT(*) AS count").
		Group("status").Scan(ctx, &rows)
	counts := make(map[meterkey.Status]int, len(rows))
	for _, row := range rows {
		counts[row.Status] = row.Count
	}
	return counts, failed("counting requests", err)
}

// Funnel tells where requests stop.
func (s *Store) Funnel(ctx context.Context, span Span) (Funnel, error) {
	var f Funnel
	err := s.counted(span).ColumnExpr("COUNT(sent_at) AS sent").ColumnExpr("COUNT(opened_at) AS opened").
		ColumnExpr("COUNT(signed_in_at) AS signed_in").ColumnExpr("COUNT(code_asked_at) AS code_asked").
		ColumnExpr("COUNT(connected_at) AS connected").Scan(ctx, &f)
	return f, failed("counting the funnel", err)
}

// ConnectedByDay counts first connections by their day, oldest first, days without any left out. Here From and To bound
// the connection.
func (s *Store) ConnectedByDay(ctx context.Context, span Span) ([]DayCount, error) {
	var rows []struct {
		Day   string
		Count int
	}
	q := s.of(span).Where("connected_at IS NOT NULL")
	between(q, "connected_at", span.From, span.To)
	// Both databases write a time with its date first.
	err := q.ColumnExpr("SUBSTR(CAST(connected_at AS TEXT), 1, 10) AS day").ColumnExpr("COUNT(*) AS count").
		GroupExpr("1").OrderExpr("1").Scan(ctx, &rows)
	days := make([]DayCount, len(rows))
	for i, row := range rows {
		day, parseErr := time.Parse(time.DateOnly, row.Day)
		days[i], err = DayCount{Day: day, Count: row.Count}, errors.Join(err, parseErr)
	}
	return days, failed("counting connections by day", err)
}

// ByUtility counts by utility, the most requests first.
func (s *Store) ByUtility(ctx context.Context, span Span) ([]UtilityCount, error) {
	var rows []UtilityCount
	err := s.counted(span).ColumnExpr("chosen_utility AS utility").ColumnExpr("COUNT(*) AS sent").
		ColumnExpr("COUNT(connected_at) AS connected").
		Group("chosen_utility").OrderExpr("COUNT(*) DESC").OrderExpr("chosen_utility").Scan(ctx, &rows)
	return rows, failed("counting by utility", err)
}

// LastChange is when any of the requester's requests last changed; zero without requests. Lists that show themselves
// anew watch it.
func (s *Store) LastChange(ctx context.Context, requesterUID string) (time.Time, error) {
	r, err := one[Request](ctx, s.db, "finding the last change", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Column("updated").Where("requester_uid = ?", requesterUID).Where("deleted IS NULL").
			OrderBy("updated", bun.OrderDesc).Limit(1)
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return r.Updated, err
}

// of selects the requester's requests, real or for practice.
func (s *Store) of(span Span) *bun.SelectQuery {
	return s.db.NewSelect().Model((*Request)(nil)).Where("requester_uid = ?", span.Requester).
		Where("is_test = ?", span.Test).Where("deleted IS NULL")
}

// counted selects those of them that were created within the span.
func (s *Store) counted(span Span) *bun.SelectQuery {
	q := s.of(span)
	between(q, "created", span.From, span.To)
	return q
}
