package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// fill gives the requester acme so many requests, half of them connected.
func fill(t testing.TB, w *world, count int) {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rest := slices.DeleteFunc(meterkey.Statuses(), func(s meterkey.Status) bool { return s == meterkey.Connected })
	requests := make([]store.Request, count)
	for i := range requests {
		at := start.Add(time.Duration(i) * time.Second)
		r := &requests[i]
		*r = store.Request{
			UID: store.NewUID(), RequesterUID: "acme", CustomerEmail: fmt.Sprintf("customer%d@example.com", i),
			CustomerName: fmt.Sprintf("Jane%d Doe", i), Created: at, Updated: at, Since: at, LinkedAt: at, SentAt: &at,
			ChosenUtility: fmt.Sprintf("U%d", i%11), Status: meterkey.Connected, WaitingOn: meterkey.Nobody,
			IsArchived: i%100 == 1, IsTest: i%100 == 2, TemplateUID: fmt.Sprintf("t%d", i%3),
		}
		if i%2 == 0 {
			r.Status = rest[i/2%len(rest)]
			r.WaitingOn = r.Status.WaitingOn()
		} else {
			r.OpenedAt, r.SignedInAt, r.ConnectedAt, r.EndedAt = &at, &at, &at, &at
		}
		r.Timeline = []meterkey.Moment{{Status: meterkey.AwaitingLogin, At: at}, {Status: r.Status, At: at}}
	}
	for batch := range slices.Chunk(requests, 5000) {
		require.NoError(t, w.Fill(t.Context(), batch))
	}
	if w.IsPostgres() {
		_, err := w.SQL().ExecContext(t.Context(), "VACUUM ANALYZE")
		require.NoError(t, err)
	}
}

// look is a list that people look at.
type look struct {
	name   string
	filter store.RequestFilter
	// few: the rows are so few that sorting them costs nothing.
	few bool
}

// looks are lists of every kind; deep is a request far down the list.
func looks(deep store.Request) []look {
	yes, no := true, false
	status := func(all ...meterkey.Status) []meterkey.Status { return all }
	return []look{
		{"newest", store.RequestFilter{}, false},
		{"far down", store.RequestFilter{After: deep.UID}, false},
		{"one status", store.RequestFilter{Statuses: status(meterkey.Connected)}, false},
		{"one status, far down", store.RequestFilter{Statuses: status(meterkey.Connected), After: deep.UID}, false},
		{"several statuses", store.RequestFilter{Statuses: status(meterkey.AwaitingCode, meterkey.Failed, meterkey.Connected)}, false},
		{"waits on the customer", store.RequestFilter{WaitingOn: meterkey.Customer}, false},
		{"utility", store.RequestFilter{Utility: "U3"}, false},
		{"utility, far down", store.RequestFilter{Utility: "U3", After: deep.UID}, false},
		{"utility and status", store.RequestFilter{Utility: "U3", Statuses: status(meterkey.AwaitingCode)}, false},
		{"utility that has none", store.RequestFilter{Utility: "none", WaitingOn: meterkey.Customer}, false},
		{"template", store.RequestFilter{Template: "t1"}, false},
		{"archived", store.RequestFilter{Archived: &yes}, false},
		{"not archived, real", store.RequestFilter{Archived: &no, Test: &no}, false},
		{"practice", store.RequestFilter{Test: &yes}, false},
		{"a day", store.RequestFilter{From: deep.Created, To: deep.Created.Add(time.Hour)}, false},
		{"search: one e-mail address", store.RequestFilter{Search: "customer77@"}, true},
		{"search: some", store.RequestFilter{Search: "customer123"}, true},
		{"search: many, all of them old", store.RequestFilter{Search: "customer1"}, false},
		{"search: all", store.RequestFilter{Search: "customer"}, false},
		{"search: all, and a status", store.RequestFilter{Search: "doe", Statuses: status(meterkey.Failed)}, false},
		{"search: a uid", store.RequestFilter{Search: deep.UID[:8]}, true},
		{"search: none", store.RequestFilter{Search: "nobody"}, true},
		{"uids", store.RequestFilter{UIDs: []string{deep.UID, "none"}}, true},
	}
}

