package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// busyTimeout is how long a writer waits at the SQLite file for the writers of other processes.
const busyTimeout = time.Minute

// Open connects to the database and applies migrations that are missing, which several processes may do at once.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{clock: o.Now}
	if s.clock == nil {
		s.clock = time.Now
	}
	connect := s.sqlite
	if o.URL != "" {
		connect = s.postgres
	}
	if err := connect(o); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, o Options) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if o.NoMigrate {
		return nil
	}
	_, err := s.Migrate(ctx)
	return err
}

func (s *Store) sqlite(o Options) error {
	if o.File == "" {
		return fmt.Errorf("%w: neither a database's URL nor a file is given", ErrInvalid)
	}
	db, err := sql.Open("sqlite", sqliteName(o.File, "immediate"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	s.file = o.File
	s.writing = make(chan struct{}, 1)
	s.db = bun.NewDB(db, sqliteDialect{sqlitedialect.New()})
	return nil
}

// sqliteName is the driver's name of a file. A transaction takes the lock it needs at its start: one that came to need
// it later could not wait for it.
func sqliteName(file, lock string) string {
	settings := url.Values{
		"_pragma":   {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "foreign_keys(1)"},
		"_txlock":   {lock},
		"_timezone": {"UTC"},
	}
	path := url.URL{Path: filepath.ToSlash(file)}
	return "file:" + path.EscapedPath() + "?" + settings.Encode()
}

func (s *Store) postgres(o Options) error {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return err
	}
	// bun writes values into its statements, so none is worth preparing; its quoting relies on the standard's strings.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.RuntimeParams["application_name"] = "meterkey"
	// Disks that turn made PostgreSQL shun indexes: its own setting is for those.
	config.RuntimeParams["random_page_cost"] = "1.1"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.db = bun.NewDB(db, postgresDialect{pgdialect.New()})
	return nil
}

// The dialects leave out what no text column can hold: PostgreSQL has no NUL in texts, and bun refuses it in both.
type sqliteDialect struct{ *sqlitedialect.Dialect }

type postgresDialect struct{ *pgdialect.Dialect }

var _, _ schema.Dialect = sqliteDialect{}, postgresDialect{}

// AppendString writes a quoted string.
func (d sqliteDialect) AppendString(b []byte, text string) []byte {
	return d.Dialect.AppendString(b, withoutNUL(text))
}

// AppendString writes a quoted string.
func (d postgresDialect) AppendString(b []byte, text string) []byte {
	return d.Dialect.AppendString(b, withoutNUL(text))
}

func withoutNUL(text string) string { return strings.ReplaceAll(text, "\x00", "") }

func (s *Store) isPostgres() bool { return s.db.Dialect().Name() == dialect.PG }
