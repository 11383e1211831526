package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate applies the migrations that are missing and tells the version reached. Several processes may do so at once.
func (s *Store) Migrate(ctx context.Context) (version int64, err error) {
	provider, err := s.migrator()
	if err != nil {
		return 0, fmt.Errorf("preparing migrations: %w", err)
	}
	unlock, err := s.lockMigrations(ctx)
	if err != nil {
		return 0, fmt.Errorf("waiting for other migrations: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrating the database: %w", err)
	}
	return provider.GetDBVersion(ctx)
}

func (s *Store) migrator() (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)),
		goose.WithGoMigrations(goose.NewGoMigration(1, &goose.GoFunc{RunTx: s.createTypes}, nil)),
	}
	if !s.isPostgres() {
		return goose.NewProvider(goose.DialectSQLite3, s.db.DB, folder, options...)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(busyTimeout.Seconds())))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, s.db.DB, folder, append(options, goose.WithSessionLocker(locker))...)
}

// createTypes gives PostgreSQL the types that SQLite has by itself: text ordered by its bytes, so that beginnings can be
// looked up in an index whatever the database's language, and bytes under SQLite's name.
func (s *Store) createTypes(ctx context.Context, tx *sql.Tx) error {
	if !s.isPostgres() {
		return nil
	}
	for _, statement := range []string{
		`CREATE DOMAIN exact_text AS TEXT COLLATE "C"`,
		`CREATE DOMAIN blob AS BYTEA`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// lockMigrations lets one process at a time migrate an SQLite file, and has the file keep a write-ahead log, which
// lets others read while one writes. The lock is SQLite's own, on a file beside it, since migrations are transactions of
// the file itself. PostgreSQL's lock is the migrator's.
func (s *Store) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	if s.isPostgres() {
		return func() error { return nil }, nil
	}
	db, err := sql.Open("sqlite", sqliteName(s.file+".migrating", "exclusive"))
	if err != nil {
		return nil, err
	}
	held, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	unlock = func() error {
		if err := held.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			return errors.Join(err, db.Close())
		}
		return db.Close()
	}
	if _, err = s.db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return unlock, nil
}
