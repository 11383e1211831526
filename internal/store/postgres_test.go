package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/postgrestest"
	"github.com/meterkey/meterkey/internal/store"
)

// server is a PostgreSQL of this test run alone, started by whoever needs it first.
type server struct {
	*postgrestest.Server
	names atomic.Int64
}

var (
	postgres     = &server{}
	startOnce    sync.Once
	errPostgres  error
	migratedOnce sync.Once
)

func TestMain(m *testing.M) {
	if os.Getenv(numberOfOurs) != "" {
		if err := help(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status := m.Run()
	if err := postgres.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping PostgreSQL:", err)
		status = 1
	}
	os.Exit(status)
}

// url is the address of one of the server's databases.
func (s *server) url(database string) string {
	place := url.Values{"host": {s.Dir}, "port": {"5432"}, "user": {"meterkey"}}
	return "postgres:///" + database + "?" + place.Encode()
}

// create makes a database like another and returns its address.
func (s *server) create(t testing.TB, like string) string {
	t.Helper()
	name := fmt.Sprintf("t%d", s.names.Add(1))
	s.do(t, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, like))
	return s.url(name)
}

func (s *server) do(t testing.TB, statement string) {
	t.Helper()
	startOnce.Do(func() { errPostgres = s.start() })
	require.NoError(t, errPostgres)
	db, err := sql.Open("pgx", s.url("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
}

// migrated makes a database that has all tables.
func (s *server) migrated(t testing.TB) string {
	t.Helper()
	migratedOnce.Do(func() {
		s.do(t, "CREATE DATABASE migrated")
		made, err := store.Open(t.Context(), store.Options{URL: s.url("migrated")})
		require.NoError(t, err)
		require.NoError(t, made.Close())
	})
	return s.create(t, "migrated")
}

// start makes a cluster whose language sorts otherwise than by bytes, as real ones do.
func (s *server) start() (err error) {
	s.Server, err = postgrestest.Start(postgrestest.Options{
		Initdb:   []string{"-U", "meterkey", "-A", "trust", "-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"},
		Postgres: []string{"-c", "listen_addresses=", "-c", "max_connections=200"},
	})
	return err
}

func (s *server) stop() error {
	if s.Server == nil {
		return nil
	}
	return s.Stop()
}
