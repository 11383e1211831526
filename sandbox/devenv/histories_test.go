package devenv

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// freeze does what docs/upgrading.md says.
func freeze(t *testing.T, dir string) {
	t.Helper()
	tool := "sha256sum"
	if _, err := exec.LookPath(tool); err != nil {
		tool = "shasum -a 256" // macOS
	}
	freezing := exec.CommandContext(t.Context(), "sh", "-c", tool+" *.json.gz > SHA256SUMS")
	freezing.Dir = dir
	require.NoError(t, freezing.Run())
}

func TestHistoriesFolder_IsTheNewestThatIsNotFrozen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "histories")
	for _, name := range []string{"v1", "v2"} {
		want := filepath.Join(dir, name)
		for range 2 {
			got, err := HistoriesFolder(dir)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.DirExists(t, want)
		}
		writeFile(t, filepath.Join(want, "route.json.gz"))
		freeze(t, want)
	}
	_, err := HistoriesFolder(filepath.Join(dir, "v1", "route.json.gz"))
	require.ErrorContains(t, err, "making a folder of histories")
}

func TestStoredHistories_HoldsWhatIsFrozen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		says   string // "": nothing
	}{
		"as it was":            {func(*testing.T, string) {}, ""},
		"a changed history":    {write("v1/a.json.gz"), "v1 are frozen, and these were changed, removed or added: a.json.gz"},
		"one removed":          {remove("v1/b.json.gz"), "v1 are frozen, and these were changed, removed or added: b.json.gz"},
		"one added":            {write("v1/c.json.gz"), "v1 are frozen, and these were changed, removed or added: c.json.gz"},
		"two of them":          {both(write("v1/c.json.gz"), write("v1/a.json.gz")), "added: a.json.gz, c.json.gz"},
		"a changed newest one": {both(write("v2/a.json.gz"), write("v2/d.json.gz")), ""},
		"no sums any more":     {remove("v1/SHA256SUMS"), "v1: open "},
		"a folder removed":     {remove("v1"), "there are 1 folders of histories, and none in "},
		"a folder emptied":     {remove("v2/a.json.gz"), "there are 2 folders of histories, and none in "},
		"nothing left":         {both(remove("v1"), remove("v2")), "there are no histories in "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			a, b, newest := filepath.Join(dir, "v1", "a.json.gz"), filepath.Join(dir, "v1", "b.json.gz"), filepath.Join(dir, "v2", "a.json.gz")
			for _, file := range []string{a, b, newest} {
				writeFile(t, file)
			}
			freeze(t, filepath.Join(dir, "v1"))
			test.change(t, dir)
			files, err := StoredHistories(dir)
			if test.says != "" {
				require.ErrorContains(t, err, test.says)
				return
			}
			require.NoError(t, err)
			require.Subset(t, files, []string{a, b, newest})
		})
	}
	_, err := StoredHistories(t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func write(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("new"), 0o600))
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
	}
}

func both(first, second func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		first(t, dir)
		second(t, dir)
	}
}
