package activities_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/workflows"
)

var errDown = errors.New("the database is down")

// record is a database made of a function.
type record func(meterkey.Projection) error

func (r record) Record(_ context.Context, p meterkey.Projection) (store.Published, error) {
	return store.Published{}, r(p)
}

// webhooks notes which deliveries were started.
type webhooks struct {
	mu      sync.Mutex
	started []string
}

func (w *webhooks) Deliver(_ context.Context, deliveries ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, deliveries...)
}

// databaseOf is what a Recorder needs of a database.
type databaseOf interface {
	Record(ctx context.Context, p meterkey.Projection) (store.Published, error)
}

func newRecorder(db databaseOf) *activities.Recorder {
	return &activities.Recorder{Store: db, Webhooks: &webhooks{}, Log: zap.NewNop()}
}

// database is a real one that notes what it took.
type database struct {
	*store.Store
	file string

	mu    sync.Mutex
	taken []meterkey.Projection
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	file := filepath.Join(t.TempDir(), "meterkey.db")
	s, err := store.Open(t.Context(), store.Options{File: file})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &database{Store: s, file: file}
}

func (d *database) Record(ctx context.Context, p meterkey.Projection) (store.Published, error) {
	published, err := d.Store.Record(ctx, p)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.taken = append(d.taken, p)
	}
	return published, err
}

// states are those that were recorded, oldest first.
func (d *database) states() []meterkey.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := make([]meterkey.State, len(d.taken))
	for i, p := range d.taken {
		states[i] = p.State
	}
	return states
}

// requireRecorded holds that the database stands where the workflow comes to by what the activity found.
func requireRecorded(t *testing.T, db *database, in workflows.Task, found workflows.PageResult) meterkey.State {
	t.Helper()
	require.True(t, found.Recorded)
	after, states := in.After(found), db.states()
	last := states[len(states)-1]
	require.JSONEq(t, asJSON(t, after), asJSON(t, last))
	row, err := db.RequestByID(t.Context(), in.Request.RequestID)
	require.NoError(t, err)
	require.Equal(t, after.Status, row.Status)
	require.Equal(t, after.Reason, row.Reason)
	require.Equal(t, after.Revision, row.Revision)
	require.Greater(t, after.Revision, in.State().Revision)
	return after
}

func asJSON(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	require.NoError(t, err)
	return string(text)
}

func TestRecording_LoginRecordsWhatTheWorkflowComesTo(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]struct {
		status meterkey.Status
		reason meterkey.Reason
	}{
		"plain":   {meterkey.FetchingMeters, ""},
		"code":    {meterkey.AwaitingCode, ""},
		"choice":  {meterkey.AwaitingChoice, ""},
		"wrong":   {meterkey.AwaitingLogin, meterkey.InvalidCredentials},
		"down":    {meterkey.AwaitingLogin, meterkey.UtilityUnavailable},
		"captcha": {meterkey.Failed, meterkey.Captcha},
	} {
		t.Run(kind, func(t *testing.T) {
			a, db := newRecordedAccount(t, kind)
			in := a.loginInput()
			after := requireRecorded(t, db, in.Task, a.do(a.Login, in))
			require.Equal(t, want.status, after.Status)
			require.Equal(t, want.reason, after.Reason)
			require.Equal(t, meterkey.SigningIn, db.states()[0].Status, "what it works in comes first")
			require.Equal(t, in.State().Revision, db.states()[0].Revision)
			if after.Status.AsksCustomer() {
				require.Equal(t, "c-1", after.Challenge.ID)
				require.Positive(t, after.Challenge.TriesLeft)
			}
		})
	}
}

// newRecordedAccount is an account whose activities record in a database of its own.
func newRecordedAccount(t *testing.T, kind string) (*account, *database) {
	t.Helper()
	a, db := newAccount(t, "DEMO", kind), newDatabase(t)
	a.Recorder = newRecorder(db)
	return a, db
}

