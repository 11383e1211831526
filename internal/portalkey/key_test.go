package portalkey

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func key(t *testing.T, b byte) *Key {
	t.Helper()
	k, err := New(bytes.Repeat([]byte{b}, Size))
	require.NoError(t, err)
	return k
}

var linked = time.Date(2026, 11, 23, 9, 0, 0, 123456000, time.UTC)

func TestLink_NamesItsRequestAndMoment(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"r-1042", "with.dots.in.it", "a", strings.Repeat("z", 64)} {
		token := key(t, 1).LinkToken(id, linked)
		gotID, gotAt, ok := key(t, 1).ReadLinkToken(token)
		require.True(t, ok)
		require.Equal(t, id, gotID)
		require.Equal(t, linked, gotAt)
		require.Regexp(t, `^[A-Za-z0-9._-]+$`, token, "safe in a URL")
	}
}

func TestLink_OfAnotherMomentIsAnother(t *testing.T) {
	t.Parallel()
	k := key(t, 1)
	require.NotEqual(t, k.LinkToken("r-1", linked), k.LinkToken("r-1", linked.Add(time.Microsecond)))
	require.Equal(t, k.LinkToken("r-1", linked), k.LinkToken("r-1", linked.Add(time.Nanosecond)), "it counts microseconds")
}

func TestLink_CannotBeMade(t *testing.T) {
	t.Parallel()
	k := key(t, 1)
	token := k.LinkToken("r-1", linked)
	other := key(t, 2).LinkToken("r-1", linked)
	for name, forged := range map[string]string{
		"another key": other, "another request": strings.Replace(token, "r-1", "r-2", 1), "no code": token[:strings.LastIndex(token, ".")],
		"an empty one": "", "dots": "..", "half a code": token[:len(token)-4], "a longer code": token + "AA", "not base64": token[:len(token)-1] + "!",
	} {
		_, _, ok := k.ReadLinkToken(forged)
		require.False(t, ok, name)
	}
}

func FuzzReadLinkToken(f *testing.F) {
	k, err := New(bytes.Repeat([]byte{1}, Size))
	require.NoError(f, err)
	f.Add(k.LinkToken("r-1", linked))
	f.Add("r-1..")
	f.Fuzz(func(t *testing.T, token string) {
		if id, at, ok := k.ReadLinkToken(token); ok {
			require.Equal(t, token, k.LinkToken(id, at), "what is accepted is what we make")
		}
	})
}

func TestSeal_OpensForItsPurposeOnly(t *testing.T) {
	t.Parallel()
	k := key(t, 1)
	sealed := k.Seal("webhook w1", "hunter2")
	require.NotContains(t, sealed, "hunter2")
	require.NotEqual(t, sealed, k.Seal("webhook w1", "hunter2"), "twice is not told")
	plain, err := k.Open("webhook w1", sealed)
	require.NoError(t, err)
	require.Equal(t, "hunter2", plain)

	changed := []byte(sealed)
	changed[10] ^= 1
	for name, open := range map[string]func() (string, error){
		"another purpose": func() (string, error) { return k.Open("webhook w2", sealed) },
		"another key":     func() (string, error) { return key(t, 2).Open("webhook w1", sealed) },
		"changed":         func() (string, error) { return k.Open("webhook w1", string(changed)) },
		"no base64":       func() (string, error) { return k.Open("webhook w1", "%") },
		"nothing":         func() (string, error) { return k.Open("webhook w1", "") },
	} {
		_, err := open()
		require.ErrorIs(t, err, ErrNotOurs, name)
	}
}

func TestLoadOrCreate_AgreesOnOneKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new", "portal.key")
	tokens := make([]string, 8)
	var wait sync.WaitGroup
	for i := range tokens {
		wait.Go(func() {
			k, err := LoadOrCreate(file)
			if err == nil {
				tokens[i] = k.LinkToken("r-1", linked)
			}
		})
	}
	wait.Wait()
	for _, token := range tokens {
		require.NotEmpty(t, token)
		require.Equal(t, tokens[0], token)
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "no half-made file stays")
}

func TestLoadOrCreate_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, os.Chmod(file, mode))
		return file
	}
	good := "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
	for file, says := range map[string]string{
		write("open", good, 0o644):                         "chmod 600",
		write("short", "AQEB\n", 0o600):                    "32 bytes in base64",
		write("words", "not a key", 0o600):                 "openssl rand",
		filepath.Join(write("file", good, 0o600), "below"): "portal's key file",
	} {
		_, err := LoadOrCreate(file)
		require.ErrorContains(t, err, says, file)
	}
	_, err := LoadOrCreate(write("group", good, 0o640))
	require.NoError(t, err, "worker and portal may be two users of one group")
}