// explain is how the database goes about a statement.
func explain(ctx context.Context, t testing.TB, s *store.Store, statement string) string {
	t.Helper()
	how := "EXPLAIN QUERY PLAN "
	if s.IsPostgres() {
		how = "EXPLAIN (ANALYZE, COSTS OFF) "
	}
	rows, err := s.SQL().QueryContext(ctx, how+statement)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var lines []string
	for rows.Next() {
		fields := make([]any, len(columns))
		var line string
		for i := range fields {
			fields[i] = new(any)
		}
		fields[len(fields)-1] = &line
		require.NoError(t, rows.Scan(fields...))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n")
}

var (
	wholeTable = regexp.MustCompile(`Seq Scan|\bSCAN (\w+)`)
	sorting    = regexp.MustCompile(`Sort Key|TEMP B-TREE`)
)

// scans tells whether a plan reads a whole table, or a whole index. SQLite also says SCAN of what a subquery returned.
func scans(plan string) bool {
	for _, found := range wholeTable.FindAllStringSubmatch(plan, -1) {
		if found[1] == "" || !strings.Contains(plan, "CO-ROUTINE "+found[1]) && !strings.Contains(plan, "MATERIALIZE "+found[1]) {
			return true
		}
	}
	return false
}

// No list reads a whole table, and none that may be long is sorted: the database says so itself.
func testPlans(t *testing.T, w *world) {
	w.requester(t, "acme")
	const count = 15000
	fill(t, w, count)
	deep := w.list(t, store.RequestFilter{To: time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC), Limit: 1}).Items[0]
	watched, statements := w.Watch()
	for _, look := range looks(deep) {
		look.filter.Requester = "acme"
		_, err := watched.ListRequests(t.Context(), look.filter)
		require.NoError(t, err)
		for _, statement := range statements.Take() {
			plan := explain(t.Context(), t, w.Store, statement)
			require.False(t, scans(plan), "%s: %.2000s\n%s", look.name, statement, plan)
			if strings.Contains(statement, "COUNT(*)") {
				require.Regexp(t, `request_uid=\?|search_index_pkey`, plan, "terms are looked up by their request")
			}
			if !look.few {
				require.NotRegexp(t, sorting, plan, "%s: %.2000s", look.name, statement)
			}
		}
	}
}

