package dashboard

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/utilities"
)

func TestChosenRange(t *testing.T) {
	t.Parallel()
	for query, days := range map[string]int{"": 30, "?days=7": 7, "?days=90": 90, "?days=8": 30, "?days=x": 30, "?days=-7": 30} {
		require.Equal(t, days, chosenRange(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dashboard/numbers"+query, http.NoBody)), query)
	}
}

func valuesOf(t *testing.T, p plot) plotValues {
	t.Helper()
	var v plotValues
	require.NoError(t, json.Unmarshal([]byte(p.Values), &v))
	return v
}

func TestEveryDayIsDrawn(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	drawn, err := connectedPlot(store.Span{From: from, To: from.AddDate(0, 0, 4)},
		[]store.DayCount{{Day: from.AddDate(0, 0, 1), Count: 1200}, {Day: from.AddDate(0, 0, 3), Count: 1}})
	require.NoError(t, err)
	require.Equal(t, []int{0, 1200, 0, 1}, valuesOf(t, drawn).Series[0].Values)
	require.Equal(t, from.Unix(), valuesOf(t, drawn).Days[0])
	require.Equal(t, []string{"23 Nov 2026", "1"}, drawn.Lines[0], "the newest day first")
	require.Equal(t, []string{"21 Nov 2026", "1,200"}, drawn.Lines[2])
	none, err := connectedPlot(store.Span{From: from, To: from.AddDate(0, 0, 4)}, nil)
	require.NoError(t, err)
	require.NotEmpty(t, none.Empty)
}

func TestTheFunnelNarrows(t *testing.T) {
	t.Parallel()
	drawn, err := funnelPlot(store.Funnel{Sent: 40, Opened: 30, SignedIn: 20, CodeAsked: 9, Connected: 15})
	require.NoError(t, err)
	require.Equal(t, []int{40, 30, 20, 9, 15}, valuesOf(t, drawn).Series[0].Values)
	require.Equal(t, []string{"Code asked", "9", "23 %"}, drawn.Lines[3])
	none, err := funnelPlot(store.Funnel{})
	require.NoError(t, err)
	require.NotEmpty(t, none.Empty)
	require.Equal(t, "–", none.Lines[0][2])
}

func TestUtilitiesAreNamed(t *testing.T) {
	t.Parallel()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	h := &dashboard{Deps: Deps{Utilities: catalog}}
	counted := []store.UtilityCount{{Utility: "CONED", Sent: 10, Connected: 4}, {Sent: 3}, {Utility: "GONE", Sent: 1}}
	for range utilitiesDrawn {
		counted = append(counted, store.UtilityCount{Utility: "PSEG", Sent: 1, Connected: 1})
	}
	drawn, err := h.utilityPlot(counted)
	require.NoError(t, err)
	require.Equal(t, []string{"Consolidated Edison", "10", "4", "40 %"}, drawn.Lines[0])
	require.Equal(t, []string{"Not chosen yet", "3", "0", "0 %"}, drawn.Lines[1])
	require.Equal(t, "GONE", drawn.Lines[2][0], "a utility whose file is gone keeps its id")
	require.Len(t, drawn.Lines, len(counted))
	require.Len(t, valuesOf(t, drawn).Labels, utilitiesDrawn)
	require.Equal(t, []string{"CONED", "None yet"}, valuesOf(t, drawn).Labels[:2])
}

// Nothing is drawn twice for a range, and each range is a page of its own.
func TestRangesOfNumbers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	f.record("acme", pastRequest{email: "a@example.com", utility: "CONED", asked: true, statuses: straight, ago: 20 * 24 * time.Hour})
	v := f.signedIn(patsEmail)
	require.Contains(t, v.get("/dashboard/numbers?days=7").body, "No request was made in these days.")
	month := v.get("/dashboard/numbers").body
	require.NotContains(t, month, "No request was made in these days.")
	require.Contains(t, month, `<a href="/dashboard/numbers?days=30" aria-current="page">`)
}
