package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func testVisits(t *testing.T, w *world) {
	lives := map[string]*life{}
	for _, id := range []string{"asked", "chooses", "signs-in", "unvisited"} {
		lives[id] = newLife(id)
		record(t, w.Store, lives[id].projection(), lives[id].to(meterkey.SigningIn))
	}
	record(t, w.Store, lives["asked"].to(meterkey.AwaitingCode), lives["chooses"].to(meterkey.AwaitingChoice),
		lives["unvisited"].to(meterkey.AwaitingCode))
	now := lives["asked"].at
	touch := func(id, tab string, state store.VisitState) {
		require.NoError(t, w.TouchVisit(t.Context(), id, tab, state, now))
	}
	leavers := func(after time.Duration) []string {
		ids, err := w.Leavers(t.Context(), now.Add(after))
		require.NoError(t, err)
		return ids
	}
	for _, id := range []string{"asked", "chooses", "signs-in"} {
		touch(id, "tab 1", store.VisitHere)
	}
	require.Empty(t, leavers(store.Grace-time.Second))
	require.ElementsMatch(t, []string{"asked", "chooses"}, leavers(store.Grace))
	touch("asked", "tab 2", store.VisitAway)
	require.Equal(t, []string{"chooses"}, leavers(store.Grace))
	require.NoError(t, w.ForgetVisits(t.Context(), "chooses"))
	require.Empty(t, leavers(store.Grace))

	now = now.Add(time.Second)
	touch("asked", "tab 2", store.VisitGone)
	require.NoError(t, w.TouchVisit(t.Context(), "asked", "tab 2", store.VisitHere, now.Add(-time.Second)), "what comes late")
	require.Equal(t, []string{"asked"}, leavers(store.Grace))
	require.NoError(t, w.Sweep(t.Context(), now.Add(25*time.Hour)))
	require.Empty(t, leavers(store.Grace))

	require.ErrorIs(t, w.TouchVisit(t.Context(), "none", "tab", store.VisitHere, now), store.ErrNotFound)
	require.ErrorIs(t, w.TouchVisit(t.Context(), "asked", "", store.VisitHere, now), store.ErrInvalid)
	require.ErrorIs(t, w.TouchVisit(t.Context(), "asked", strings.Repeat("t", 65), store.VisitHere, now), store.ErrInvalid)
	require.ErrorIs(t, w.TouchVisit(t.Context(), "asked", "tab", "asleep", now), store.ErrInvalid)
}
