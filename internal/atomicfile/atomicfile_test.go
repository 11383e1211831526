package atomicfile_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// requireAlone holds that nothing else is left in the file's folder.
func requireAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, atomicfile.Replace(path, []byte("one"), 0o600))
	require.NoError(t, atomicfile.Replace(path, []byte("two"), 0o644))
	require.Equal(t, "two", read(t, path))
	requireAlone(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), info.Mode())
}

func TestCreate_KeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := atomicfile.Create(path, fmt.Appendf(nil, "text %d", i), 0o400); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := read(t, path)
	require.Regexp(t, `^text \d$`, first)
	require.NoError(t, atomicfile.Create(path, []byte("late"), 0o600))
	require.Equal(t, first, read(t, path))
	requireAlone(t, path)
}

func TestWritingWhereNoFileCanBe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "inner"), 0o700))
	require.ErrorContains(t, atomicfile.Replace(path, nil, 0o600), "writing "+path)
	requireAlone(t, path)
	nowhere := filepath.Join(path, "no", "folder")
	require.ErrorContains(t, atomicfile.Replace(nowhere, nil, 0o600), "writing "+nowhere)
	require.ErrorIs(t, atomicfile.Create(nowhere, nil, 0o600), fs.ErrNotExist)
}
