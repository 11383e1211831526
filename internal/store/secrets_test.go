package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// Whoever reads the database learns no password, key or session.
func testNoSecretInTheClear(t *testing.T, w *world) {
	w.requester(t, "acme")
	const password = "correct horse battery"
	user, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "jane@example.com"}, password)
	require.NoError(t, err)
	twin, err := w.AddUser(t.Context(), store.User{RequesterUID: "acme", Email: "joe@example.com"}, password)
	require.NoError(t, err)
	require.NotEqual(t, user.PasswordHash, twin.PasswordHash, "equal passwords are not to be told")
	require.True(t, strings.HasPrefix(user.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$"), user.PasswordHash)
	session, err := w.StartSession(t.Context(), user.UID, time.Hour)
	require.NoError(t, err)
	_, key, err := w.AddKey(t.Context(), "acme", "backend", nil)
	require.NoError(t, err)

	everything := strings.ToLower(w.everything(t))
	require.Contains(t, everything, "jane@example.com")
	for name, secret := range map[string]string{"password": password, "session": session, "key": key[3:]} {
		require.NotContains(t, everything, strings.ToLower(secret), name)
		require.NotContains(t, everything, strings.ToLower(secret[len(secret)/2:]), "half of the "+name)
	}
}

// everything is all that the database's tables hold.
func (w *world) everything(t *testing.T) string {
	t.Helper()
	names := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if w.IsPostgres() {
		names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	var all strings.Builder
	for _, table := range w.rows(t, names) {
		fmt.Fprintln(&all, w.rows(t, fmt.Sprintf("SELECT * FROM %q", strings.Trim(table, "[]"))))
	}
	return all.String()
}

// rows are what a query returns, each as text.
func (w *world) rows(t *testing.T, query string) []string {
	t.Helper()
	rows, err := w.SQL().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all []string
	for rows.Next() {
		values, fields := make([]any, len(columns)), make([]any, len(columns))
		for i := range fields {
			fields[i] = &values[i]
		}
		require.NoError(t, rows.Scan(fields...))
		all = append(all, fmt.Sprintf("%s", values))
	}
	require.NoError(t, rows.Err())
	return all
}
