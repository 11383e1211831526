package store

import (
	"context"
	"database/sql"
	"io/fs"
	"sync"

	"github.com/uptrace/bun"
)

// Statements keeps what a store asks of its database, for tests that look at how it is answered.
type Statements struct {
	mu  sync.Mutex
	all []string
}

// BeforeQuery is bun's hook.
func (*Statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery is bun's hook.
func (s *Statements) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, event.Query)
}

// Take returns the statements kept, and forgets them.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

// Migrations are the files that tables are made from.
var Migrations fs.FS = migrations

// MigrateTo applies the migrations up to a version, as the release that had no newer one did.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	provider, err := s.migrator()
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

// Watch keeps the statements from here on.
func (s *Store) Watch() (*Store, *Statements) {
	statements := &Statements{}
	watched := *s
	watched.db = s.db.WithQueryHook(statements)
	return &watched, statements
}

// SQL is the database itself.
func (s *Store) SQL() *sql.DB { return s.db.DB }

// IsPostgres tells the databases apart.
func (s *Store) IsPostgres() bool { return s.isPostgres() }

// Terms are what a text is found by.
func Terms(text string) []string { return terms(text) }

// Prefix is what a search compares the beginnings of terms with.
func Prefix(search string) string { return short(normal(search)) }

// Fill adds requests without asking whether they make sense.
func (s *Store) Fill(ctx context.Context, requests []Request) error {
	var rows []searchTerm
	for _, r := range requests {
		rows = append(rows, searchTermsOf(r)...)
	}
	return s.write(ctx, "filling", func(ctx context.Context, tx bun.Tx) error {
		if err := insert(ctx, tx, requests, nil); err != nil {
			return err
		}
		return insert(ctx, tx, rows, nil)
	})
}
