package browser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func program(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
	return path
}

func TestFindChromiumByEnvironment(t *testing.T) {
	path := program(t, t.TempDir(), "my-chromium")
	t.Setenv("MK_CHROMIUM", path)
	found, err := FindChromium()
	require.NoError(t, err)
	require.Equal(t, path, found)

	t.Setenv("MK_CHROMIUM", filepath.Join(t.TempDir(), "none"))
	_, err = FindChromium()
	require.ErrorContains(t, err, "MK_CHROMIUM")
}

func TestFindChromiumInPlaywrightsCache(t *testing.T) {
	for _, c := range []struct{ system, cache, folder string }{
		{"linux", ".cache/ms-playwright", "chrome-linux"},
		{"darwin", "Library/Caches/ms-playwright", "chrome-mac"},
	} {
		home := t.TempDir()
		program(t, home, c.cache, "chromium_headless_shell-1169", c.folder, "headless_shell")
		newest := program(t, home, c.cache, "chromium_headless_shell-1181", c.folder, "headless_shell")
		found, err := firstProgram(within(home, chromiumPlaces(c.system, home, "")))
		require.NoError(t, err)
		require.Equal(t, newest, found, c.system)
	}
}

// within keeps the places under the folder, so that what this machine has plays no part.
func within(folder string, places []string) []string {
	return slices.DeleteFunc(places, func(place string) bool { return !strings.HasPrefix(place, folder) })
}

func TestFirstProgramLooksInPath(t *testing.T) {
	folder := t.TempDir()
	path := program(t, folder, "some-chromium")
	t.Setenv("PATH", folder)
	found, err := firstProgram([]string{"/no/such/chromium", "some-chromium"})
	require.NoError(t, err)
	require.Equal(t, path, found)
}

func TestNoChromiumSaysWhatToInstall(t *testing.T) {
	_, err := firstProgram([]string{"/no/such/chromium", "no-such-chromium"})
	require.ErrorContains(t, err, "install")
	_, err = firstProgram([]string{"[a"})
	require.ErrorIs(t, err, filepath.ErrBadPattern)
}
