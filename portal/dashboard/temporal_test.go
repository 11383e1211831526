package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/testenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

// temporalLimit bounds what Temporal takes for one step.
const temporalLimit = 30 * time.Second

// temporalServer is a real Temporal server with a real workflow worker. What happens at utilities' sites is made up: CONED asks for a code,
// all others let the customer in at once.
type temporalServer struct {
	temporal client.Client

	mu       sync.Mutex
	recorded func(meterkey.Projection) error // of the test that uses it
}

var sharedTemporal = sync.OnceValues(startTemporal)

func startTemporal() (*temporalServer, error) {
	server, err := testenv.Temporal()
	if err != nil {
		return nil, err
	}
	ts := &temporalServer{}
	if ts.temporal, err = client.Dial(client.Options{HostPort: server.Address(), Logger: silent{}}); err != nil {
		return nil, err
	}
	return ts, ts.startWorkers()
}

// work serves every task queue.
func (ts *temporalServer) startWorkers() error {
	for queue, activities := range map[string]map[string]any{
		meterkey.TaskQueue:              {workflows.ActivityNotify: ts.notify, workflows.ActivityRecord: ts.record},
		workflows.SignInTaskQueue:       {workflows.ActivityLogin: ts.login},
		workflows.WindowTaskQueue("h1"): {workflows.ActivityHoldWindow: ts.hold, workflows.ActivitySubmitCode: ts.submit, workflows.ActivityFetchMeterList: ts.fetch, workflows.ActivityCloseWindow: ts.close},
	} {
		w := worker.New(ts.temporal, queue, worker.Options{DeadlockDetectionTimeout: sdk.TaskTimeout})
		for name, f := range activities {
			w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
		}
		if queue == meterkey.TaskQueue {
			w.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
		}
		if err := w.Start(); err != nil {
			return err
		}
		testenv.AtEnd(func(context.Context) error { w.Stop(); return nil })
	}
	return nil
}

func (ts *temporalServer) notify(ctx context.Context, in workflows.NotifyInput) (workflows.NotifyResult, error) {
	if in.Record == nil {
		return workflows.NotifyResult{}, nil
	}
	return workflows.NotifyResult{Recorded: true}, ts.record(ctx, *in.Record)
}

func (ts *temporalServer) record(_ context.Context, p meterkey.Projection) error {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.recorded == nil {
		return nil
	}
	return ts.recorded(p)
}

func (ts *temporalServer) login(_ context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
	found := workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Typed: true, At: time.Now(),
		Window: &workflows.Window{Host: "h1", ID: in.Request.RequestID, ExpiresAt: time.Now().Add(10 * time.Minute)}}
	if in.Utility() == "CONED" {
		found.Outcome = workflows.OutcomeChallenge
		found.Challenge = &meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "Enter the code we sent", SentTo: "(***) ***-1234", Digits: 6, TriesLeft: 3}
	}
	return found, nil
}

func (ts *temporalServer) hold(ctx context.Context, _ workflows.HoldWindowInput) (workflows.PageResult, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return workflows.PageResult{}, ctx.Err()
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}

func (ts *temporalServer) submit(context.Context, workflows.SubmitCodeInput) (workflows.PageResult, error) {
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, At: time.Now()}, nil
}

func (ts *temporalServer) fetch(context.Context, workflows.Task) (workflows.PageResult, error) {
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, At: time.Now(), Meters: []meterkey.Meter{
		{MeterNumber: "E-1", AccountNumber: "=1+1", ServiceClass: "electric", ServiceAddress: "1 Main Street"}, {MeterNumber: "G-2", ServiceClass: "gas"},
	}}, nil
}

func (ts *temporalServer) close(context.Context, workflows.CloseWindowInput) error { return nil }

// silent keeps the SDK quiet: its warnings of tests that end early help nobody.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

var _ log.Logger = silent{}

// newFixtureWithTemporal is a fixture with Temporal. Tests that use it do not run side by side: its worker records into one store.
func newFixtureWithTemporal(t *testing.T) *fixture {
	t.Helper()
	ts, err := sharedTemporal()
	require.NoError(t, err)
	f := newFixture(t, options{temporal: ts.temporal})
	f.runImports()
	ts.mu.Lock()
	ts.recorded = func(p meterkey.Projection) error {
		_, err := f.store.Record(context.Background(), p)
		return err
	}
	ts.mu.Unlock()
	t.Cleanup(func() {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.recorded = nil
	})
	return f
}

// runImports sends imports until the test ends.
func (f *fixture) runImports() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.imports.Run(ctx) }()
	f.t.Cleanup(func() {
		stop()
		require.NoError(f.t, <-ended)
	})
}

