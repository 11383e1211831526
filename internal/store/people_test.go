package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

func testRequesters(t *testing.T, w *world) {
	first, err := w.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme O'Solar \\ \x00☀", Email: "a@example.com"})
	require.NoError(t, err)
	require.Equal(t, "Acme O'Solar \\ \x00☀", first.Name)

	read, err := w.Requester(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "Acme O'Solar \\ ☀", read.Name, "no database keeps NUL in a text")
	require.Equal(t, time.Date(2026, 11, 23, 8, 0, 1, 123456000, time.UTC), read.Created)

	again, err := w.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme", Disabled: true})
	require.NoError(t, err)
	require.Equal(t, read.Created, again.Created)
	w.requester(t, "Zeta")
	all, err := w.Requesters(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "Zeta", all[0].UID, "by bytes, whatever the database's language")
	require.Equal(t, again, all[1])

	_, err = w.Requester(t.Context(), "acm")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.PutRequester(t.Context(), store.Requester{UID: "no/slash"})
	require.ErrorIs(t, err, store.ErrInvalid)
}

func testUsers(t *testing.T, w *world) {
	w.requester(t, "acme")
	jane, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: " Jane@Example.com", Name: "Jane"}, "correct horse")
	require.NoError(t, err)
	require.Equal(t, "jane@example.com", jane.Email)
	require.NotContains(t, jane.PasswordHash, "correct")

	found, err := w.CheckPassword(t.Context(), "JANE@example.com", "correct horse")
	require.NoError(t, err)
	require.Equal(t, jane, found)
	for name, try := range map[string][2]string{
		"wrong password": {"jane@example.com", "correct horses"},
		"empty password": {"jane@example.com", ""},
		"unknown user":   {"joe@example.com", "correct horse"},
		"too long":       {"jane@example.com", string(make([]byte, 2000))},
	} {
		_, err := w.CheckPassword(t.Context(), try[0], try[1])
		require.ErrorIs(t, err, store.ErrWrongPassword, name)
	}

	_, err = w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "jane@EXAMPLE.com"}, "correct horse")
	require.ErrorIs(t, err, store.ErrConflict)
	_, err = w.AddUser(t.Context(), store.User{RequesterUID: "nobody", Email: "joe@example.com"}, "correct horse")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "joe@example.com"}, "short")
	require.ErrorIs(t, err, store.ErrInvalid)
	_, err = w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "joe"}, "correct horse")
	require.ErrorIs(t, err, store.ErrInvalid)
	users, err := w.Users(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, []store.User{jane}, users)
	read, err := w.User(t.Context(), jane.UID)
	require.NoError(t, err)
	require.Equal(t, jane, read)
}

func testSessions(t *testing.T, w *world) {
	w.requester(t, "acme")
	jane, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "jane@example.com"}, "correct horse")
	require.NoError(t, err)
	start := func() string {
		token, err := w.StartSession(t.Context(), jane.UID, time.Hour)
		require.NoError(t, err)
		user, err := w.SessionUser(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, jane.UID, user.UID)
		return token
	}
	over := func(token string) {
		_, err := w.SessionUser(t.Context(), token)
		require.ErrorIs(t, err, store.ErrNotFound)
	}

	token, other := start(), start()
	require.NoError(t, w.EndSession(t.Context(), token))
	require.NoError(t, w.EndSession(t.Context(), token))
	over(token)
	over("")

	require.NoError(t, w.SetPassword(t.Context(), "Jane@example.com", "battery staple"))
	over(other)
	_, err = w.CheckPassword(t.Context(), "jane@example.com", "battery staple")
	require.NoError(t, err)
	require.ErrorIs(t, w.SetPassword(t.Context(), "joe@example.com", "battery staple"), store.ErrNotFound)
	require.ErrorIs(t, w.SetPassword(t.Context(), "jane@example.com", "short"), store.ErrInvalid)

	late := start()
	w.clock.advance(time.Hour)
	over(late)
	require.NoError(t, w.Sweep(t.Context(), w.clock.next()))

	disabled := start()
	_, err = w.PutRequester(t.Context(), store.Requester{UID: "acme", Disabled: true})
	require.NoError(t, err)
	over(disabled)
	_, err = w.CheckPassword(t.Context(), "jane@example.com", "battery staple")
	require.ErrorIs(t, err, store.ErrWrongPassword)
}

func testKeys(t *testing.T, w *world) {
	w.requester(t, "acme")
	made, key, err := w.AddKey(t.Context(), "acme", "backend", nil)
	require.NoError(t, err)
	require.Regexp(t, `^mk_[a-z0-9]{40,}$`, key)
	require.Equal(t, key[:9], made.Prefix)

	found, err := w.KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, "Acme Solar", found.Requester.Name)
	require.NotNil(t, found.LastUsed)
	again, err := w.KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, found.LastUsed, again.LastUsed, "exact to a minute")
	w.clock.advance(time.Hour)
	later, err := w.KeyOwner(t.Context(), key)
	require.NoError(t, err)
	require.True(t, later.LastUsed.After(*found.LastUsed))

	expires := w.clock.next().Add(time.Minute)
	_, short, err := w.AddKey(t.Context(), "acme", "short", &expires)
	require.NoError(t, err)
	_, err = w.KeyOwner(t.Context(), short)
	require.NoError(t, err)
	w.clock.advance(time.Minute)
	for _, useless := range []string{short, "", "mk_", key + "x", key[:20]} {
		_, err = w.KeyOwner(t.Context(), useless)
		require.ErrorIs(t, err, store.ErrNotFound)
	}

	require.ErrorIs(t, w.RevokeKey(t.Context(), "zeta", made.UID), store.ErrNotFound)
	require.NoError(t, w.RevokeKey(t.Context(), "acme", made.UID))
	keys, err := w.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"short", "backend"}, []string{keys[0].Name, keys[1].Name})
	revoked := *keys[1].Revoked
	require.NoError(t, w.RevokeKey(t.Context(), "acme", made.UID))
	keys, err = w.Keys(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, revoked, *keys[1].Revoked)
	_, err = w.KeyOwner(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, _, err = w.AddKey(t.Context(), "nobody", "", nil)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func testDisabledRequestersKey(t *testing.T, w *world) {
	w.requester(t, "acme")
	_, key, err := w.AddKey(t.Context(), "acme", "backend", nil)
	require.NoError(t, err)
	_, err = w.PutRequester(t.Context(), store.Requester{UID: "acme", Disabled: true})
	require.NoError(t, err)
	_, err = w.KeyOwner(t.Context(), key)
	require.ErrorIs(t, err, store.ErrNotFound)
}
