package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func testPresences(t *testing.T, w *world) {
	lives := map[string]*life{}
	for _, id := range []string{"asked", "chooses", "signs-in", "unvisited"} {
		lives[id] = newLife(id)
		record(t, w.Store, lives[id].projection(), lives[id].to(meterkey.SigningIn))
	}
	record(t, w.Store, lives["asked"].to(meterkey.AwaitingCode), lives["chooses"].to(meterkey.AwaitingChoice),
		lives["unvisited"].to(meterkey.AwaitingCode))
	now := lives["asked"].at
	touch := func(id, tab string, state store.PresenceState) {
		require.NoError(t, w.TouchPresence(t.Context(), id, tab, state, now))
	}
	leavers := func(after time.Duration) []string {
		ids, err := w.Leavers(t.Context(), now.Add(after))
		require.NoError(t, err)
		return ids
	}
	for _, id := range []string{"asked", "chooses", "signs-in"} {
		touch(id, "tab 1", store.PresenceHere)
	}
	require.Empty(t, leavers(store.Grace-time.Second))
	require.ElementsMatch(t, []string{"asked", "chooses"}, leavers(store.Grace))
	touch("asked", "tab 2", store.PresenceAway)
	require.Equal(t, []string{"chooses"}, leavers(store.Grace))
	require.NoError(t, w.ForgetPresences(t.Context(), "chooses"))
	require.Empty(t, leavers(store.Grace))

	now = now.Add(time.Second)
	touch("asked", "tab 2", store.PresenceGone)
	require.NoError(t, w.TouchPresence(t.Context(), "asked", "tab 2", store.PresenceHere, now.Add(-time.Second)), "what comes late")
	require.Equal(t, []string{"asked"}, leavers(store.Grace))
	require.NoError(t, w.Sweep(t.Context(), now.Add(25*time.Hour)))
	require.Empty(t, leavers(store.Grace))

	require.ErrorIs(t, w.TouchPresence(t.Context(), "none", "tab", store.PresenceHere, now), store.ErrNotFound)
	require.ErrorIs(t, w.TouchPresence(t.Context(), "asked", "", store.PresenceHere, now), store.ErrInvalid)
	require.ErrorIs(t, w.TouchPresence(t.Context(), "asked", strings.Repeat("t", 65), store.PresenceHere, now), store.ErrInvalid)
	require.ErrorIs(t, w.TouchPresence(t.Context(), "asked", "tab", "asleep", now), store.ErrInvalid)
}
