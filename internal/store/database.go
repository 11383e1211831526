package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// now is the present, as exact as it is stored.
func (s *Store) now() time.Time { return exact(s.clock()) }

// write runs everything that changes the database: in one transaction, and again where PostgreSQL broke a deadlock.
func (s *Store) write(ctx context.Context, doing string, do func(ctx context.Context, tx bun.Tx) error) error {
	if s.writing != nil {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", doing, ctx.Err())
		}
	}
	const most = 5
	for tries := 1; ; tries++ {
		err := s.db.RunInTx(ctx, nil, do)
		if !deadlocked(err) || tries == most {
			return failed(doing, err)
		}
	}
}

// failed wraps an error in what was being done and, where the database refused a row, in the error that says so.
func failed(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	case refused(err, "23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
		err = fmt.Errorf("%w: it exists already", ErrConflict)
	case refused(err, "23503", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
		err = fmt.Errorf("%w: what it belongs to", ErrNotFound)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refused tells whether the database gave this code of PostgreSQL's, or one of these of SQLite's.
func refused(err error, postgres string, lite ...int) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == postgres
	}
	var file *sqlite.Error
	if errors.As(err, &file) {
		for _, code := range lite {
			if file.Code() == code {
				return true
			}
		}
	}
	return false
}

func deadlocked(err error) bool { return refused(err, "40P01") || refused(err, "40001") }

// one reads the row of T that the conditions name.
func one[T any](ctx context.Context, db bun.IDB, doing string, where func(*bun.SelectQuery) *bun.SelectQuery) (T, error) {
	var row T
	err := where(db.NewSelect().Model(&row)).Scan(ctx)
	return row, failed(doing, err)
}

// owned is the condition that names a requester's row.
func owned(requesterUID, uid string) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("?TableAlias.uid = ?", uid).Where("?TableAlias.requester_uid = ?", requesterUID)
	}
}

// locked has a row wait for whoever is changing it. SQLite's writers wait for each other anyway.
func (s *Store) locked(q *bun.SelectQuery) *bun.SelectQuery {
	if s.isPostgres() {
		return q.For("UPDATE")
	}
	return q
}

// insert adds the rows, some hundred at a time.
func insert[T any](ctx context.Context, tx bun.Tx, rows []T, adapt func(*bun.InsertQuery) *bun.InsertQuery) error {
	const most = 500
	for len(rows) > 0 {
		batch := rows[:min(most, len(rows))]
		rows = rows[len(batch):]
		if _, err := tx.NewInsert().Model(&batch).Apply(adapt).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// put adds one row.
func put[T any](ctx context.Context, tx bun.Tx, row *T) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// save writes all columns of a row that is there.
func save[T any](ctx context.Context, tx bun.Tx, row *T) error {
	_, err := tx.NewUpdate().Model(row).WherePK().Exec(ctx)
	return err
}

// some tells that a statement met a row: sql.ErrNoRows when it did not.
func some(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows > 0 {
		return err
	}
	return sql.ErrNoRows
}
