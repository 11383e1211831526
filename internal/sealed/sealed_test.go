package sealed

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func newIdentity(t *testing.T) (*Identity, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "home", "identity.txt")
	identity, err := LoadOrCreate(file)
	require.NoError(t, err)
	return identity, file
}

func seal(t *testing.T, recipient, text string) meterkey.Sealed {
	t.Helper()
	s, err := meterkey.Seal(recipient, text)
	require.NoError(t, err)
	return s
}

func TestCreateAndLoad(t *testing.T) {
	first, file := newIdentity(t)
	require.Regexp(t, `^age1[0-9a-z]{58}$`, first.Recipient())
	again, err := LoadOrCreate(file)
	require.NoError(t, err)
	require.Equal(t, first.Recipient(), again.Recipient())

	requireMode(t, file, 0o600)
	requireMode(t, file+RecipientSuffix, 0o644)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Regexp(t, `^# created: \S+Z\n# public key: age1\S+\nAGE-SECRET-KEY-1[0-9A-Z]+\n$`, string(text))
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, entries, 2, "nothing temporary stays behind")
}

func requireMode(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, mode, info.Mode().Perm(), file)
}

func TestManyCreateOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "identity.txt")
	var everyone sync.WaitGroup
	recipients, errs := make([]string, 16), make([]error, 16)
	for i := range recipients {
		everyone.Go(func() {
			identity, err := LoadOrCreate(file)
			if errs[i] = err; err == nil {
				recipients[i] = identity.Recipient()
			}
		})
	}
	everyone.Wait()
	published, err := ReadRecipient(file + RecipientSuffix)
	require.NoError(t, err)
	for i := range recipients {
		require.NoError(t, errs[i])
		require.Equal(t, published, recipients[i])
	}
}

func TestRotation(t *testing.T) {
	old, file := newIdentity(t)
	before := seal(t, old.Recipient(), "before")
	oldText, err := os.ReadFile(file)
	require.NoError(t, err)
	fresh, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(fresh.String()+"\n\n"+string(oldText)), 0o600))

	both, err := LoadOrCreate(file)
	require.NoError(t, err)
	require.Equal(t, fresh.Recipient().String(), both.Recipient())
	published, err := ReadRecipient(file + RecipientSuffix)
	require.NoError(t, err)
	require.Equal(t, both.Recipient(), published)
	for _, s := range []meterkey.Sealed{before, seal(t, both.Recipient(), "before")} {
		text, err := both.Open(s)
		require.NoError(t, err)
		require.Equal(t, "before", string(text))
	}
}

func TestIdentityFilesThatWillNotDo(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	quantum, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	cases := []struct {
		name, text string
		mode       os.FileMode
		says       string
	}{
		{"others can read it", key.String(), 0o640, "run chmod 600"},
		{"empty", "# nothing\n", 0o600, "no identities found"},
		{"damaged", key.String()[:40], 0o600, "error at line 1"},
		{"another kind of key", quantum.String(), 0o600, "only X25519 identities are supported"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "identity.txt")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			require.NoError(t, os.Chmod(file, c.mode))
			_, err := LoadOrCreate(file)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, file)
			require.NotContains(t, err.Error(), key.String()[20:40])
			require.NoFileExists(t, file+RecipientSuffix)
		})
	}
	folder := t.TempDir()
	_, err = LoadOrCreate(folder)
	require.Error(t, err, "a folder is no file")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
	_, err = LoadOrCreate(filepath.Join(folder, "file", "identity.txt"))
	require.Error(t, err, "a file is no folder")
}

func TestReadRecipient(t *testing.T) {
	identity, file := newIdentity(t)
	for _, value := range []string{identity.Recipient(), "  " + identity.Recipient() + "\n", file + RecipientSuffix} {
		recipient, err := ReadRecipient(value)
		require.NoError(t, err)
		require.Equal(t, identity.Recipient(), recipient)
	}
	cases := map[string]struct{ text, says string }{
		"damaged":     {"age1qqqq", "malformed recipient"},
		"empty":       {"# nothing\n\n", "it holds no recipient"},
		"secret":      {"AGE-SECRET-KEY-1QQQQ", "it holds an identity, which must stay with the workers"},
		"not age":     {"ssh-ed25519 AAAA", "a recipient begins with age1"},
		"with spaces": {"\n  # comment\n  " + identity.Recipient() + "  \n", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "recipient.pub")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := ReadRecipient(path)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "1QQQQ")
			require.NotContains(t, err.Error(), "AAAA")
		})
	}
	_, err := ReadRecipient(filepath.Join(t.TempDir(), "absent.pub"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "a worker writes it when it first starts")
}

