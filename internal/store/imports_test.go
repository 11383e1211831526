package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func testImports(t *testing.T, w *world) {
	w.requester(t, "acme")
	w.requester(t, "rival")
	_, err := w.AddImport(t.Context(), store.Import{RequesterUID: "nobody"}, nil)
	require.ErrorIs(t, err, store.ErrNotFound)
	rows := make([]store.ImportRow, 700) // more than are inserted at a time
	for i := range rows {
		rows[i] = store.ImportRow{Line: i + 2, Email: "a@example.com", Outcome: store.ImportReady}
	}
	rows[3].Outcome, rows[3].Problem = store.ImportBad, "email: is missing"
	rows[5].Outcome, rows[5].Problem = store.ImportOpen, "asked already"
	kept, err := w.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: "spring.csv", Ignored: "colour"}, rows)
	require.NoError(t, err)

	read, err := w.Import(t.Context(), "acme", kept.UID)
	require.NoError(t, err)
	require.Equal(t, kept, read)
	_, err = w.Import(t.Context(), "rival", kept.UID)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, w.StartImport(t.Context(), "rival", kept.UID, true), store.ErrNotFound)
	open, err := w.ImportRows(t.Context(), kept.UID, 0, 10, store.ImportOpen, store.ImportBad)
	require.NoError(t, err)
	require.Equal(t, []store.ImportRow{rows[3], rows[5]}, open)
	page, err := w.ImportRows(t.Context(), kept.UID, 600, 1000)
	require.NoError(t, err)
	require.Equal(t, rows[599:], page)

	require.NoError(t, w.StartImport(t.Context(), "acme", kept.UID, true))
	started, err := w.Import(t.Context(), "acme", kept.UID)
	require.NoError(t, err)
	require.NotNil(t, started.Started)
	require.NoError(t, w.StartImport(t.Context(), "acme", kept.UID, true))
	again, err := w.Import(t.Context(), "acme", kept.UID)
	require.NoError(t, err)
	require.Equal(t, started, again)

	rows[0].Outcome = store.ImportSent
	require.NoError(t, w.FinishImportRow(t.Context(), rows[0]))
	require.ErrorIs(t, w.FinishImportRow(t.Context(), store.ImportRow{ImportUID: kept.UID, Line: 9999}), store.ErrNotFound)
	counts, err := w.ImportCounts(t.Context(), kept.UID)
	require.NoError(t, err)
	require.Equal(t, map[store.ImportOutcome]int{store.ImportReady: 698, store.ImportBad: 1, store.ImportSent: 1}, counts)

	require.NoError(t, w.ForgetImports(t.Context(), "rival", w.clock.next().Add(time.Hour)))
	all, err := w.Imports(t.Context(), "acme", 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, w.ForgetImports(t.Context(), "acme", w.clock.next()))
	page, err = w.ImportRows(t.Context(), kept.UID, 0, 10)
	require.NoError(t, err)
	require.Empty(t, page, "the rows go with the import")
}

// An import that was started without the customers who have an open request leaves them alone.
func testImportWithoutOpen(t *testing.T, w *world) {
	w.requester(t, "acme")
	kept, err := w.AddImport(t.Context(), store.Import{RequesterUID: "acme"}, []store.ImportRow{{Line: 2, Outcome: store.ImportOpen}})
	require.NoError(t, err)
	require.NoError(t, w.StartImport(t.Context(), "acme", kept.UID, false))
	counts, err := w.ImportCounts(t.Context(), kept.UID)
	require.NoError(t, err)
	require.Equal(t, map[store.ImportOutcome]int{store.ImportOpen: 1}, counts)
}

func testKeepSession(t *testing.T, w *world) {
	w.requester(t, "acme")
	jane, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "jane@example.com"}, "correct horse")
	require.NoError(t, err)
	token, err := w.StartSession(t.Context(), jane.UID, time.Hour)
	require.NoError(t, err)
	w.clock.advance(50 * time.Minute)
	require.NoError(t, w.KeepSession(t.Context(), token, time.Hour))
	w.clock.advance(50 * time.Minute)
	_, err = w.SessionUser(t.Context(), token)
	require.NoError(t, err)
	w.clock.advance(time.Hour)
	require.ErrorIs(t, w.KeepSession(t.Context(), token, time.Hour), store.ErrNotFound, "what has expired stays so")
	require.ErrorIs(t, w.KeepSession(t.Context(), "none", time.Hour), store.ErrNotFound)
}

func testListByReason(t *testing.T, w *world) {
	w.requester(t, "acme")
	for uid, reason := range map[string]meterkey.Reason{"many": meterkey.TooManyLogins, "none": meterkey.NoMeters} {
		_, _, err := w.CreateRequest(t.Context(), store.Request{UID: uid, RequesterUID: "acme"})
		require.NoError(t, err)
		_, err = w.Record(t.Context(), meterkey.Projection{RunID: "r", Request: meterkey.Request{RequestID: uid, Requester: "acme"},
			State: meterkey.State{RequestID: uid, Requester: "acme", Status: meterkey.Failed, Reason: reason, WaitingOn: meterkey.Nobody,
				Revision: 1, LinkedAt: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}})
		require.NoError(t, err)
	}
	page := w.list(t, store.RequestFilter{Requester: "acme", Statuses: []meterkey.Status{meterkey.Failed}, Reasons: []meterkey.Reason{meterkey.NoMeters}})
	require.Len(t, page.Items, 1)
	require.Equal(t, "none", page.Items[0].UID)
}