func TestRecording_AnswersAndMeters(t *testing.T) {
	t.Parallel()
	a, db := newRecordedAccount(t, "code")
	w := a.login().Window

	wrong := a.submitInput(w, "c-1", meterkey.NumberCode, another(a.phone()))
	wrong.Progress.State.Revision = 4
	after := requireRecorded(t, db, wrong.Task, a.do(a.SubmitCode, wrong))
	require.Equal(t, meterkey.AwaitingCode, after.Status)
	require.Equal(t, meterkey.CodeRejected, after.Reason)
	require.Equal(t, "c-2", after.Challenge.ID)
	require.Equal(t, 2, after.Challenge.TriesLeft)

	again := a.asked(meterkey.AwaitingCode, w, *after.Challenge)
	again.Progress.State.Revision = 6
	after = requireRecorded(t, db, again, a.do(a.ResendCode, again))
	require.Equal(t, meterkey.AwaitingCode, after.Status)

	right := a.submitInput(w, "c-3", meterkey.NumberCode, a.phone())
	right.Progress.State.Revision = 8
	after = requireRecorded(t, db, right.Task, a.do(a.SubmitCode, right))
	require.Equal(t, meterkey.FetchingMeters, after.Status)
	require.Nil(t, after.Challenge)

	fetch := a.task(meterkey.FetchingMeters, w)
	fetch.Progress.State.Revision = 10
	found := a.do(a.FetchMeterList, fetch)
	require.True(t, found.Closed)
	after = requireRecorded(t, db, fetch, found)
	require.Equal(t, meterkey.Connected, after.Status)
	require.NotEmpty(t, after.Meters)
	require.Eventually(t, func() bool { return !a.open(w) }, time.Minute, 20*time.Millisecond, "nothing more is to be read in it")
}

// TestRecording_IsNotWaitedFor locks the database as another writer would. A customer is told of the code nevertheless.
func TestRecording_IsNotWaitedFor(t *testing.T) {
	t.Parallel()
	a, db := newRecordedAccount(t, "code")
	held := lock(t, db)
	in := a.loginInput()
	found := a.do(a.Login, in)
	require.Less(t, time.Since(found.At), 20*time.Second, "two seconds, and what a busy machine adds; the database itself would wait for a minute")
	require.Equal(t, workflows.OutcomeChallenge, found.Outcome)
	require.False(t, found.Recorded, "the workflow has it recorded later")
	require.Empty(t, db.states())

	require.NoError(t, held.Rollback())
	require.NoError(t, recordIn(a.Recorder, meterkey.Projection{Request: in.Request, RunID: "run-1", State: in.After(found)}))
	require.Equal(t, meterkey.AwaitingCode, db.states()[0].Status)
}

// lock keeps everybody else from writing to a database until it is rolled back.
func lock(t *testing.T, db *database) *sql.Tx {
	t.Helper()
	other, err := sql.Open("sqlite", "file:"+db.file+"?_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	tx, err := other.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() }) // it may have been already
	return tx
}

// recordIn runs Record.
func recordIn(r *activities.Recorder, p meterkey.Projection) error {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterActivity(r.Record)
	_, err := env.ExecuteActivity(r.Record, p)
	return err
}

// TestRecording_ALateAttemptIsNewer has the first attempt record what it saw and die before it could tell anybody.
func TestRecording_ALateAttemptIsNewer(t *testing.T) {
	t.Parallel()
	a, db := newRecordedAccount(t, "code")
	login := func(ctx context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
		found, err := a.Login(ctx, in)
		if err == nil && found.Attempt == 1 {
			err = errors.New("killed")
		}
		return found, err
	}
	in := a.loginInput()
	found := retried(t, login, in)
	require.Equal(t, 2, found.Attempt)
	after := requireRecorded(t, db, in.Task, found)
	require.Equal(t, meterkey.AwaitingCode, after.Status)
	var revisions []int
	for _, s := range db.states() {
		if s.Status == meterkey.AwaitingCode {
			revisions = append(revisions, s.Revision)
		}
	}
	require.Equal(t, []int{3, 4}, revisions)
	require.Equal(t, 1, a.ledger()["logins"])
}

// retried runs an activity until it succeeds.
func retried(t *testing.T, login func(context.Context, workflows.LoginInput) (workflows.PageResult, error), in workflows.LoginInput) (found workflows.PageResult) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	env.RegisterActivityWithOptions(login, activity.RegisterOptions{Name: workflows.ActivityLogin})
	env.ExecuteWorkflow(func(ctx workflow.Context) (found workflows.PageResult, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Hour})
		err = workflow.ExecuteActivity(ctx, workflows.ActivityLogin, in).Get(ctx, &found)
		return found, err
	})
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&found))
	return found
}