// reaches waits until the stored request stands at the status.
func (f *fixture) reaches(uid string, status meterkey.Status) store.Request {
	f.t.Helper()
	var r store.Request
	require.Eventually(f.t, func() bool {
		var err error
		r, err = f.store.RequestByID(f.t.Context(), uid)
		return err == nil && r.Status == status || err != nil && !errors.Is(err, store.ErrNotFound)
	}, temporalLimit, 20*time.Millisecond, "waiting for %s", status)
	return r
}

// customerSignsIn is what the customer does on their own page.
func (f *fixture) customerSignsIn(uid, utility string) {
	f.t.Helper()
	ts, err := sharedTemporal()
	require.NoError(f.t, err)
	requests := sdk.New(ts.temporal, recipient(f.t), nil)
	_, err = requests.SubmitLoginAt(f.t.Context(), uid, utility, meterkey.Credentials{Username: "pat", Password: "x"})
	require.NoError(f.t, err)
}

// From the form to the meters, with every action on the way, in a real browser with a real Temporal.
func TestOneRequestFromTheFormToTheMeters(t *testing.T) {
	f := newFixtureWithTemporal(t)
	s := f.open(t, desktop, patsEmail)
	s.follow("New data request")
	s.fill("Customer’s e-mail", "not an address")
	s.fill("Utility", "con edson")
	s.fill("Last day of the permission", "2020-01-01")
	s.press("Send the request")
	s.see("text=Nothing was sent yet: 3 fields below to mend")
	s.see("text=did you mean CONED?")
	s.accessible()
	s.picture("new-mistakes")
	s.fill("Customer’s e-mail", "kim@example.com")
	s.fill("Utility", "con edison")
	s.fill("Last day of the permission", time.Now().AddDate(1, 0, 0).Format(time.DateOnly))
	s.press("Send the request")
	s.see("text=is on its way to the customer")
	s.see(".status:has-text('Waiting for sign-in')")

	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	uid := listed.Items[0].UID
	require.Equal(t, "CONED", listed.Items[0].Utility)
	link, err := s.GetByLabel("The customer’s link, as in their e-mail").InputValue()
	require.NoError(t, err)
	require.Contains(t, link, "http://portal.example/r/"+uid)

	f.customerSignsIn(uid, "")
	s.see("text=Enter the code we sent") // live: nobody reloaded
	s.fill("The code of 6 digits that the customer reads out", "123456")
	s.press("Send to the utility")
	s.see(".status:has-text('Connected')")
	s.see("text=2 meters")
	file := f.signedIn(patsEmail).get("/dashboard/requests/" + uid + "/meters.csv")
	require.Contains(t, file.body, ",E-1,'=1+1,", "no formula reaches a spreadsheet")
	require.Contains(t, file.header.Get("Content-Disposition"), "meters-"+uid+".csv")

	s.follow("Revoke")
	s.see("h1:has-text('Revoke the permission?')")
	s.press("Revoke")
	s.see("text=The permission is revoked and the meters are deleted")
	s.gone("#meters")
	s.follow("Resend")
	s.press("Resend")
	s.see(".status:has-text('Waiting for sign-in')")
	s.follow("Cancel")
	s.accessible()
	s.press("Cancel")
	s.see(".status:has-text('Canceled')")
	s.follow("Archive")
	s.press("Archive")
	s.see(".tag:has-text('Archived')")
	s.visit("/dashboard/requests")
	s.see("text=No data request matches")
	s.visit("/dashboard/requests?archived=yes")
	s.see("text=kim@example.com")
}

// A form that is sent twice, or again after an error, asks the customer once.
func TestAFormThatIsSentTwiceMakesOneRequest(t *testing.T) {
	f := newFixtureWithTemporal(t)
	v := f.signedIn(patsEmail)
	form := url.Values{"uid": {store.NewUID()}, "email": {"kim@example.com"}}
	for range 2 {
		answer := v.post("/dashboard/requests/new", form)
		require.Equal(t, http.StatusSeeOther, answer.status)
		require.Contains(t, answer.location(), form.Get("uid"))
	}
	listed, err := f.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	require.Equal(t, "until_revoked", listed.Items[0].Scope.Expires)
	theirs := f.signedIn(rivalsEmail).post("/dashboard/requests/new", form)
	require.Equal(t, http.StatusNotFound, theirs.status, "another requester cannot reach into it by its uid")
}

// An answer to what the utility asks no more goes nowhere.
func TestALateCodeIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{utility: "CONED", statuses: asked})
	v := f.signedIn(patsEmail)
	for _, form := range []url.Values{{"challenge": {"c-0"}, "code": {"123456"}}, {"challenge": {"c-1"}, "code": {" "}}} {
		require.Contains(t, v.post("/dashboard/requests/"+uid+"/code", form).location(), "done=late")
	}
}
