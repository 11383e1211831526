package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// server is a real PostgreSQL of this test run alone, reached by a socket in its own folder.
type server struct {
	folder  string
	input   io.Closer // the server lasts as long as this is open, whatever becomes of us
	command *exec.Cmd
	log     bytes.Buffer
	names   atomic.Int64
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
	place := url.Values{"host": {s.folder}, "port": {"5432"}, "user": {"meterkey"}}
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

// start makes a cluster whose language sorts otherwise than by bytes, as real ones do, and waits until it answers.
func (s *server) start() error {
	bin := os.Getenv("MK_POSTGRES")
	if bin == "" {
		return errors.New("MK_POSTGRES does not name PostgreSQL's folder of programs: run `make setup`, then `. .tools/env`")
	}
	var err error
	if s.folder, err = os.MkdirTemp("", "mk-pg-"); err != nil {
		return err
	}
	who, err := s.owner()
	if err != nil {
		return err
	}
	data := filepath.Join(s.folder, "data")
	//nolint:gosec // the programs that the environment names are the ones to run
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "-D", data, "-U", "meterkey", "-A", "trust", "-N", "-E", "UTF8",
		"--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
	initdb.Dir, initdb.SysProcAttr = s.folder, who
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("making a cluster: %w: %s", err, out)
	}
	//nolint:gosec // see above
	s.command = exec.CommandContext(context.Background(), "/bin/sh", "-c", `"$@" & server=$!; cat; kill -QUIT $server; wait $server; exit 0`, "sh",
		filepath.Join(bin, "postgres"), "-D", data, "-k", s.folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "max_connections=200", "-c", "unix_socket_permissions=0777")
	s.command.Dir, s.command.SysProcAttr = s.folder, who
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	if s.input, err = s.command.StdinPipe(); err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	return s.ready()
}

// owner is whom the server runs as: not root, whom it refuses. Then the folder becomes that user's.
func (s *server) owner() (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(nobody.Gid, 10, 32)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}},
		errors.Join(uidErr, gidErr, os.Chown(s.folder, int(uid), int(gid)))
}

// ready waits until the server answers.
func (s *server) ready() error {
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only asked for an answer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for err = db.PingContext(ctx); err != nil; err = db.PingContext(ctx) {
		select {
		case <-every.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for PostgreSQL: %w", errors.Join(err, s.stop(), errors.New(s.log.String())))
		}
	}
	return nil
}

func (s *server) stop() error {
	if s.command != nil && s.command.Process != nil {
		_ = s.input.Close() // which is what ends it
		if err := s.command.Wait(); err != nil {
			return err
		}
	}
	if s.folder == "" {
		return nil
	}
	return os.RemoveAll(s.folder)
}
