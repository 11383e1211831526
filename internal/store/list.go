package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// RequestFilter narrows a list of requests; empty fields do not.
type RequestFilter struct {
	// Requester must be given.
	Requester string
	UIDs      []string
	Template  string
	// Authorization: requests that led to it.
	Authorization string
	Statuses      []meterkey.Status
	// Reasons are those of the present status.
	Reasons []meterkey.Reason
	// Utility is compared with ChosenUtility.
	Utility   string
	WaitingOn meterkey.WaitingOn
	// Search is the beginning of the request's uid, of the customer's e-mail address or its domain, or of a word of the
	// nickname or of the customer's name, in any case.
	Search         string
	Archived, Test *bool
	// From and To bound Created: From included, To not. Zero bounds do not.
	From, To time.Time
	// After is the Next of the page before.
	After string
	// Limit is how many at most: 1 to 1000; 0 means 100.
	Limit int
}

// ListRequests lists requests, newest first. ErrNotFound when After names no request, ErrInvalid without Requester. After
// may name one that was deleted since: whoever deletes what is listed can go on.
func (s *Store) ListRequests(ctx context.Context, f RequestFilter) (Page[Request], error) {
	const doing = "listing requests"
	if err := needRequester(doing, f.Requester); err != nil {
		return Page[Request]{}, err
	}
	search, err := s.search(ctx, f)
	if err != nil {
		return Page[Request]{}, failed(doing, err)
	}
	return list[Request]{
		db: s.db, column: "created", last: owned(f.Requester, f.After), queries: s.requestQueries(f, search),
	}.page(ctx, doing, f.After, f.Limit)
}

// OpenRequests lists the uids of requests that have not ended, whoever asked, in the uids' order: those after the given
// one, limit at most.
func (s *Store) OpenRequests(ctx context.Context, after string, limit int) ([]string, error) {
	var uids []string
	err := s.db.NewSelect().Model((*Request)(nil)).Column("uid").Where("uid > ?", after).Where("ended_at IS NULL").
		Where("deleted IS NULL").OrderBy("uid", bun.OrderAsc).Limit(int64(limit)).Scan(ctx, &uids)
	return uids, failed("listing open requests", err)
}

// found is what a search comes to.
type found struct {
	prefix string
	// uids are all requests that match, if they are few: the list is made from them.
	uids []string
	// many: they are too many for that. The list is read as if there were no search, and each of its requests looked up:
	// where so many match, a page of them is soon found.
	many bool
}

// fewMatches is where the two ways take about as long: some milliseconds in a list of 100,000.
const fewMatches = 3000

func (s *Store) search(ctx context.Context, f RequestFilter) (found, error) {
	search := found{prefix: short(normal(f.Search))}
	if search.prefix == "" {
		return search, nil
	}
	err := s.matches(f.Requester, search.prefix).Scan(ctx, &search.uids)
	search.many = len(search.uids) > fewMatches
	slices.Sort(search.uids)
	search.uids = slices.Compact(search.uids)
	return search, err
}

// matches are the terms that match: one more than few at most, the same request perhaps by several.
func (s *Store) matches(requester, prefix string) *bun.SelectQuery {
	return beginning(s.db.NewSelect().Model((*searchTerm)(nil)).Column("request_uid"), prefix).
		Where("requester_uid = ?", requester).Limit(fewMatches + 1)
}

// requestQueries are one query for each status asked for, so that an index has the rows of each in the list's order.
func (s *Store) requestQueries(f RequestFilter, search found) []*bun.SelectQuery {
	statuses, narrowed := f.statuses()
	if search.prefix != "" && !search.many || len(f.UIDs) > 0 {
		q := s.requestQuery(f, search)
		if narrowed {
			q.Where("?TableAlias.status IN (?)", bun.List(statuses))
		}
		return []*bun.SelectQuery{q}
	}
	if !narrowed {
		return []*bun.SelectQuery{s.requestQuery(f, search)}
	}
	queries := make([]*bun.SelectQuery, len(statuses))
	for i, status := range statuses {
		queries[i] = s.requestQuery(f, search).Where("?TableAlias.status = ?", status)
	}
	return queries
}

// statuses are those that Statuses and WaitingOn leave, and whether either narrows anything.
func (f RequestFilter) statuses() (left []meterkey.Status, narrowed bool) {
	for _, status := range meterkey.Statuses() {
		if (len(f.Statuses) == 0 || slices.Contains(f.Statuses, status)) && (f.WaitingOn == "" || status.WaitingOn() == f.WaitingOn) {
			left = append(left, status)
		}
	}
	return left, len(f.Statuses) > 0 || f.WaitingOn != ""
}

func (s *Store) requestQuery(f RequestFilter, search found) *bun.SelectQuery {
	q := s.db.NewSelect().Model((*Request)(nil))
	switch {
	case search.many:
		// Counting, not EXISTS: that PostgreSQL would rather join, with the whole table. Nor is the requester named: the
		// terms are to be looked up by their request, not among all that begin so.
		matching := beginning(s.db.NewSelect().Model((*searchTerm)(nil)), search.prefix).
			ColumnExpr("COUNT(*)").Where("term.request_uid = request.uid")
		q.Where("(?) > 0", matching)
	case search.prefix != "":
		// The limit keeps the database from looking at anything but these.
		few := s.db.NewSelect().Model((*Request)(nil)).Where("uid IN (?)", bun.List(search.uids)).Limit(fewMatches)
		q.ModelTableExpr("(?) AS request", few)
	}
	q.Where("?TableAlias.requester_uid = ?", f.Requester).Where("?TableAlias.deleted IS NULL")
	oneOf(q, "uid", f.UIDs)
	oneOf(q, "reason", f.Reasons)
	equal(q, "template_uid", f.Template)
	equal(q, "authorization_uid", f.Authorization)
	equal(q, "chosen_utility", f.Utility)
	flag(q, "is_archived", f.Archived)
	flag(q, "is_test", f.Test)
	between(q, "created", f.From, f.To)
	return q
}
