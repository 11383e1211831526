package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/utilities"
)

// taken is a slot that was given out. The embedded interface stands for what no slot supplier of ours asks.
type taken struct {
	worker.SlotReleaseInfo
	permit *worker.SlotPermit
}

func (t taken) Permit() *worker.SlotPermit { return t.permit }

func openHost(t *testing.T, capacity int) *browser.Host {
	t.Helper()
	return openHostAt(t, t.TempDir(), capacity)
}

func openHostAt(t *testing.T, dir string, capacity int) *browser.Host {
	t.Helper()
	host, err := browser.Open(t.Context(), browser.Options{Dir: dir, Executable: os.Getenv("MK_CHROMIUM"), Capacity: capacity})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Shutdown(context.Background())) })
	return host
}

func TestSlots_AreTheWindowsThatCouldStillBeOpened(t *testing.T) {
	t.Parallel()
	host := openHost(t, 1)
	slots := windowSlots{host}
	require.Equal(t, 1, slots.MaxSlots())
	require.Nil(t, slots.TryReserveSlot(nil), "logins are never started eagerly")

	first, err := slots.ReserveSlot(t.Context(), nil)
	require.NoError(t, err)
	second := make(chan *worker.SlotPermit, 1)
	go func() {
		permit, err := slots.ReserveSlot(t.Context(), nil)
		if err == nil {
			second <- permit
		}
	}()
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = slots.ReserveSlot(hurried, nil)
	require.Equal(t, context.Canceled, err, "a worker that stops is told so plainly")
	require.Empty(t, second, "there is one window, and it is spoken for")

	slots.ReleaseSlot(taken{permit: first})
	slots.ReleaseSlot(taken{permit: <-second})
	slots.ReleaseSlot(taken{permit: &worker.SlotPermit{}})
	_, free := host.TryReserve()
	require.True(t, free, "what was given back is free, once")
	_, free = host.TryReserve()
	require.False(t, free)
}

func TestSlots_CountTheWindowsOfEveryWorkerOnTheHost(t *testing.T) {
	t.Parallel()
	host := openHost(t, 1)
	slots := windowSlots{host}
	window, err := host.OpenWindow(t.Context(), "somebody", time.Minute)
	require.NoError(t, err)
	reserved := make(chan error, 1)
	go func() {
		_, err := slots.ReserveSlot(t.Context(), nil)
		reserved <- err
	}()
	_, free := host.TryReserve()
	require.False(t, free)
	require.NoError(t, window.Close(t.Context()))
	require.NoError(t, <-reserved, "a window that closes is a slot")
}

func TestSlots_OfABrowserThatIsDisconnected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host := openHostAt(t, dir, 1)
	require.NoError(t, host.Disconnect())
	openHostAt(t, dir, 1) // whose end is the browser's: a host that let go of it leaves it to others
	_, err := windowSlots{host}.ReserveSlot(t.Context(), nil)
	require.ErrorContains(t, err, "reserving a window")
}

func TestLongestLife_BoundsTheDrain(t *testing.T) {
	t.Parallel()
	embedded, err := os.ReadFile(filepath.Join("..", "utilities", "demo.yaml"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "demo.yaml"), append([]byte("window_lifetime: 25m\n"), embedded...), 0o600))
	known, err := utilities.Load(dir)
	require.NoError(t, err)
	require.Equal(t, 26*time.Minute, longestLife(&activities.BrowserActivities{Utilities: known}))
	known, err = utilities.Load("")
	require.NoError(t, err)
	require.Equal(t, 11*time.Minute, longestLife(&activities.BrowserActivities{Utilities: known}), "10 minutes by default, and one to close in")
}

func TestFailed_IsToldOnceAndNeverBlocks(t *testing.T) {
	t.Parallel()
	w := &workers{fatal: make(chan error, 1)}
	w.failed(errors.New("first"))
	w.failed(errors.New("second"))
	require.EqualError(t, <-w.fatal, "first")
	require.Empty(t, w.fatal)
}
