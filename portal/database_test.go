package main

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/portalkey"
)

func TestMigrate_AsOftenAsOneLikes(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	first := h.says(t, "", "migrate")
	require.Regexp(t, `^the database is at version \d+\n$`, first)
	h.says(t, "", "requester", "add", "acme")
	require.Equal(t, first, h.says(t, "", "migrate"))
	require.Contains(t, h.says(t, "", "requester", "list"), "acme", "nothing is lost")
}

func TestMigrate_SideBySide(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	var group sync.WaitGroup
	said, failed := make([]string, 4), make([]error, 4)
	for i := range said {
		group.Go(func() { said[i], failed[i] = h.run(t.Context(), "", "migrate") })
	}
	group.Wait()
	for i := range said {
		require.NoError(t, failed[i])
		require.Equal(t, said[0], said[i])
	}
}

// TestMigrate_LeavesANewerDatabaseAlone: while portals are replaced one by one, the old ones go on with what the new ones
// made of the database.
func TestMigrate_LeavesANewerDatabaseAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.says(t, "", "requester", "add", "acme")
	db, err := sql.Open("sqlite", filepath.Join(h.dir, "meterkey.db"))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Equal(t, "the database is at version 999\n", h.says(t, "", "migrate"))
	require.Contains(t, h.says(t, "", "requester", "list"), "acme")
}

func TestDatabase_ThatCannotBeOpenedIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noDatabase := filepath.Join(dir, "letter.txt")
	require.NoError(t, os.WriteFile(noDatabase, []byte(strings.Repeat("This is a letter, no database.\n", 200)), 0o600))
	for _, c := range []struct{ setting, want string }{
		{"MK_DATABASE_FILE=" + noDatabase, "opening the database: file is not a database (26); MK_DATABASE_FILE is " + noDatabase},
		{"MK_DATABASE_FILE=" + dir, "opening the database: unable to open database file (14); MK_DATABASE_FILE is " + dir},
		{"MK_DATABASE_FILE=" + noDatabase + "/x.db", "making the database's folder: mkdir " + noDatabase + ": not a directory"},
	} {
		for _, command := range []string{"migrate", "requester list", "key list --requester acme", "serve"} {
			require.Equal(t, c.want, newHome(t, c.setting).fails(t, "", strings.Fields(command)...), command)
		}
	}
	letter, err := os.ReadFile(noDatabase)
	require.NoError(t, err)
	require.Len(t, letter, 31*200, "what is no database is left as it was")
}

func TestDatabase_ServerThatIsAwayIsSaidWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"postgres://meterkey:hunter2secret@127.0.0.1:9/meterkey", "postgres://meterkey:hunter2secret@127.0.0.1:9/meterkey?x=%zz"} {
		said := newHome(t, "MK_DATABASE_URL="+address).fails(t, "", "migrate")
		require.Regexp(t, `(?s)^opening the database: .*127\.0\.0\.1:9.*; MK_DATABASE_URL names it$`, said)
		require.NotContains(t, said, "hunter2secret")
	}
}

func TestSettings_ThatAreWrongAreNamedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	h := newHome(t, "MK_PORTAL_URL=data.acme.example", "MK_DATABASE_URL=mysql://x/y", "MK_GALLERY=perhaps")
	said := h.fails(t, "", "requester", "add", "acme")
	require.Equal(t, "reading the configuration: "+
		"MK_PORTAL_URL: 'data.acme.example' is not an address that begins with http:// or https://\n"+
		"MK_DATABASE_URL: 'mysql://x/y' is not an address that begins with postgres:// or postgresql://\n"+
		"MK_GALLERY: 'perhaps' is neither true nor false", said)
	require.NoDirExists(t, h.dir)
}

func TestSettings_ThatAreNoneAreWarnedOf(t *testing.T) {
	t.Parallel()
	h := newHome(t, "MK_PORTAL_LISTN=127.0.0.1:80")
	var out, log bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"migrate"}, h.env, strings.NewReader(""), &out, &log))
	require.Contains(t, log.String(), "did you mean MK_PORTAL_LISTEN?")
	require.NotContains(t, out.String(), "MK_PORTAL_LISTN", "what was asked for stays clean")
}

func TestServe_RefusesAKeyThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "good.key")
	_, err := portalkey.LoadOrCreate(good)
	require.NoError(t, err)
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	for _, c := range []struct {
		mode os.FileMode
		text string
		want string
	}{
		{0o644, string(text), `^reading the portal's key file: (\S+/portal\.key) is open to others \(0644\): chmod 600 \S+/portal\.key$`},
		{0o660, string(text), `is open to others \(0660\): chmod 600 `},
		{0o600, "", `^reading the portal's key file: \S+ must hold 32 bytes in base64: make one with .openssl rand -base64 32.$`},
		{0o600, "c2hvcnQ=", "must hold 32 bytes in base64"},
		{0o600, "-----BEGIN PRIVATE KEY-----", "must hold 32 bytes in base64"},
	} {
		file := filepath.Join(t.TempDir(), "portal.key")
		require.NoError(t, os.WriteFile(file, []byte(c.text), c.mode))
		require.NoError(t, os.Chmod(file, c.mode)) // whatever the umask
		said := newHome(t, "MK_RECIPIENT="+recipient(t), "MK_PORTAL_KEY_FILE="+file).fails(t, "", "serve")
		require.Regexp(t, c.want, said)
		require.NotContains(t, said, strings.TrimSpace(string(text)))
	}
}

func TestServe_RefusesARecipientThatNoWaitingMends(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	identity := filepath.Join(dir, "identity.txt")
	const secret = "AGE-SECRET-KEY-1QQQQ"
	require.NoError(t, os.WriteFile(identity, []byte(secret+"\n"), 0o600))
	for setting, want := range map[string]string{
		"age1damaged": `^reading MK_RECIPIENT: malformed recipient`,
		identity:      `^reading MK_RECIPIENT: .*it holds an identity, which must stay with the workers`,
		dir:           `^reading MK_RECIPIENT: .*is a directory`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		_, err := newHome(t, "MK_RECIPIENT="+setting).run(ctx, "")
		require.NoError(t, ctx.Err(), "it waited")
		cancel()
		require.Error(t, err)
		require.Regexp(t, want, err.Error())
		require.NotContains(t, err.Error(), secret)
	}
}

func TestServe_StopsWhileItWaitsForTheRecipient(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := &saying{waits: regexp.MustCompile("waiting for the workers' recipient: start a worker, or set MK_RECIPIENT"), heard: cancel}
	var out bytes.Buffer
	err := run(ctx, nil, h.env, strings.NewReader(""), &out, log)
	require.ErrorContains(t, err, "waiting for the workers' recipient: reading MK_RECIPIENT: no recipient file "+filepath.Join(h.dir, "identity.txt.pub"))
	require.Empty(t, out.String())
}

// saying is a log that tells when a line was said.
type saying struct {
	waits *regexp.Regexp
	heard func()
}

func (s *saying) Write(line []byte) (int, error) {
	if s.waits.Match(line) {
		s.heard()
	}
	return len(line), nil
}
