package browser

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCapacity(t *testing.T) {
	type step func(*capacity) func()
	open := func(n int) step { return func(s *capacity) func() { s.setOpen(n); return nil } }
	reserve := func(s *capacity) func() { release, _ := s.tryReserve(); return release }
	use := func(s *capacity) func() { s.change(func() { s.used++ }); return nil }
	for _, c := range []struct {
		name  string
		steps []step
		free  int
	}{
		{"nothing", nil, 3},
		{"windows", []step{open(2)}, 1},
		{"reservations", []step{reserve, reserve}, 1},
		{"a used reservation stands for its window alone", []step{reserve, open(1), use}, 2},
		{"between opening and using, both count", []step{reserve, open(1)}, 1},
		{"a login that has closed its window needs no room", []step{reserve, open(1), use, open(0)}, 3},
		{"another process may fill the host", []step{reserve, open(3)}, -1},
		{"all is taken", []step{open(1), reserve, reserve, reserve}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &capacity{total: 3, changed: newBroadcast()}
			for _, step := range c.steps {
				step(s)
			}
			require.Equal(t, c.free, s.free())
		})
	}
}

func TestReleaseCountsOnce(t *testing.T) {
	s := &capacity{total: 1, changed: newBroadcast()}
	release, ok := s.tryReserve()
	require.True(t, ok)
	_, ok = s.tryReserve()
	require.False(t, ok)
	release()
	release()
	require.Equal(t, 1, s.free())
}

// reserving starts to reserve and says when it has.
func reserving(t *testing.T, h *Host) <-chan error {
	t.Helper()
	got := make(chan error, 1)
	go func() {
		_, err := h.Reserve(t.Context())
		got <- err
	}()
	return got
}

func requireWaiting(t *testing.T, got <-chan error) {
	t.Helper()
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
}

func TestCapacityHoldsBack(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Capacity = 1
	h := openHost(t, o)
	require.Equal(t, 1, h.Capacity())

	release, err := h.Reserve(t.Context())
	require.NoError(t, err)
	_, ok := h.TryReserve()
	require.False(t, ok)
	w := openWindow(t, h, "login")
	done := h.UseReservation()
	_, err = h.OpenWindow(t.Context(), "another", time.Minute)
	require.ErrorIs(t, err, ErrFull)
	done()
	release()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = h.Reserve(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	next := reserving(t, h)
	require.NoError(t, w.Check(t.Context()))
	requireWaiting(t, next)
	require.NoError(t, w.Close(t.Context()))
	require.NoError(t, <-next)
}

func TestReserveEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Capacity = 1
	h := openHost(t, o)
	release, err := h.Reserve(t.Context())
	require.NoError(t, err)
	defer release()
	next := reserving(t, h)
	require.NoError(t, h.Disconnect())
	require.ErrorIs(t, <-next, ErrDisconnected)
	require.NoError(t, h.endBrowser(t.Context()))
}

func TestCapacityCountsWindowsOfOtherProcesses(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": form})
	o := testOptions(t)
	o.Capacity = 1
	h := openHost(t, o)
	s := startSecond(t, "half-typed", o.Dir, url)
	_, err := h.OpenWindow(t.Context(), "another", time.Minute)
	require.ErrorIs(t, err, ErrFull)
	require.NoError(t, h.CloseWindow(t.Context(), s.line))
	openWindow(t, h, "another")
}
