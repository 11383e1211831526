package postgrestest_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/postgrestest"
)

var trusting = []string{"--username=tester", "--auth=trust", "--locale=C"}

// As root this is a server whose user may not enter the folder of the programs.
func TestServerWithProgramsThatOthersCannotReach(t *testing.T) {
	t.Setenv("MK_POSTGRES", hide(t))
	server, err := postgrestest.Start(postgrestest.Options{Initdb: trusting, Postgres: []string{"-c", "listen_addresses="}})
	require.NoError(t, err)

	place := url.Values{"host": {server.Dir}, "user": {"tester"}}
	connection, err := pgx.Connect(t.Context(), "postgres:///postgres?"+place.Encode())
	require.NoError(t, err, server.Log())
	require.NoError(t, connection.Ping(t.Context()))
	require.NoError(t, server.Stop(), "it ends well, though somebody is connected")
	require.Error(t, connection.Ping(t.Context()))
	require.NoDirExists(t, server.Dir)
}

func TestStartSaysWhatWentWrong(t *testing.T) {
	for name, test := range map[string]struct {
		options postgrestest.Options
		want    string
	}{
		"a flag that initdb does not know":   {postgrestest.Options{Initdb: []string{"--unheard-of"}}, "--unheard-of"},
		"a flag that postgres does not know": {postgrestest.Options{Initdb: trusting, Postgres: []string{"--unheard-of=1"}}, "ended at once"},
	} {
		t.Run(name, func(t *testing.T) {
			place := t.TempDir()
			require.NoError(t, os.Chmod(filepath.Dir(place), 0o755))
			t.Setenv("TMPDIR", place)
			_, err := postgrestest.Start(test.options)
			require.ErrorContains(t, err, test.want)
			left, err := os.ReadDir(place)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
	t.Run("no programs", func(t *testing.T) {
		t.Setenv("MK_POSTGRES", "")
		_, err := postgrestest.Start(postgrestest.Options{})
		require.ErrorContains(t, err, "run `make setup`")
	})
}

// hide copies PostgreSQL into a folder of the test's own, which nobody else may enter, and returns that of its programs.
func hide(t *testing.T) string {
	t.Helper()
	initdb, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("MK_POSTGRES"), "initdb"))
	require.NoError(t, err, "run `make setup`, then `. .tools/env`")
	programs, hidden := filepath.Dir(initdb), filepath.Join(t.TempDir(), "hidden")
	require.NoError(t, os.CopyFS(hidden, os.DirFS(filepath.Dir(programs))))
	return filepath.Join(hidden, filepath.Base(programs))
}