func TestRecord_WritesALineWithoutPersonalData(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	recorder := newRecorder(record(func(meterkey.Projection) error { return nil }))
	recorder.Log = zap.New(core)
	require.NoError(t, recordIn(recorder, meterkey.Projection{Request: notice("").Request, RunID: "run-1",
		State: meterkey.State{Status: meterkey.Connected, Revision: 7, Meters: []meterkey.Meter{{AccountNumber: "123456"}}}}))
	line := logs.FilterMessage("data request").All()[0].ContextMap()
	require.Equal(t, "connected", line["status"])
	require.EqualValues(t, 7, line["revision"])
	require.EqualValues(t, 1, line["meters"])
	for _, value := range line {
		require.NotContains(t, []any{customer, requester, "123456"}, value)
	}
}

func TestRecord_ThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	recorder := newRecorder(record(func(meterkey.Projection) error { return errDown }))
	recorder.Log = zap.New(core)
	err := recordIn(recorder, meterkey.Projection{Request: notice("").Request})
	var passing *temporal.ApplicationError
	require.ErrorAs(t, err, &passing)
	require.False(t, passing.NonRetryable())
	require.ErrorContains(t, err, errDown.Error())
	require.Empty(t, logs.FilterMessage("data request").All(), "what was not recorded is not said to be")
}

// TestRecord_HasTheWebhooksDelivered of what the database says is new.
func TestRecord_HasTheWebhooksDelivered(t *testing.T) {
	t.Parallel()
	hooks := &webhooks{}
	recorder := newRecorder(publishing{"d-1", "d-2"})
	recorder.Webhooks = hooks
	require.NoError(t, recordIn(recorder, meterkey.Projection{Request: notice("").Request}))
	require.Equal(t, []string{"d-1", "d-2"}, hooks.started)
}

// publishing is a database in which whatever is recorded leads to these deliveries.
type publishing []string

func (p publishing) Record(context.Context, meterkey.Projection) (store.Published, error) {
	return store.Published{Deliveries: p}, nil
}

// away is a database that does not answer until it is given up.
type away struct{ givenUp func(meterkey.State) }

func (d away) Record(ctx context.Context, p meterkey.Projection) (store.Published, error) {
	<-ctx.Done()
	d.givenUp(p.State)
	return store.Published{}, ctx.Err()
}

// TestFetchMeterList_KeepsItsWindowWhileItRecords: were it killed then, the next attempt would read the list again.
func TestFetchMeterList_KeepsItsWindowWhileItRecords(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	w := a.login().Window
	var open []bool
	a.Recorder = newRecorder(away{func(s meterkey.State) {
		if s.Status == meterkey.Connected {
			open = append(open, a.open(w))
		}
	}})
	found := a.do(a.FetchMeterList, a.task(meterkey.FetchingMeters, w))
	require.True(t, found.Closed)
	require.False(t, found.Recorded)
	require.Equal(t, []bool{true}, open)
	require.Eventually(t, func() bool { return !a.open(w) }, time.Minute, 20*time.Millisecond)
}