func TestOpen(t *testing.T) {
	identity, _ := newIdentity(t)
	other, _ := newIdentity(t)
	good := seal(t, identity.Recipient(), "123456")
	text, err := identity.Open(good)
	require.NoError(t, err)
	require.Equal(t, "123456", string(text))

	raw, err := base64.StdEncoding.DecodeString(string(good))
	require.NoError(t, err)
	altered := bytes.Clone(raw)
	altered[len(altered)-1] ^= 1
	encode := func(raw []byte) meterkey.Sealed { return meterkey.Sealed(base64.StdEncoding.EncodeToString(raw)) }
	cases := []struct {
		name   string
		sealed meterkey.Sealed
		want   error
		says   string
	}{
		{"to another", seal(t, other.Recipient(), "123456"), ErrNotForUs, "another recipient"},
		{"nothing", "", ErrUnreadable, "not a binary age file"},
		{"not base64", "123456!", ErrUnreadable, "not base64"},
		{"plain text", encode([]byte("123456")), ErrUnreadable, "not a binary age file"},
		{"cut in its header", encode(raw[:60]), ErrUnreadable, "not a binary age file"},
		{"cut at its end", encode(raw[:len(raw)-3]), ErrUnreadable, "damaged"},
		{"altered", encode(altered), ErrUnreadable, "damaged"},
		{"too long", seal(t, identity.Recipient(), strings.Repeat("1", 60_000)), ErrUnreadable, "longer than 65536 bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := identity.Open(c.sealed)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "123456")
		})
	}
}

func TestOpenCredentials(t *testing.T) {
	identity, _ := newIdentity(t)
	want := meterkey.Credentials{Username: "pat@customer.example", Password: "Tür\"zu 7\n"}
	s, err := meterkey.SealCredentials(identity.Recipient(), want)
	require.NoError(t, err)
	got, err := identity.OpenCredentials(s)
	require.NoError(t, err)
	require.Equal(t, want, got)

	for name, text := range map[string]string{
		"no document":     "s3cret",
		"no user name":    `{"password":"s3cret"}`,
		"no password":     `{"username":"s3cret","password":""}`,
		"another field":   `{"username":"a","password":"s3cret","s3cret":1}`,
		"another type":    `{"username":"a","password":["s3cret"]}`,
		"a list":          `[{"username":"a","password":"s3cret"}]`,
		"two documents":   `{"username":"a","password":"s3cret"}{"username":"s3cret"}`,
		"cut short":       `{"username":"a","password":"s3cret`,
		"nothing":         ``,
		"null":            `null`,
		"a stray bracket": `{"username":"a","password":"s3cret"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			login, err := identity.OpenCredentials(seal(t, identity.Recipient(), text))
			require.ErrorIs(t, err, ErrUnreadable)
			require.NotContains(t, err.Error(), "s3cret")
			require.Empty(t, login)
		})
	}
	_, err = identity.OpenCredentials("s3cret")
	require.ErrorIs(t, err, ErrUnreadable)
}

func FuzzOpen(f *testing.F) {
	key, err := age.GenerateX25519Identity()
	require.NoError(f, err)
	identity := &Identity{recipient: key.Recipient().String(), keys: []age.Identity{key}}
	good, err := meterkey.SealCredentials(identity.recipient, meterkey.Credentials{Username: "a", Password: "b"})
	require.NoError(f, err)
	f.Add(string(good))
	f.Add("YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==")
	f.Fuzz(func(t *testing.T, s string) {
		if login, err := identity.OpenCredentials(meterkey.Sealed(s)); err != nil {
			require.Empty(t, login)
		}
	})
}
