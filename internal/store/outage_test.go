package store_test

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// A PostgreSQL that restarts or fails over cuts every connection, and takes none for a while. What is asked meanwhile
// fails, as an error of its own kind; afterwards the same store works, without anything lost or done twice.
func TestPostgresGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{URL: postgres.migrated(t)})
	var name string
	require.NoError(t, w.SQL().QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	l := newLife("outage")
	before := record(t, w.Store, l.projection(), l.to(meterkey.SigningIn))
	require.NotEmpty(t, before.Events)

	postgres.do(t, fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS false", name))
	cut := fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", name)
	postgres.do(t, cut)
	for doing, try := range map[string]func() error{
		"listing requests": func() error {
			_, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
			return err
		},
		"storing projection": func() error { _, err := w.Record(t.Context(), l.to(meterkey.AwaitingCode)); return err },
		"finding key":        func() error { _, err := w.KeyOwner(t.Context(), "mk_x"); return err },
		"checking password":  func() error { _, err := w.CheckPassword(t.Context(), "a@b.example", "correct horse"); return err },
	} {
		err := try()
		require.ErrorContains(t, err, doing)
		for _, known := range []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid, store.ErrWrongPassword} {
			require.NotErrorIs(t, err, known, "%s: a database that is away was taken for an answer", doing)
		}
	}
	require.Error(t, w.Ping(t.Context()))

	postgres.do(t, fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS true", name))
	require.NoError(t, w.Ping(t.Context()))
	published := record(t, w.Store, l.projection())
	require.Contains(t, kinds(published), store.EventAuthorizationUpdateDelayed)
	require.Equal(t, "MFA code needed", w.authorization(t, "outage").StatusMessage)

	// Connections that were cut while they lay idle are no reason to fail.
	postgres.do(t, cut)
	require.Eventually(t, func() bool { return w.Ping(t.Context()) == nil }, 3*time.Minute, 10*time.Millisecond)
	events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, events.Items, len(before.Events)+len(published.Events))
}

// Nobody waits longer than they said, for a writer that holds the database.
func testGivesUpWithItsCaller(t *testing.T, w *world) {
	w.requester(t, "acme")
	l := newLife("held")
	record(t, w.Store, l.projection())
	tx, err := w.SQL().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "UPDATE requests SET nickname = 'held' WHERE uid = 'held'")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = w.Record(ctx, l.to(meterkey.SigningIn))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	list, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err, "readers wait for no writer")
	require.Empty(t, list.Items[0].Nickname, "what is not committed was read")
	require.NoError(t, tx.Rollback())
	require.NotEmpty(t, record(t, w.Store, l.projection()).Events)
}

// A caller who has gone changes nothing.
func testCanceledChangesNothing(t *testing.T, w *world) {
	w.requester(t, "acme")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := w.CreateRequest(gone, store.Request{UID: "gone", RequesterUID: "acme"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = w.AddWebhook(gone, store.Webhook{RequesterUID: "acme", URL: "https://x.example"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = w.RequestByID(t.Context(), "gone")
	require.ErrorIs(t, err, store.ErrNotFound)
	hooks, err := w.Webhooks(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, hooks)
}

// A change that fails in its middle leaves nothing of itself behind.
func testHalfAChangeIsNone(t *testing.T, w *world) {
	w.requester(t, "acme")
	_, err := w.SQL().ExecContext(t.Context(), "DROP TABLE deliveries")
	require.NoError(t, err)
	_, err = w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://x.example", Enabled: true})
	require.NoError(t, err)
	_, _, err = w.CreateRequest(t.Context(), store.Request{UID: "half", RequesterUID: "acme", Nickname: "found"})
	require.ErrorContains(t, err, "creating request")
	l := newLife("half-recorded")
	_, err = w.Record(t.Context(), l.to(meterkey.SigningIn))
	require.ErrorContains(t, err, "storing projection")
	require.Empty(t, w.list(t, store.RequestFilter{}).Items)
	require.Empty(t, w.list(t, store.RequestFilter{Search: "found"}).Items)
	events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Empty(t, events.Items)
	authorizations, err := w.ListAuthorizations(t.Context(), store.AuthorizationFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Empty(t, authorizations.Items)
}

// Databases of every earlier version are brought up with all that is in them.
func TestMigrateFromEachVersion(t *testing.T) {
	t.Parallel()
	versions, err := fs.Glob(store.Migrations, "migrations/*.sql")
	require.NoError(t, err)
	newest := int64(len(versions) + 1) // 1 is made of code
	for name, empty := range empties() {
		for from := int64(1); from <= newest; from++ {
			t.Run(fmt.Sprintf("%s from %d", name, from), func(t *testing.T) {
				t.Parallel()
				options := empty(t)
				options.NoMigrate = true
				w := newWorld(t, options)
				require.NoError(t, w.MigrateTo(t.Context(), from))
				held := from >= 2 // where there are tables
				l := newLife("kept")
				if held {
					record(t, w.Store, l.projection(), l.to(meterkey.SigningIn))
				}
				reached, err := w.Migrate(t.Context())
				require.NoError(t, err)
				require.Equal(t, newest, reached)
				record(t, w.Store, l.to(meterkey.SigningIn), l.connect(2))
				require.Equal(t, 2, w.authorization(t, "kept").MeterCount)
				events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme"})
				require.NoError(t, err)
				created := 0
				for _, event := range events.Items {
					if event.Type == store.EventAuthorizationCreated {
						created++
					}
				}
				require.Equal(t, 1, created, "what was there before the migration was forgotten")
				_, err = w.AddImport(t.Context(), store.Import{RequesterUID: "acme", FileName: "new.csv"}, []store.ImportRow{{Line: 2}})
				require.NoError(t, err)
			})
		}
	}
}

// While a new release takes over, the one before still runs: on a database that is newer than itself.
func TestMigrateLeavesANewerDatabaseAlone(t *testing.T) {
	t.Parallel()
	for name, empty := range empties() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty(t))
			_, err := w.SQL().ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)")
			require.NoError(t, err)
			later := w.open(t)
			_, err = later.PutRequester(t.Context(), store.Requester{UID: "acme"})
			require.NoError(t, err)
		})
	}
}

