package store_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) store.Options {
		t.Helper()
		return store.Options{File: filepath.Join(t.TempDir(), "meter key?.db")}
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) store.Options {
		t.Helper()
		return store.Options{URL: postgres.migrated(t)}
	})
}

// contract is what every database must do. The function makes a database of a test's own.
func contract(t *testing.T, database func(*testing.T) store.Options) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *world){
		"requesters":               testRequesters,
		"record from the start":    testRecordFromTheStart,
		"record what was skipped":  testRecordTellsWhatWasSkipped,
		"record in any order":      testRecordInAnyOrder,
		"record by many at once":   testRecordByManyAtOnce,
		"record any revisions":     testRecordAnyRevisions,
		"record revisions at once": testRecordAnyRevisionsAtOnce,
		"record two attempts":      testRecordTwoAttempts,
		"terminated":               testTerminated,
		"terminated at any time":   testTerminatedAtAnyTime,
		"open requests":            testOpenRequests,
		"record odd texts":         testRecordOddTexts,
		"revived request":          testRevivedRequest,
		"reauthorization":          testReauthorization,
		"declined":                 testDeclined,
		"ends without customer":    testEndsWithoutTheCustomer,
		"20,000 meters":            testTwentyThousandMeters,
		"meters that look alike":   testMetersThatLookAlike,
		"chosen utility":           testChosenUtility,
		"users":                    testUsers,
		"sessions":                 testSessions,
		"keys":                     testKeys,
		"disabled requester's key": testDisabledRequestersKey,
		"requests":                 testRequests,
		"update request":           testUpdateRequest,
		"delete request":           testDeleteRequest,
		"opened and consent":       testOpenedAndConsent,
		"idempotency":              testIdempotency,
		"revoke":                   testRevoke,
		"revoked while under way":  testRevokedWhileUnderWay,
		"delete test":              testDeleteTest,
		"expire":                   testExpire,
		"list authorizations":      testListAuthorizations,
		"meters":                   testMeters,
		"webhooks":                 testWebhooks,
		"deliveries":               testDeliveries,
		"events":                   testEvents,
		"presences":                testPresences,
		"list requests":            testListRequests,
		"search with many matches": testSearchWithManyMatches,
		"numbers":                  testNumbers,
		"same moment":              testSameMoment,
		"plans":                    testPlans,
		"no secret in the clear":   testNoSecretInTheClear,
		"plans of other lists":     testPlansOfOtherLists,
		"statusMap":                testStatusMap,
		"imports":                  testImports,
		"import without open":      testImportWithoutOpen,
		"keep session":             testKeepSession,
		"list by reason":           testListByReason,
		"gives up with its caller": testGivesUpWithItsCaller,
		"canceled":                 testCanceledChangesNothing,
		"half a change":            testHalfAChangeIsNone,
		"once by many at once":     testOnceByManyAtOnce,
		"changes cross":            testChangesCrossEachOther,
		"others' rows":             testNobodyTouchesAnothersRows,
		"redeliver event":          testRedeliverEvent,
		"after a deleted request":  testPageAfterADeletedRequest,
		"odd texts looked for":     testOddTextsAreLookedFor,
		"is a test":                testIsTestIsTheRequesters,
		"sweep":                    testSweep,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, database(t)))
		})
	}
}

// world is a database with its clock.
type world struct {
	*store.Store
	options store.Options
	clock   *clock
}

func newWorld(t testing.TB, o store.Options) *world {
	t.Helper()
	w := &world{options: o, clock: &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 123456789, time.FixedZone("", 3600))}}
	w.options.Now = w.clock.next
	w.Store = w.open(t)
	return w
}

// open opens the same database once more, as another process would.
func (w *world) open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), w.options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// clock goes on by a second each time it is looked at.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// requester adds a requester.
func (w *world) requester(t *testing.T, uid string) {
	t.Helper()
	_, err := w.PutRequester(t.Context(), store.Requester{UID: uid, Name: "Acme Solar", Email: "acme@example.com"})
	require.NoError(t, err)
}
