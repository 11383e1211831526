package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// connected has a request connected with two meters, and returns what it led to.
func (w *world) connected(t *testing.T, l *life) store.Authorization {
	t.Helper()
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.connect(2))
	return w.authorization(t, l.request.RequestID)
}

func testRevoke(t *testing.T, w *world) {
	l := newLife("revoke")
	a := w.connected(t, l)
	_, _, err := w.Revoke(t.Context(), "zeta", a.UID)
	require.ErrorIs(t, err, store.ErrNotFound)
	revoked, published, err := w.Revoke(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	require.NotNil(t, revoked.Revoked)
	require.Equal(t, []store.EventType{store.EventAuthorizationRevoked}, kinds(published))
	again, published, err := w.Revoke(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	require.Equal(t, revoked, again)
	require.Empty(t, published)
	meters, err := w.AllMeters(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	require.Empty(t, meters)

	// A new consent, and only that, fills it again.
	require.Empty(t, record(t, w.Store, l.revive()))
	require.NotNil(t, w.authorization(t, "revoke").Revoked)
	record(t, w.Store, l.to(meterkey.SigningIn))
	require.Nil(t, w.authorization(t, "revoke").Revoked)
	record(t, w.Store, l.connect(2))
	require.Equal(t, 2, w.authorization(t, "revoke").MeterCount)
}

// What was under way when the customer revoked adds nothing.
func testRevokedWhileUnderWay(t *testing.T, w *world) {
	l := newLife("under-way")
	record(t, w.Store, l.projection(), l.to(meterkey.SigningIn), l.to(meterkey.AwaitingCode))
	a := w.authorization(t, "under-way")
	_, _, err := w.Revoke(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	require.Empty(t, record(t, w.Store, l.to(meterkey.FetchingMeters), l.connect(2)))
	meters, err := w.ListMeters(t.Context(), store.MeterFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Empty(t, meters.Items)
	request, err := w.RequestByID(t.Context(), "under-way")
	require.NoError(t, err)
	require.Equal(t, meterkey.Connected, request.Status, "the request's own course is the workflow's")
}

func testDeleteTest(t *testing.T, w *world) {
	real := w.connected(t, newLife("real"))
	require.ErrorIs(t, w.DeleteTest(t.Context(), "acme", real.UID), store.ErrConflict)

	l := newLife("practice")
	l.request.Test = true
	practice := w.connected(t, l)
	require.True(t, practice.IsTest)
	require.ErrorIs(t, w.DeleteTest(t.Context(), "zeta", practice.UID), store.ErrNotFound)
	require.NoError(t, w.DeleteTest(t.Context(), "acme", practice.UID))
	_, err := w.Authorization(t.Context(), "acme", practice.UID)
	require.ErrorIs(t, err, store.ErrNotFound)
	meters, err := w.ListMeters(t.Context(), store.MeterFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, meters.Items, 2, "those of the other")
	request, err := w.RequestByID(t.Context(), "practice")
	require.NoError(t, err)
	require.Empty(t, request.AuthorizationUID)
}

func testExpire(t *testing.T, w *world) {
	w.requester(t, "acme")
	l := newLife("expire")
	expires := l.at.Add(72 * time.Hour)
	_, _, err := w.CreateRequest(t.Context(), store.Request{UID: "expire", RequesterUID: "acme", Scope: store.Scope{Expires: expires.Format(time.RFC3339)}})
	require.NoError(t, err)
	a := w.connected(t, l)
	require.Equal(t, expires.Truncate(time.Second), *a.Expires)
	forever := w.connected(t, newLife("forever"))
	require.Nil(t, forever.Expires)

	expired := func(before time.Duration) []store.EventType {
		published, err := w.ExpireAuthorizations(t.Context(), a.Expires.Add(-before))
		require.NoError(t, err)
		return kinds(published)
	}
	require.Empty(t, expired(25*time.Hour))
	require.Equal(t, []store.EventType{store.EventAuthorizationExpiringSoon}, expired(24*time.Hour))
	require.Empty(t, expired(time.Hour), "told once")
	require.Equal(t, []store.EventType{store.EventAuthorizationExpired}, expired(0))
	require.Empty(t, expired(-time.Hour), "told once")
	require.True(t, w.authorization(t, "expire").IsExpired)
	yes := true
	page, err := w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "acme", Expired: &yes})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
}

func testListAuthorizations(t *testing.T, w *world) {
	a, b := newLife("a"), newLife("b")
	b.request.Utility, b.state.Utility, b.request.Test = "PSEG", "PSEG", true
	first, second := w.connected(t, a), w.connected(t, b)
	c := newLife("c")
	record(t, w.Store, c.projection(), c.to(meterkey.Declined))
	declined := w.authorization(t, "c")
	yes, no, nickname := true, false, "roof"
	_, err := w.UpdateAuthorization(t.Context(), "acme", first.UID, store.AuthorizationChange{IsArchived: &yes, Nickname: &nickname})
	require.NoError(t, err)
	_, err = w.UpdateAuthorization(t.Context(), "zeta", first.UID, store.AuthorizationChange{IsArchived: &yes})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, _, err = w.Revoke(t.Context(), "acme", second.UID)
	require.NoError(t, err)

	for name, test := range map[string]struct {
		filter store.AuthorizationFilter
		want   []string
	}{
		"all":          {store.AuthorizationFilter{}, []string{declined.UID, second.UID, first.UID}},
		"a page":       {store.AuthorizationFilter{After: declined.UID, Limit: 1}, []string{second.UID}},
		"uids":         {store.AuthorizationFilter{UIDs: []string{first.UID, "none"}}, []string{first.UID}},
		"forms":        {store.AuthorizationFilter{Forms: []string{"a", "c"}}, []string{declined.UID, first.UID}},
		"referrals":    {store.AuthorizationFilter{Referrals: []string{second.Referral}}, []string{second.UID}},
		"templates":    {store.AuthorizationFilter{Templates: []string{"none"}}, nil},
		"utility":      {store.AuthorizationFilter{Utility: "PSEG"}, []string{second.UID}},
		"archived":     {store.AuthorizationFilter{Archived: &yes}, []string{first.UID}},
		"not archived": {store.AuthorizationFilter{Archived: &no}, []string{declined.UID, second.UID}},
		"declined":     {store.AuthorizationFilter{Declined: &yes}, []string{declined.UID}},
		"not declined": {store.AuthorizationFilter{Declined: &no}, []string{second.UID, first.UID}},
		"test":         {store.AuthorizationFilter{Test: &yes}, []string{second.UID}},
		"revoked":      {store.AuthorizationFilter{Revoked: &yes}, []string{second.UID}},
		"not expired":  {store.AuthorizationFilter{Expired: &no, Revoked: &no}, []string{declined.UID, first.UID}},
	} {
		test.filter.Requester = "acme"
		page, err := w.ListAuthorizations(t.Context(), test.filter)
		require.NoError(t, err, name)
		var got []string
		for _, a := range page.Items {
			got = append(got, a.UID)
		}
		require.Equal(t, test.want, got, name)
	}
	_, err = w.ListAuthorizations(t.Context(), store.AuthorizationFilter{})
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "acme", After: "none"})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "acme", Limit: 1001})
	require.ErrorIs(t, err, store.ErrInvalid)
}

