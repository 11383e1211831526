package browser

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// age makes it look as if nobody had claimed the window for an hour.
func age(t *testing.T, w *Window) {
	t.Helper()
	claimedAt(t, w, uptime()-time.Hour)
	ageContext(w.host, w.ID())
}

// claimedAt makes it look as if the last claim had been made then.
func claimedAt(t *testing.T, w *Window, at time.Duration) {
	t.Helper()
	then := time.Unix(0, int64(at))
	require.NoError(t, os.Chtimes(w.folder.file("claim"), then, then))
}

func ageContext(h *Host, id string) {
	h.sweeper.mu.Lock()
	defer h.sweeper.mu.Unlock()
	h.sweeper.firstSeen[id] = uptime() - time.Hour
}

// sweep spares a test the wait for the sweeper's next round.
func sweep(t *testing.T, h *Host) {
	t.Helper()
	require.NoError(t, h.sweeper.sweep(t.Context()))
}

func TestSweeperRunsByItself(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Unclaimed = 100 * time.Millisecond
	h := openHost(t, o)
	w, err := h.OpenWindow(t.Context(), "someone", time.Minute)
	if err == nil {
		requireDone(t, w, ErrWindowLost)
	}
	eventually(t, func() bool { return len(h.Windows()) == 0 }, "its record goes too")
}

func TestUnclaimedWindowIsSwept(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w, fresh := openWindow(t, h, "unclaimed"), openWindow(t, h, "fresh")
	age(t, w)
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
	require.ErrorContains(t, w.Err(), "nobody has claimed it")
	require.NoDirExists(t, windowFile(h, w, ""))
	require.NoError(t, fresh.Err(), "a window counts as claimed when it is opened")
}

func TestClaimsAreCounted(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "claimed")
	require.False(t, claimed(t, w))
	first, second := w.Claim(), w.Claim()
	first()
	first()
	require.True(t, claimed(t, w), "the other claim holds, however often the first is released")
	age(t, w)
	sweep(t, h)
	require.NoError(t, w.Err())

	second()
	require.False(t, claimed(t, w))
	ageContext(h, w.ID())
	sweep(t, h)
	require.NoError(t, w.Err(), "it was claimed a moment ago")
	age(t, w)
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
	w.Claim()()
}

func TestExpiredWindowIsSweptOnceNobodyWorksInIt(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	worked, watched := openWindow(t, h, "worked"), openWindow(t, h, "watched")
	defer watched.Claim()()
	unlock, err := worked.Lock(t.Context())
	require.NoError(t, err)
	require.NoError(t, worked.ExpireIn(-time.Minute))
	require.NoError(t, watched.ExpireIn(-time.Minute))
	require.Less(t, worked.Remaining(), -time.Minute)

	sweep(t, h)
	requireDone(t, watched, ErrWindowLost)
	require.ErrorContains(t, watched.Err(), "it has expired")
	require.NoError(t, worked.Err())
	unlock()
	sweep(t, h)
	requireDone(t, worked, ErrWindowLost)
}

func TestExpiryLeavesGrace(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "someone")
	require.NoError(t, w.ExpireIn(0))
	sweep(t, h)
	require.NoError(t, w.Err())
}

func TestWindowClaimedByAnotherProcessIsNotSwept(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	h := openHost(t, o)
	w := openWindow(t, h, "someone")
	s := startSecond(t, "claim", o.Dir, w.ID())
	age(t, w)
	sweep(t, h)
	require.NoError(t, w.Err())
	s.kill(t)
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
}

func TestFoundWindowsCountAsClaimed(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	w := openWindow(t, first, "someone")
	require.NoError(t, first.Disconnect())
	age(t, w)

	h := openHost(t, o)
	sweep(t, h)
	found, err := h.Window(t.Context(), w.ID())
	require.NoError(t, err)
	require.NoError(t, found.Check(t.Context()))
}

func TestOrphanedContextIsSwept(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	conn, err := h.connected(t.Context())
	require.NoError(t, err)
	var orphan struct {
		ID string `json:"browserContextId"`
	}
	require.NoError(t, conn.call(t.Context(), "", "Target.createBrowserContext", map[string]any{"disposeOnDetach": false}, &orphan))
	exists := func() bool {
		contexts, err := conn.contexts(t.Context())
		require.NoError(t, err)
		return slices.Contains(contexts, orphan.ID)
	}
	sweep(t, h)
	require.True(t, exists(), "it may be about to get its record")
	ageContext(h, orphan.ID)
	sweep(t, h)
	require.False(t, exists())
}

func TestHalfClosedWindowIsClosedBySweeper(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "half-closed")
	_, err := w.folder.update(func(r *record) error { r.Closed = true; return nil })
	require.NoError(t, err)
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
	_, err = h.WindowOf(t.Context(), "half-closed")
	require.ErrorIs(t, err, ErrWindowLost)
	sweep(t, h)
	requireDone(t, w, ErrWindowLost)
	require.NoDirExists(t, windowFile(h, w, ""))
}
