package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterkey/meterkey/internal/store"
)

// empties make databases without tables.
func empties() map[string]func(*testing.T) store.Options {
	return map[string]func(*testing.T) store.Options{
		"SQLite": func(t *testing.T) store.Options {
			return store.Options{File: filepath.Join(t.TempDir(), "empty.db")}
		},
		"PostgreSQL": func(t *testing.T) store.Options { return store.Options{URL: postgres.create(t, "template0")} },
	}
}

func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	for name, empty := range empties() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := empty(t)
			options.NoMigrate = true
			w := newWorld(t, options)
			_, err := w.Requesters(t.Context())
			require.ErrorContains(t, err, "listing requesters")

			first, err := w.Migrate(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, first, int64(2))
			w.requester(t, "acme")
			again, err := w.Migrate(t.Context())
			require.NoError(t, err)
			require.Equal(t, first, again)
			all, err := w.Requesters(t.Context())
			require.NoError(t, err)
			require.Len(t, all, 1)
		})
	}
}

// A worker and some portals start at once, on a database that nobody has prepared.
func TestMigrateByManyAtOnce(t *testing.T) {
	t.Parallel()
	for name, empty := range empties() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := empty(t)
			var group errgroup.Group
			all := make([]*store.Store, 6)
			for i := range all {
				group.Go(func() (err error) {
					all[i], err = store.Open(t.Context(), options)
					return err
				})
			}
			require.NoError(t, group.Wait())
			for _, s := range all {
				_, err := s.PutRequester(t.Context(), store.Requester{UID: "acme"})
				require.NoError(t, err)
				require.NoError(t, s.Ping(t.Context()))
				require.NoError(t, s.Close())
			}
		})
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]store.Options{
		"neither":   {},
		"no folder": {File: filepath.Join(t.TempDir(), "none", "meterkey.db")},
		"no server": {URL: "postgres://meterkey@127.0.0.1:1/meterkey?connect_timeout=2"},
		"not a URL": {URL: "postgres://%zz"},
	} {
		_, err := store.Open(t.Context(), options)
		require.ErrorContains(t, err, "opening the database", name)
	}
}
