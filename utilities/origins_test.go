package utilities

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "origins.yaml", "https://www.site.example: http://site.localhost:4000\nhttps://id.site.example/: http://id.localhost:4000/\n")
	o, err := LoadOrigins(dir + "/origins.yaml")
	require.NoError(t, err)

	there, err := o.Replace("https://www.site.example/login?x=https://id.site.example#y")
	require.NoError(t, err)
	require.Equal(t, "http://site.localhost:4000/login?x=https://id.site.example#y", there)
	require.Equal(t, "https://id.site.example/a?b", o.Real("http://id.localhost:4000/a?b"))
	require.Equal(t, "http://other.localhost:4000/a", o.Real("http://other.localhost:4000/a"))

	_, err = o.Replace("https://www.real.example/login")
	require.ErrorIs(t, err, ErrOriginNotReplaced)

	none, err := LoadOrigins("")
	require.NoError(t, err)
	there, err = none.Replace("https://www.real.example/login")
	require.NoError(t, err)
	require.Equal(t, "https://www.real.example/login", there)
}

func TestOriginsMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, want := range map[string]string{
		"https://www.site.example/login: http://x.localhost": "is not an origin",
		"https://www.site.example: localhost":                "is not an origin",
		"- https://www.site.example":                         "o.yaml",
		"{}":                                                 "holds no origins",
		"https://a.example: http://x.test\nhttps://b.example: http://x.test": "both",
	} {
		write(t, dir, "o.yaml", text)
		_, err := LoadOrigins(dir + "/o.yaml")
		require.ErrorContains(t, err, want, text)
	}
	_, err := LoadOrigins(dir + "/nowhere.yaml")
	require.Error(t, err)
}