// Two people press at once: what can be done once is done once, on either database.
func testOnceByManyAtOnce(t *testing.T, w *world) {
	w.requester(t, "acme")
	hook, err := w.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: "https://x.example", Enabled: true})
	require.NoError(t, err)
	a := w.connected(t, newLife("race"))
	kept, err := w.AddImport(t.Context(), store.Import{RequesterUID: "acme"}, []store.ImportRow{{Line: 2, Outcome: store.ImportOpen}})
	require.NoError(t, err)
	stores := []*store.Store{w.Store, w.open(t)}
	const many = 6
	var created, revoked, reserved [many]bool
	var group errgroup.Group
	for i := range many {
		s := stores[i%len(stores)]
		group.Go(func() error {
			_, _, err := s.CreateRequest(t.Context(), store.Request{UID: "same-uid", RequesterUID: "acme"})
			created[i] = err == nil
			_, published, err := s.Revoke(t.Context(), "acme", a.UID)
			if err != nil {
				return err
			}
			revoked[i] = len(published.Events) > 0
			_, reserved[i], err = s.ReserveKey(t.Context(), store.Idempotency{RequesterUID: "acme", Key: "k"})
			if err != nil {
				return err
			}
			return s.StartImport(t.Context(), "acme", kept.UID, i == 0)
		})
	}
	require.NoError(t, group.Wait())
	for what, won := range map[string][many]bool{"created": created, "revoked": revoked, "reserved": reserved} {
		winners := 0
		for _, one := range won {
			if one {
				winners++
			}
		}
		require.Equal(t, 1, winners, what)
	}
	events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1000})
	require.NoError(t, err)
	deliveries, err := w.Deliveries(t.Context(), "acme", hook.UID, 1000)
	require.NoError(t, err)
	told := 0
	for _, delivery := range deliveries {
		told += delivery.EventCount
	}
	require.Len(t, events.Items, told, "an event without a delivery, or the other way round")
}

// Requests and permissions of one customer change together, from several places, and none waits for another for ever.
func testChangesCrossEachOther(t *testing.T, w *world) {
	w.requester(t, "acme")
	lives := map[string]*life{}
	for _, id := range []string{"x-1", "x-2", "x-3"} {
		lives[id] = newLife(id)
		lives[id].request.Test = true
		record(t, w.Store, lives[id].projection(), lives[id].to(meterkey.SigningIn))
	}
	other := w.open(t)
	var group errgroup.Group
	for id, l := range lives {
		a := w.authorization(t, id)
		connected := l.connect(20)
		nickname := "renamed " + id
		for _, change := range []func() error{
			func() error { _, err := w.Record(t.Context(), connected); return err },
			func() error { _, err := other.Record(t.Context(), connected); return err },
			func() error { _, _, err := other.Revoke(t.Context(), "acme", a.UID); return err },
			func() error {
				_, err := w.UpdateAuthorization(t.Context(), "acme", a.UID, store.AuthorizationChange{Nickname: &nickname})
				return err
			},
			func() error {
				_, err := other.UpdateRequest(t.Context(), "acme", id, store.RequestChange{Nickname: &nickname})
				return err
			},
			func() error { return w.SetConsent(t.Context(), id, store.Consent{At: l.at, Language: "en", Text: "1"}) },
			func() error { return other.MarkOpened(t.Context(), id) },
		} {
			group.Go(change)
		}
	}
	require.NoError(t, group.Wait())
	for id := range lives {
		a := w.authorization(t, id)
		require.NotNil(t, a.Revoked)
		require.Equal(t, "renamed "+id, a.Nickname)
		meters, err := w.AllMeters(t.Context(), "acme", a.UID)
		require.NoError(t, err)
		require.Empty(t, meters, "meters outlived the permission")
		request, err := w.RequestByID(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, meterkey.Connected, request.Status)
		require.Equal(t, "renamed "+id, request.Nickname)
		require.NotNil(t, request.Consent)
		require.NotNil(t, request.OpenedAt)
	}
}
