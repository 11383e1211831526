package browser

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soon makes the sweeper as impatient as a test is.
func soon(t *testing.T) Options {
	o := testOptions(t)
	o.Unclaimed, o.Grace = 400*time.Millisecond, 200*time.Millisecond
	return o
}

// patient never sweeps anything for want of a claim while the test runs.
func patient(t *testing.T) Options {
	o := soon(t)
	o.Unclaimed = patience
	return o
}

// sweepNow spares a test the wait for the sweeper's next round.
func sweepNow(t *testing.T, h *Host) {
	t.Helper()
	require.NoError(t, h.sweeper.sweep(t.Context()))
}

func TestUnclaimedWindowIsSwept(t *testing.T) {
	t.Parallel()
	h := openHost(t, soon(t))
	kept, swept := openWindow(t, h, "kept"), openWindow(t, h, "swept")
	release := kept.Claim()
	second := kept.Claim()
	requireDone(t, swept, ErrWindowLost)
	require.ErrorContains(t, swept.Err(), "nobody has claimed it")
	eventually(t, func() bool { return len(h.Windows()) == 1 }, "its record goes too")

	release()
	release()
	sweepNow(t, h)
	require.NoError(t, kept.Err(), "the other claim holds, however often the first is released")
	require.True(t, claimed(t, kept))
	second()
	requireDone(t, kept, ErrWindowLost)
}

func TestWindowIsClaimedFromItsOpening(t *testing.T) {
	t.Parallel()
	h := openHost(t, patient(t))
	w := openWindow(t, h, "someone")
	sweepNow(t, h)
	require.NoError(t, w.Err())
	require.False(t, claimed(t, w))
}

func TestExpiredWindowIsSweptOnceNobodyWorksInIt(t *testing.T) {
	t.Parallel()
	h := openHost(t, patient(t))
	worked, watched := openWindow(t, h, "worked"), openWindow(t, h, "watched")
	defer watched.Claim()()
	unlock, err := worked.Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, worked.ExpireAt(time.Now().Add(-time.Second)))
	require.NoError(t, watched.ExpireAt(time.Now().Add(-time.Second)))

	sweepNow(t, h)
	requireDone(t, watched, ErrWindowLost)
	require.ErrorContains(t, watched.Err(), "it has expired")
	require.NoError(t, worked.Err())
	unlock()
	sweepNow(t, h)
	requireDone(t, worked, ErrWindowLost)
}

func TestExpiryLeavesGrace(t *testing.T) {
	t.Parallel()
	o := patient(t)
	o.Grace = time.Hour
	h := openHost(t, o)
	w := openWindow(t, h, "someone")
	past := time.Now().Add(-time.Minute)
	require.NoError(t, w.ExpireAt(past))
	sweepNow(t, h)
	require.NoError(t, w.Err())
	require.True(t, past.Equal(w.Expires()))
}

func TestWindowClaimedByAnotherProcessIsNotSwept(t *testing.T) {
	t.Parallel()
	o := soon(t)
	h := openHost(t, o)
	w := openWindow(t, h, "someone")
	release := w.Claim()
	s := startSecond(t, "claim", o.Dir, w.ID())
	release()
	other := openWindow(t, h, "other")
	requireDone(t, other, ErrWindowLost)
	require.NoError(t, w.Err(), "as long unclaimed here as the one that was swept")
	s.kill(t)
	requireDone(t, w, ErrWindowLost)
}

func TestFoundWindowsCountAsClaimed(t *testing.T) {
	t.Parallel()
	o := soon(t)
	first, err := Open(t.Context(), patientIn(o))
	require.NoError(t, err)
	w := openWindow(t, first, "someone")
	require.NoError(t, first.Disconnect())
	long := time.Now().Add(-time.Hour)
	require.NoError(t, chtimes(windowFile(first, w, "claim"), long))

	h := openHost(t, patientIn(o))
	found, err := h.Window(t.Context(), w.ID())
	require.NoError(t, err)
	sweepNow(t, h)
	require.NoError(t, found.Err())
}

func TestOrphanedContextIsSwept(t *testing.T) {
	t.Parallel()
	h := openHost(t, soon(t))
	l, err := h.linked(t.Context())
	require.NoError(t, err)
	var orphan struct {
		ID string `json:"browserContextId"`
	}
	require.NoError(t, l.call(t.Context(), "", "Target.createBrowserContext", map[string]any{"disposeOnDetach": false}, &orphan))
	sweepNow(t, h)
	contexts, err := l.contexts(t.Context())
	require.NoError(t, err)
	require.Contains(t, contexts, orphan.ID, "it may be about to get its record")
	eventually(t, func() bool {
		contexts, err := l.contexts(t.Context())
		return err == nil && !slices.Contains(contexts, orphan.ID)
	}, "it is closed")
}

func TestHalfClosedWindowIsClosedBySweeper(t *testing.T) {
	t.Parallel()
	h := openHost(t, patient(t))
	w := openWindow(t, h, "someone")
	_, err := w.folder.update(func(r *record) error { r.Closed = time.Now(); return nil })
	require.NoError(t, err)
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
	require.Empty(t, h.Windows())
	sweepNow(t, h)
	requireDone(t, w, ErrWindowLost)
	require.NoDirExists(t, windowFile(h, w, ""))
}
