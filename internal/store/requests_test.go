package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func testRequests(t *testing.T, w *world) {
	w.requester(t, "acme")
	created, published, err := w.CreateRequest(t.Context(), store.Request{
		RequesterUID: "acme", TemplateUID: "default", CustomerEmail: "jane@example.com", CustomerName: "Jane Doe",
		Nickname: "roof 12", Utility: "CONED", Scope: store.Scope{Expires: "until_revoked"}, IsTest: true,
		Status: meterkey.Connected, SignedIn: true, // not the requester's to say
	})
	require.NoError(t, err)
	require.Regexp(t, `^[a-z2-7]{16}$`, created.UID)
	require.Equal(t, []store.EventType{store.EventFormCreated}, kinds(published))
	require.Equal(t, created.UID, published.Events[0].FormUID)
	read, err := w.Request(t.Context(), "acme", created.UID)
	require.NoError(t, err)
	require.Equal(t, created, read)
	require.Equal(t, meterkey.AwaitingLogin, read.Status)
	require.Equal(t, meterkey.Customer, read.WaitingOn)
	require.False(t, read.SignedIn)
	require.Equal(t, "CONED", read.ChosenUtility)

	for name, bad := range map[string]struct {
		request store.Request
		want    error
	}{
		"uid taken":                {store.Request{RequesterUID: "acme", UID: created.UID}, store.ErrConflict},
		"uid of a wrong form":      {store.Request{RequesterUID: "acme", UID: "a/b"}, store.ErrInvalid},
		"no such requester":        {store.Request{RequesterUID: "zeta"}, store.ErrNotFound},
		"no such an authorization": {store.Request{RequesterUID: "acme", AuthorizationUID: "none"}, store.ErrNotFound},
	} {
		_, published, err := w.CreateRequest(t.Context(), bad.request)
		require.ErrorIs(t, err, bad.want, name)
		require.Empty(t, published.Events)
	}
	_, err = w.Request(t.Context(), "zeta", created.UID)
	require.ErrorIs(t, err, store.ErrNotFound, "other requesters' requests are not to be seen")
}

func testUpdateRequest(t *testing.T, w *world) {
	w.requester(t, "acme")
	created, _, err := w.CreateRequest(t.Context(), store.Request{RequesterUID: "acme", Nickname: "old", CustomerEmail: "a@example.com"})
	require.NoError(t, err)
	nickname, archived, utility := "new roof", true, "PSEG"
	changed, err := w.UpdateRequest(t.Context(), "acme", created.UID, store.RequestChange{
		Nickname: &nickname, IsArchived: &archived, Utility: &utility, Scope: &store.Scope{OngoingEnd: "2027-01-01T00:00:00Z"},
	})
	require.NoError(t, err)
	require.Equal(t, "a@example.com", changed.CustomerEmail)
	require.Equal(t, "PSEG", changed.ChosenUtility, "as long as the customer has not chosen")
	require.True(t, changed.Updated.After(created.Updated))
	read, err := w.RequestByID(t.Context(), created.UID)
	require.NoError(t, err)
	require.Equal(t, changed, read)
	for search, want := range map[string]int{"roof": 1, "old": 0} {
		page, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme", Search: search})
		require.NoError(t, err)
		require.Len(t, page.Items, want, search)
	}
	_, err = w.UpdateRequest(t.Context(), "zeta", created.UID, store.RequestChange{Nickname: &nickname})
	require.ErrorIs(t, err, store.ErrNotFound)
	last, err := w.LastChange(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, changed.Updated, last)
}

