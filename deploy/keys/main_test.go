package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sdk/payload"
)

func all(dir string) []string {
	return []string{
		"--identity=" + dir + "/identity.txt", "--recipient=" + dir + "/recipient.txt", "--portal-key=" + dir + "/portal.key",
		"--payload-keys=" + dir + "/payload-keys", "--database=" + dir + "=db:5432:meterkey:mk",
	}
}

// contents are the files of a folder, with their modes.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		found[entry.Name()] = info.Mode().String() + " " + string(text)
	}
	return found
}

func TestMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, run(all(dir), io.Discard))
	made := contents(t, dir)
	require.Len(t, made, 7, "and nothing is left over")
	for _, secret := range []string{"identity.txt", "portal.key", "payload-keys"} {
		require.Regexp(t, "^-rw------- ", made[secret], secret)
	}

	identity, err := sealed.LoadOrCreate(dir + "/identity.txt")
	require.NoError(t, err)
	require.Equal(t, "-rw-r--r-- "+identity.Recipient()+"\n", made["recipient.txt"])
	_, err = portalkey.LoadOrCreate(dir + "/portal.key")
	require.NoError(t, err)
	keys, err := payload.ReadKeys(dir + "/payload-keys")
	require.NoError(t, err)
	require.Len(t, keys, 1)

	require.NoError(t, run(all(dir), io.Discard))
	require.Equal(t, made, contents(t, dir), "a second time it changes nothing")
}

func TestPasswordOpensTheDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, run(all(dir), io.Discard))
	password, err := os.ReadFile(dir + "/password")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(password), 26, "128 bits")
	config, err := pgx.ParseConfig("postgres://mk@db:5432/meterkey?sslmode=disable&passfile=" + dir + "/pgpass")
	require.NoError(t, err)
	require.Equal(t, string(password), config.Password)
}

func TestPublishesTheRecipientOfAnotherIdentity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, run(all(dir), io.Discard))
	key, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/identity.txt", []byte(key.String()), 0o600))
	require.NoError(t, run(all(dir), io.Discard))
	recipient, err := sealed.ReadRecipient(dir + "/recipient.txt")
	require.NoError(t, err)
	require.Equal(t, key.Recipient().String(), recipient)
}

func TestSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	require.NoError(t, os.WriteFile(broken, []byte("no key"), 0o600))
	for says, args := range map[string][]string{
		"keys --help":             {"--identiti=x"},
		"reading payload keys":    {"--payload-keys=" + broken},
		"the portal's key file":   {"--portal-key=" + broken},
		"reading identity file":   {"--identity=" + broken},
		"writing /nowhere/at/all": {"--database=/nowhere/at/all=db:5432:meterkey:mk"},
	} {
		require.ErrorContains(t, run(args, io.Discard), says)
	}
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run([]string{"--help"}, &out))
	require.Contains(t, out.String(), "--payload-keys")
	require.Contains(t, out.String(), "FOLDER=HOST:PORT:NAME:USER")
}