// Every other list and sweep goes by an index as well.
func testPlansOfOtherLists(t *testing.T, w *world) {
	a := w.connected(t, newLife("one"))
	page, err := w.ListMeters(t.Context(), store.MeterFilter{Requester: "acme", Limit: 1})
	require.NoError(t, err)
	watched, statements := w.Watch()
	// PostgreSQL would read and sort tables as small as these; told not to, it shows whether there is another way.
	if w.IsPostgres() {
		w.SQL().SetMaxOpenConns(1)
		_, err := w.SQL().ExecContext(t.Context(), "SET enable_seqscan = off; SET enable_sort = off")
		require.NoError(t, err)
	}
	yes, now, ctx := true, w.clock.next(), t.Context()
	for name, list := range map[string]func() error{
		"authorizations": func() error {
			return listed(watched.ListAuthorizations(ctx, store.AuthorizationFilter{Requester: "acme", After: a.UID}))
		},
		"authorizations declined": func() error {
			return listed(watched.ListAuthorizations(ctx, store.AuthorizationFilter{Requester: "acme", Declined: &yes}))
		},
		"authorizations of forms": func() error {
			return listed(watched.ListAuthorizations(ctx, store.AuthorizationFilter{Requester: "acme", Forms: []string{"one"}}))
		},
		"authorizations by uid": func() error {
			return listed(watched.ListAuthorizations(ctx, store.AuthorizationFilter{Requester: "acme", UIDs: []string{a.UID}}))
		},
		"meters": func() error {
			return listed(watched.ListMeters(ctx, store.MeterFilter{Requester: "acme", After: page.Next}))
		},
		"meters of authorizations": func() error {
			return listed(watched.ListMeters(ctx, store.MeterFilter{Requester: "acme", Authorizations: []string{a.UID, "x"}}))
		},
		"all meters": func() error { return listed(watched.AllMeters(ctx, "acme", a.UID)) },
		"events":     func() error { return listed(watched.ListEvents(ctx, store.EventFilter{Requester: "acme"})) },
		"events delivered": func() error {
			return listed(watched.ListEvents(ctx, store.EventFilter{Requester: "acme", Delivered: &yes}))
		},
		"deliveries":     func() error { return listed(watched.Deliveries(ctx, "acme", "", 10)) },
		"due deliveries": func() error { return listed(watched.DueDeliveries(ctx, now, 10)) },
		"last change":    func() error { return listed(watched.LastChange(ctx, "acme")) },
		"open requests":  func() error { return listed(watched.OpenRequests(ctx, "a", 10)) },
		"leavers":        func() error { return listed(watched.Leavers(ctx, now)) },
		"keys":           func() error { return listed(watched.Keys(ctx, "acme")) },
	} {
		require.NoError(t, list(), name)
		for _, statement := range statements.Take() {
			plan := explain(t.Context(), t, w.Store, statement)
			require.False(t, scans(plan), "%s: %s\n%s", name, statement, plan)
			if !strings.Contains(name, "forms") && !strings.Contains(name, "uid") {
				require.NotRegexp(t, sorting, plan, "%s: %s", name, statement)
			}
		}
	}
}

// listed drops what a list returned.
func listed[T any](_ T, err error) error { return err }

// BenchmarkLists shows each list over 100,000 requests with its time and its plan: go test -bench Lists -run '^$'.
func BenchmarkLists(b *testing.B) {
	for name, options := range map[string]func(testing.TB) store.Options{
		"SQLite":     func(t testing.TB) store.Options { return store.Options{File: filepath.Join(t.TempDir(), "many.db")} },
		"PostgreSQL": func(t testing.TB) store.Options { return store.Options{URL: postgres.migrated(t)} },
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, options(b))
			_, err := w.PutRequester(b.Context(), store.Requester{UID: "acme"})
			require.NoError(b, err)
			fill(b, w, 100_000)
			page, err := w.ListRequests(b.Context(), store.RequestFilter{Requester: "acme", To: time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC), Limit: 1})
			require.NoError(b, err)
			for _, look := range looks(page.Items[0]) {
				b.Run(look.name, func(b *testing.B) { benchmarkLook(b, w, look) })
			}
			benchmarkNumbers(b, w)
		})
	}
}

func benchmarkLook(b *testing.B, w *world, look look) {
	watched, statements := w.Watch()
	look.filter.Requester = "acme"
	for b.Loop() {
		_, err := watched.ListRequests(b.Context(), look.filter)
		require.NoError(b, err)
		taken := statements.Take()
		if b.N == 0 {
			for _, statement := range taken {
				b.Log(explain(b.Context(), b, w.Store, statement))
			}
		}
	}
}

func benchmarkNumbers(b *testing.B, w *world) {
	span := store.Span{Requester: "acme"}
	for name, count := range map[string]func() error{
		"counts":    func() error { _, err := w.Counts(b.Context(), span); return err },
		"funnel":    func() error { _, err := w.Funnel(b.Context(), span); return err },
		"days":      func() error { _, err := w.ConnectedByDay(b.Context(), span); return err },
		"utilities": func() error { _, err := w.ByUtility(b.Context(), span); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, count())
			}
		})
	}
}