// A deleted request is gone for good, whatever its workflow still says of it.
func testDeleteRequest(t *testing.T, w *world) {
	l := newLife("gone")
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode))
	require.NoError(t, w.TouchPresence(t.Context(), "gone", "tab", store.PresenceHere, l.at))
	authorization := w.authorization(t, "gone")
	require.ErrorIs(t, w.DeleteRequest(t.Context(), "zeta", "gone"), store.ErrNotFound)
	require.NoError(t, w.DeleteRequest(t.Context(), "acme", "gone"))

	require.Empty(t, record(t, w.Store, l.to(meterkey.Canceled)))
	_, err := w.RequestByID(t.Context(), "gone")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, w.DeleteRequest(t.Context(), "acme", "gone"), store.ErrNotFound)
	require.ErrorIs(t, w.MarkOpened(t.Context(), "gone"), store.ErrNotFound)
	for _, search := range []string{"", "gone", "jane"} {
		page, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme", Search: search})
		require.NoError(t, err)
		require.Empty(t, page.Items)
	}
	counts, err := w.Counts(t.Context(), store.Span{Requester: "acme"})
	require.NoError(t, err)
	require.Empty(t, counts)
	abandoned, err := w.Authorization(t.Context(), "acme", authorization.UID)
	require.NoError(t, err)
	require.Equal(t, store.Errored, abandoned.Status)
	require.Equal(t, []string{store.NoteRequestCanceled}, notes(abandoned))
	last, err := w.LastChange(t.Context(), "acme")
	require.NoError(t, err)
	require.Zero(t, last)
}

func testOpenedAndConsent(t *testing.T, w *world) {
	l := newLife("opened")
	record(t, w.Store, l.projection())
	require.NoError(t, w.MarkOpened(t.Context(), "opened"))
	first, err := w.RequestByID(t.Context(), "opened")
	require.NoError(t, err)
	require.NoError(t, w.MarkOpened(t.Context(), "opened"))
	consent := store.Consent{At: l.at.Add(time.Nanosecond), Language: "es", Text: "2026-11", FullName: "Jane Doe"}
	require.NoError(t, w.SetConsent(t.Context(), "opened", consent))
	require.ErrorIs(t, w.SetConsent(t.Context(), "none", consent), store.ErrNotFound)
	record(t, w.Store, l.to(meterkey.SigningIn))

	read, err := w.RequestByID(t.Context(), "opened")
	require.NoError(t, err)
	require.Equal(t, first.OpenedAt, read.OpenedAt)
	consent.At = l.at.Add(-time.Minute)
	require.Equal(t, &consent, read.Consent)
	require.Equal(t, &consent, w.authorization(t, "opened").Consent)
}

func testIdempotency(t *testing.T, w *world) {
	w.requester(t, "acme")
	call := store.Idempotency{RequesterUID: "acme", Key: "k-1", Endpoint: "POST /forms", RequestHash: "abc"}
	_, mine, err := w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.True(t, mine)
	found, mine, err := w.ReserveKey(t.Context(), store.Idempotency{RequesterUID: "acme", Key: "k-1", RequestHash: "other"})
	require.NoError(t, err)
	require.False(t, mine)
	require.Equal(t, "abc", found.RequestHash)
	require.Zero(t, found.Status)

	body := []byte("{\"uid\":\"\x00\xff'\"}")
	require.NoError(t, w.AnswerKey(t.Context(), "acme", "k-1", 200, body))
	require.NoError(t, w.ReleaseKey(t.Context(), "acme", "k-1"), "an answer stays")
	w.clock.advance(2 * time.Minute)
	found, mine, err = w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.False(t, mine)
	require.Equal(t, 200, found.Status)
	require.Equal(t, body, found.Body)

	call.Key = "k-2"
	_, mine, err = w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.True(t, mine)
	require.NoError(t, w.ReleaseKey(t.Context(), "acme", "k-2"))
	_, mine, err = w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.True(t, mine)
	w.clock.advance(time.Minute)
	_, mine, err = w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.True(t, mine, "whoever had it will not come back")
	require.ErrorIs(t, w.AnswerKey(t.Context(), "acme", "k-3", 200, nil), store.ErrNotFound)

	require.NoError(t, w.Sweep(t.Context(), w.clock.next().Add(25*time.Hour)))
	call.Key = "k-1"
	_, mine, err = w.ReserveKey(t.Context(), call)
	require.NoError(t, err)
	require.True(t, mine, "forgotten after a day")
}
