package utilities

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What comes from elsewhere, namely operators' files and sites' answers, may hold anything. Each of these is also a test over its seeds.

// FuzzParseFile reads utility files of all sorts: what is wrong is told with the file's name, what is right can be followed.
func FuzzParseFile(f *testing.F) {
	for _, text := range []string{good, full, "", "id: [", "- a", "a: &a [*a]", "id: .nan", "id: SITE\nlike: exelon\nwith: {host: x}", "like: ../../x", "\x00", "? [a]\n: b"} {
		f.Add(text)
	}
	names, err := filepath.Glob("*.yaml")
	require.NoError(f, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseFile("site.yaml", []byte(text))
		if err != nil {
			var m *Mistake
			if errors.As(err, &m) {
				require.Positive(t, m.Line)
			}
			require.Contains(t, err.Error(), ".yaml")
			return
		}
		require.Regexp(t, `^[A-Z][A-Z0-9_]*$`, u.ID)
		require.Positive(t, u.WindowLifetime)
	})
}

// FuzzOrigins reads files of origins: those that are taken lead there and back again.
func FuzzOrigins(f *testing.F) {
	for _, text := range []string{
		"https://www.site.example: http://site.localhost:4000", "https://a.example/: http://b/", "https://a.example: https://a.example",
		"a: b", "https://[::1]:8: http://x", "https://A.example: http://B.localhost", "https://a: http://b\nhttps://A: http://c", "", "5", "? x",
		"https://u@a.example: http://b",
	} {
		f.Add(text, "/login?a=b")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		file := filepath.Join(t.TempDir(), "origins.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		origins, err := LoadOrigins(file)
		if err != nil {
			require.Contains(t, err.Error(), "origins.yaml")
			return
		}
		require.NotEmpty(t, origins)
		for from, to := range origins {
			address := from + "/" + strings.TrimLeft(path, "/")
			if originOf(address) != from {
				continue // the path is none
			}
			there, err := origins.Replace(address)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(there, to+"/"), there)
			require.Equal(t, address, origins.Real(there))
		}
	})
}

// FuzzPaths writes the way to a field and reads it again.
func FuzzPaths(f *testing.F) {
	f.Add("flow.pages.locked[0].where")
	f.Add("[][0]..a")
	f.Fuzz(func(t *testing.T, field string) {
		path := undotted(field)
		require.Equal(t, path, undotted(dotted(path)))
		require.False(t, reaches(map[string]any{}, path))
	})
}