func testMeters(t *testing.T, w *world) {
	a, b := w.connected(t, newLife("a")), w.connected(t, newLife("b"))
	meters, err := w.AllMeters(t.Context(), "acme", a.UID)
	require.NoError(t, err)
	archived, err := w.ArchiveMeter(t.Context(), "acme", meters[1].UID, true)
	require.NoError(t, err)
	require.True(t, archived.IsArchived)
	_, err = w.ArchiveMeter(t.Context(), "zeta", meters[1].UID, true)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.AllMeters(t.Context(), "zeta", a.UID)
	require.ErrorIs(t, err, store.ErrNotFound)

	yes, no := true, false
	for name, test := range map[string]struct {
		filter store.MeterFilter
		want   int
	}{
		"all":                   {store.MeterFilter{}, 4},
		"of one authorization":  {store.MeterFilter{Authorizations: []string{a.UID}}, 2},
		"of two":                {store.MeterFilter{Authorizations: []string{a.UID, b.UID}}, 4},
		"by uid and of another": {store.MeterFilter{UIDs: []string{meters[0].UID}, Authorizations: []string{b.UID}}, 0},
		"archived":              {store.MeterFilter{Archived: &yes}, 1},
		"not archived":          {store.MeterFilter{Archived: &no, Utility: "CONED"}, 3},
		"of another utility":    {store.MeterFilter{Utility: "PSEG"}, 0},
	} {
		test.filter.Requester = "acme"
		page, err := w.ListMeters(t.Context(), test.filter)
		require.NoError(t, err, name)
		require.Len(t, page.Items, test.want, name)
	}
	_, err = w.ListMeters(t.Context(), store.MeterFilter{})
	require.ErrorIs(t, err, store.ErrInvalid)
}
