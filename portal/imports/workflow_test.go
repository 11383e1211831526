package imports

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

var theInput = Input{ImportUID: "i1", Requester: "acme", AlsoOpen: true}

// file plays the activity for an import under test: ten rows a batch, one batch a second.
type file struct {
	t       *testing.T
	env     *testsuite.TestWorkflowEnvironment
	counts  Counts
	batches int
	during  func(batch int) error // what happens while a batch is under way
}

func newFile(t *testing.T, rows int) *file {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	f := &file{t: t, env: suite.NewTestWorkflowEnvironment(), counts: Counts{Rows: rows}, during: func(int) error { return nil }}
	f.env.RegisterWorkflowWithOptions(SendImport, workflow.RegisterOptions{Name: WorkflowType})
	f.env.RegisterActivityWithOptions(f.sendRows, activity.RegisterOptions{Name: ActivitySendRows})
	return f
}

func (f *file) sendRows(_ context.Context, in Input) (Counts, error) {
	f.t.Helper()
	require.Equal(f.t, theInput, in)
	f.batches++
	if err := f.during(f.batches); err != nil {
		return Counts{}, err
	}
	f.counts.Sent += 10
	return f.counts, nil
}

func (f *file) run(continued *Progress) (Progress, error) {
	f.t.Helper()
	f.env.ExecuteWorkflow(WorkflowType, theInput, continued)
	require.True(f.t, f.env.IsWorkflowCompleted())
	var p Progress
	if err := f.env.GetWorkflowError(); err != nil {
		return p, err
	}
	return p, f.env.GetWorkflowResult(&p)
}

// update sends an update; it is answered with the state.
func (f *file) update(name string, answer State) {
	f.t.Helper()
	f.env.UpdateWorkflow(name, name+"-"+f.env.Now().String(), &testsuite.TestUpdateCallback{
		OnReject: func(err error) { require.NoError(f.t, err) },
		OnAccept: func() {},
		OnComplete: func(progress any, err error) {
			require.NoError(f.t, err)
			require.Equal(f.t, answer, progress.(Progress).State) //nolint:errcheck,forcetypeassert // a panic fails the test
		},
	})
}

func (f *file) progress() Progress {
	f.t.Helper()
	answer, err := f.env.QueryWorkflow(QueryProgress)
	require.NoError(f.t, err)
	var p Progress
	require.NoError(f.t, answer.Get(&p))
	return p
}

func TestSendImport_SendsBatchAfterBatch(t *testing.T) {
	t.Parallel()
	f := newFile(t, 30)
	f.counts.Failed = 1
	f.counts.Rows++
	p, err := f.run(nil)
	require.NoError(t, err)
	require.Equal(t, Progress{State: Done, Counts: Counts{Rows: 31, Sent: 30, Failed: 1}}, p)
	require.Equal(t, p, f.progress())
	require.Equal(t, 3, f.batches)
}

func TestSendImport_WaitsForWhatIsDown(t *testing.T) {
	t.Parallel()
	f := newFile(t, 10)
	f.during = func(batch int) error {
		if batch < 10 { // the test environment makes no more attempts than ten
			return errors.New("the database is down")
		}
		return nil
	}
	p, err := f.run(nil)
	require.NoError(t, err)
	require.Equal(t, Done, p.State)
}

func TestSendImport_EndsWhenTheFileIsGone(t *testing.T) {
	t.Parallel()
	f := newFile(t, 10)
	f.during = func(int) error { return temporal.NewNonRetryableApplicationError("the import is gone", "gone", nil) }
	_, err := f.run(nil)
	require.ErrorContains(t, err, "the import is gone")
	require.Equal(t, 1, f.batches)
}

func TestSendImport_PausedUntilResumed(t *testing.T) {
	t.Parallel()
	f := newFile(t, 20)
	f.during = func(batch int) error {
		if batch == 1 {
			f.update(UpdatePause, Paused)
		}
		return nil
	}
	f.env.RegisterDelayedCallback(func() { f.update(UpdatePause, Paused) }, time.Hour)
	f.env.RegisterDelayedCallback(func() {
		require.Equal(t, Paused, f.progress().State)
		require.Equal(t, 1, f.batches, "nothing is sent meanwhile")
		f.update(UpdateResume, Sending)
	}, 9*time.Hour)
	p, err := f.run(nil)
	require.NoError(t, err)
	require.Equal(t, Progress{State: Done, Counts: Counts{Rows: 20, Sent: 20}}, p)
	require.Equal(t, 2, f.batches)
}

func TestSendImport_StopIsTheEnd(t *testing.T) {
	t.Parallel()
	f := newFile(t, 20)
	f.during = func(int) error {
		f.update(UpdateStop, Stopped)
		return nil
	}
	p, err := f.run(nil)
	require.NoError(t, err)
	require.Equal(t, Stopped, p.State)
	require.Equal(t, 1, f.batches)
}

// whileDown has something done while a batch waits for its next attempt.
func (f *file) whileDown(do func()) {
	f.during = func(int) error { return errors.New("the database is down") }
	f.env.RegisterDelayedCallback(do, time.Minute)
}

func TestSendImport_StopsWhileTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	f := newFile(t, 20)
	f.whileDown(func() {
		f.update(UpdateStop, Stopped)
		f.update(UpdateResume, Stopped)
	})
	p, err := f.run(nil)
	require.NoError(t, err)
	require.Equal(t, Stopped, p.State)
}

func TestSendImport_StoppedWhilePaused(t *testing.T) {
	t.Parallel()
	f := newFile(t, 20)
	f.env.RegisterDelayedCallback(func() { f.update(UpdateStop, Stopped) }, time.Hour)
	p, err := f.run(&Progress{State: Paused, Counts: Counts{Rows: 20, Sent: 10}})
	require.NoError(t, err)
	require.Equal(t, Progress{State: Stopped, Counts: Counts{Rows: 20, Sent: 10}}, p)
	require.Zero(t, f.batches)
}

func TestSendImport_APauseThatNobodyEndsStops(t *testing.T) {
	t.Parallel()
	f := newFile(t, 20)
	began := f.env.Now()
	p, err := f.run(&Progress{State: Paused})
	require.NoError(t, err)
	require.Equal(t, Stopped, p.State)
	require.Equal(t, pauseLimit, f.env.Now().Sub(began))
}

func TestSendImport_ContinuesAsNewWhereItWas(t *testing.T) {
	t.Parallel()
	f := newFile(t, 30)
	f.during = func(int) error {
		f.env.SetContinueAsNewSuggested(true)
		return nil
	}
	_, err := f.run(nil)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Equal(t, WorkflowType, again.WorkflowType.Name)
	require.Equal(t, Progress{State: Sending, Counts: Counts{Rows: 30, Sent: 10}}, f.progress())

	next := newFile(t, 30)
	next.counts.Sent = 10
	p, err := next.run(&Progress{State: Sending, Counts: next.counts})
	require.NoError(t, err)
	require.Equal(t, Progress{State: Done, Counts: Counts{Rows: 30, Sent: 30}}, p)
	require.Equal(t, 2, next.batches)
}

func TestSendImport_CanBeCanceled(t *testing.T) {
	t.Parallel()
	for _, state := range []State{Sending, Paused} {
		f := newFile(t, 20)
		f.whileDown(f.env.CancelWorkflow)
		_, err := f.run(&Progress{State: state})
		var canceled *temporal.CanceledError
		require.ErrorAs(t, err, &canceled)
	}
}
