package browser

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLockWithinAProcess(t *testing.T) {
	t.Parallel()
	w := openWindow(t, sharedHost(t), "someone")
	unlock, err := w.Lock(t.Context())
	require.NoError(t, err)
	require.True(t, claimed(t, w), "who locks claims")
	_, ok := w.TryLock()
	require.False(t, ok)
	unlock()
	unlock()
	unlock, ok = w.TryLock()
	require.True(t, ok)
	unlock()
	require.False(t, claimed(t, w))
}

func TestLockAcrossProcesses(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	h := openHost(t, o)
	w := openWindow(t, h, "someone")
	s := startSecond(t, "lock", o.Dir, w.ID())
	_, ok := w.TryLock()
	require.False(t, ok)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := w.Lock(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s.kill(t)
	unlock, err := w.Lock(t.Context())
	require.NoError(t, err, "the lock ends with the process")
	unlock()
}

func TestLockOfAClosedWindow(t *testing.T) {
	t.Parallel()
	w := openWindow(t, sharedHost(t), "someone")
	unlock, err := w.Lock(t.Context())
	require.NoError(t, err)
	waiting := make(chan error, 1)
	go func() {
		_, err := w.Lock(context.Background())
		waiting <- err
	}()
	require.NoError(t, w.Close(t.Context()))
	unlock()
	require.ErrorIs(t, <-waiting, ErrWindowLost)
}
