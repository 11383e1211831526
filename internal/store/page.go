package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// listed is a row of a list: lists are ordered by time and uid, newest first.
type listed interface {
	sortKey() (time.Time, string)
}

// list is a list that can be read page by page. Each of its queries selects rows of one kind that an index has in the
// list's order, so that the page is at the beginning of each; the page is what comes first of all of them.
type list[T listed] struct {
	db      *bun.DB
	queries []*bun.SelectQuery
	// column is the time that orders the list.
	column string
	// last finds the row that After names, among all of the requester's.
	last func(*bun.SelectQuery) *bun.SelectQuery
}

// page reads the limit rows that come after the row with this uid.
func (l list[T]) page(ctx context.Context, doing, after string, limit int) (Page[T], error) {
	limit, err := validLimit(limit)
	if err != nil {
		return Page[T]{}, fmt.Errorf("%s: %w", doing, err)
	}
	if after != "" {
		row, err := one[T](ctx, l.db, doing, l.last)
		if err != nil {
			return Page[T]{}, err
		}
		l.from(row)
	}
	var items []T
	for _, query := range l.queries {
		var rows []T
		query.OrderBy(l.column, bun.OrderDesc).OrderBy("uid", bun.OrderDesc).Limit(int64(limit) + 1)
		if err := query.Scan(ctx, &rows); err != nil {
			return Page[T]{}, failed(doing, err)
		}
		items = append(items, rows...)
	}
	return cut(items, limit), nil
}

func validLimit(limit int) (int, error) {
	if limit < 0 || limit > maxLimit {
		return 0, fmt.Errorf("%w: limit must be 1 to %d", ErrInvalid, maxLimit)
	}
	return cmp.Or(limit, defaultLimit), nil
}

// from has the queries begin after the row.
func (l list[T]) from(row T) {
	at, uid := row.sortKey()
	for _, query := range l.queries {
		query.Where("(?TableAlias.?, ?TableAlias.uid) < (?, ?)", bun.Ident(l.column), at, uid)
	}
}

// cut orders the rows and keeps one page of them.
func cut[T listed](items []T, limit int) Page[T] {
	slices.SortFunc(items, func(a, b T) int {
		at, auid := a.sortKey()
		bt, buid := b.sortKey()
		return cmp.Or(bt.Compare(at), cmp.Compare(buid, auid))
	})
	page := Page[T]{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		_, page.Next = items[limit-1].sortKey()
	}
	return page
}

// flag narrows a query by a column that is true or false; nil does not.
func flag(q *bun.SelectQuery, column string, want *bool) {
	if want != nil {
		q.Where("?TableAlias.? = ?", bun.Ident(column), *want)
	}
}

// happened narrows a query by whether a column's time is there; nil does not.
func happened(q *bun.SelectQuery, column string, want *bool) {
	switch {
	case want == nil:
	case *want:
		q.Where("?TableAlias.? IS NOT NULL", bun.Ident(column))
	default:
		q.Where("?TableAlias.? IS NULL", bun.Ident(column))
	}
}

// oneOf narrows a query to the values; none does not.
func oneOf[T any](q *bun.SelectQuery, column string, values []T) {
	if len(values) > 0 {
		q.Where("?TableAlias.? IN (?)", bun.Ident(column), bun.List(values))
	}
}

// equal narrows a query to a value; an empty one does not.
func equal(q *bun.SelectQuery, column, value string) {
	if value != "" {
		q.Where("?TableAlias.? = ?", bun.Ident(column), value)
	}
}

// between narrows a query to the times; zero bounds do not.
func between(q *bun.SelectQuery, column string, from, to time.Time) {
	if !from.IsZero() {
		q.Where("?TableAlias.? >= ?", bun.Ident(column), from)
	}
	if !to.IsZero() {
		q.Where("?TableAlias.? < ?", bun.Ident(column), to)
	}
}

// needRequester refuses a list that would be of everybody's.
func needRequester(doing, requester string) error {
	if requester == "" {
		return fmt.Errorf("%s: %w: requester is missing", doing, ErrInvalid)
	}
	return nil
}
