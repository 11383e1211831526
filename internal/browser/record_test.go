package browser

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestWhatIsBegunIsOnDiskAndRefusedTheSecondTime(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "someone")
	require.False(t, w.Begun("type-password"))
	require.NoError(t, w.BeginOnce("type-password"))
	require.ErrorIs(t, w.BeginOnce("type-password"), ErrBegun)
	require.NoError(t, w.BeginOnce("type-code"))
	require.True(t, w.Begun("type-password"))

	r, err := w.folder.read()
	require.NoError(t, err)
	require.Equal(t, []string{"type-password", "type-code"}, r.Begun)
	info, err := os.Stat(windowFile(h, w, "record.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestBeginOnceIsGivenToOneOfMany(t *testing.T) {
	f := newFolder(t)
	var given atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		w := &Window{folder: f, done: make(chan struct{})}
		all.Go(func() {
			if w.BeginOnce("step") == nil {
				given.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, given.Load())
}

func newFolder(t *testing.T) folder {
	t.Helper()
	f := folder(filepath.Join(t.TempDir(), "W1"))
	require.NoError(t, f.create(record{ID: "W1", Owner: "someone", Opened: uptime(), Expires: uptime()}))
	return f
}

func TestRecordOfAGoneWindow(t *testing.T) {
	f := newFolder(t)
	w := &Window{folder: f, done: make(chan struct{})}
	require.NoError(t, w.Note("utility", "DEMO"))
	require.NoError(t, f.remove())
	require.NoError(t, f.remove(), "again")

	require.Equal(t, "DEMO", w.Noted("utility"), "what it was is still known")
	require.Equal(t, "someone", w.Owner())
	require.ErrorIs(t, w.BeginOnce("late"), ErrWindowLost)
	require.ErrorIs(t, w.Note("late", "x"), ErrWindowLost)
	require.ErrorIs(t, w.ExpireIn(time.Hour), ErrWindowLost)
	_, err := w.Lock(t.Context())
	require.ErrorIs(t, err, ErrWindowLost)
	w.host = &Host{}
	w.Claim()()
}

func TestBrokenRecordIsAnError(t *testing.T) {
	f := newFolder(t)
	require.NoError(t, os.WriteFile(f.file("record.json"), []byte("{"), 0o600))
	_, err := f.read()
	require.ErrorContains(t, err, "reading window record")
}

func TestLockFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, makeFiles(dir, "lock"))
	require.NoError(t, makeFiles(dir, "lock"), "again")
	require.Error(t, makeFiles(filepath.Join(dir, "no", "folder"), "lock"))
	path := filepath.Join(dir, "lock")
	shared, err := tryLockFile(path, unix.LOCK_SH)
	require.NoError(t, err)
	another, err := tryLockFile(path, unix.LOCK_SH)
	require.NoError(t, err)
	_, err = tryLockFile(path, unix.LOCK_EX)
	require.ErrorIs(t, err, errLocked)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = lockFile(ctx, path, unix.LOCK_EX)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	closeLock(shared)
	closeLock(another)
	alone, err := lockFile(t.Context(), path, unix.LOCK_EX)
	require.NoError(t, err)
	closeLock(alone)
}

func TestPageOrder(t *testing.T) {
	open := func(ids ...string) (found []target) {
		for _, id := range ids {
			found = append(found, target{ID: id})
		}
		return found
	}
	for _, c := range []struct {
		name  string
		noted []string
		open  []target
		want  []string
	}{
		{"nothing noted", nil, open("a", "b"), []string{"a", "b"}},
		{"noted order wins", []string{"a", "b"}, open("b", "a"), []string{"a", "b"}},
		{"unnoted is newer", []string{"b"}, open("a", "b"), []string{"b", "a"}},
		{"closed is dropped", []string{"a", "b"}, open("b"), []string{"b"}},
		{"none is open", []string{"a"}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, inOrder(c.noted, c.open)) })
	}
}
