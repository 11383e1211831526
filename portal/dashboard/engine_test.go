package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/workflows"
)

// engineLimit bounds what the engine takes for one step.
const engineLimit = 3 * time.Minute

// engine is a real Temporal server with a real workflow worker. What happens at utilities' sites is made up: CONED asks for a code,
// all others let the customer in at once.
type engine struct {
	temporal client.Client

	mu       sync.Mutex
	recorded func(workflows.Projection) error // of the test that uses the engine
}

var theEngine = sync.OnceValues(startEngine)

func startEngine() (*engine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "dashboard-")
	if err != nil {
		return nil, err
	}
	server, err := stack.StartTemporal(ctx, stack.TemporalOptions{Dir: dir})
	if err != nil {
		return nil, err
	}
	ends = append(ends, func(ctx context.Context) error { return errors.Join(server.Stop(ctx), os.RemoveAll(dir)) })
	e := &engine{}
	if e.temporal, err = client.DialContext(ctx, client.Options{HostPort: server.Address(), Logger: silent{}}); err != nil {
		return nil, err
	}
	return e, e.work()
}

// work serves every task queue.
func (e *engine) work() error {
	for queue, activities := range map[string]map[string]any{
		workflows.TaskQueue:             {workflows.ActivityNotify: e.notify, workflows.ActivityRecord: e.record},
		workflows.SignInTaskQueue:       {workflows.ActivityLogin: e.login},
		workflows.WindowTaskQueue("h1"): {workflows.ActivityHoldWindow: e.hold, workflows.ActivitySubmitCode: e.submit, workflows.ActivityFetchMeterList: e.fetch, workflows.ActivityCloseWindow: e.close},
	} {
		w := worker.New(e.temporal, queue, worker.Options{DeadlockDetectionTimeout: workflows.TaskTimeout})
		for name, f := range activities {
			w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
		}
		if queue == workflows.TaskQueue {
			w.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: workflows.WorkflowType})
		}
		if err := w.Start(); err != nil {
			return err
		}
		ends = append([]func(context.Context) error{func(context.Context) error { w.Stop(); return nil }}, ends...)
	}
	return nil
}

func (e *engine) notify(context.Context, workflows.Notice) error { return nil }

func (e *engine) record(_ context.Context, p workflows.Projection) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recorded == nil {
		return nil
	}
	return e.recorded(p)
}

func (e *engine) login(_ context.Context, in workflows.LoginInput) (workflows.Found, error) {
	found := workflows.Found{Outcome: workflows.OutcomeSignedIn, Typed: true,
		Window: &workflows.Window{Host: "h1", ID: in.RequestID, ExpiresAt: time.Now().Add(10 * time.Minute)}}
	if in.Utility == "CONED" {
		found.Outcome = workflows.OutcomeChallenge
		found.Challenge = &workflows.ChallengeAsk{Kind: workflows.NumberCode, Prompt: "Enter the code we sent", SentTo: "(***) ***-1234", Digits: 6, Tries: 3}
	}
	return found, nil
}

func (e *engine) hold(ctx context.Context, _ workflows.WindowInput) (workflows.Found, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return workflows.Found{}, ctx.Err()
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}

func (e *engine) submit(context.Context, workflows.SubmitCodeInput) (workflows.Found, error) {
	return workflows.Found{Outcome: workflows.OutcomeSignedIn}, nil
}

func (e *engine) fetch(context.Context, workflows.WindowInput) (workflows.Found, error) {
	return workflows.Found{Outcome: workflows.OutcomeSignedIn, Meters: []workflows.Meter{
		{MeterNumber: "E-1", AccountNumber: "=1+1", ServiceClass: "electric", ServiceAddress: "1 Main Street"}, {MeterNumber: "G-2", ServiceClass: "gas"},
	}}, nil
}

func (e *engine) close(context.Context, workflows.WindowInput) error { return nil }

// silent keeps the SDK quiet: its warnings of tests that end early help nobody.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

var _ log.Logger = silent{}

// newLiveWorld is a world with the engine. Tests that use it do not run side by side: the engine records into one store.
func newLiveWorld(t *testing.T) *world {
	t.Helper()
	e, err := theEngine()
	require.NoError(t, err)
	w := newWorld(t, options{requests: workflows.NewClient(e.temporal, recipient(t), nil)})
	e.mu.Lock()
	e.recorded = func(p workflows.Projection) error {
		_, err := w.store.Record(context.Background(), p)
		return err
	}
	e.mu.Unlock()
	t.Cleanup(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.recorded = nil
	})
	return w
}

// reaches waits until the stored request stands at the status.
func (w *world) reaches(uid string, status workflows.Status) store.Request {
	w.t.Helper()
	var r store.Request
	require.Eventually(w.t, func() bool {
		var err error
		r, err = w.store.RequestByID(w.t.Context(), uid)
		return err == nil && r.Status == status || err != nil && !errors.Is(err, store.ErrNotFound)
	}, engineLimit, 20*time.Millisecond, "waiting for %s", status)
	return r
}

// customerSignsIn is what the customer does on their own page.
func (w *world) customerSignsIn(uid, utility string) {
	w.t.Helper()
	e, err := theEngine()
	require.NoError(w.t, err)
	requests := workflows.NewClient(e.temporal, recipient(w.t), nil)
	require.NoError(w.t, requests.SubmitLoginAt(w.t.Context(), uid, utility, workflows.Credentials{Username: "pat", Password: "x"}))
}

// From the form to the meters, with every action on the way, in a real browser on the real engine.
func TestOneRequestFromTheFormToTheMeters(t *testing.T) {
	w := newLiveWorld(t)
	s := w.open(t, desktop, patsEmail)
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

	listed, err := w.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	uid := listed.Items[0].UID
	require.Equal(t, "CONED", listed.Items[0].Utility)
	link, err := s.GetByLabel("The customer’s link, as in their e-mail").InputValue()
	require.NoError(t, err)
	require.Contains(t, link, "http://portal.example/r/"+uid)

	w.customerSignsIn(uid, "")
	s.see("text=Enter the code we sent") // live: nobody reloaded
	s.fill("The code of 6 digits that the customer reads out", "123456")
	s.press("Send to the utility")
	s.see(".status:has-text('Connected')")
	s.see("text=2 meters")
	file := w.signedIn(patsEmail).get("/dashboard/requests/" + uid + "/meters.csv")
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
	w := newLiveWorld(t)
	v := w.signedIn(patsEmail)
	form := url.Values{"uid": {store.NewUID()}, "email": {"kim@example.com"}}
	for range 2 {
		answer := v.post("/dashboard/requests/new", form)
		require.Equal(t, http.StatusSeeOther, answer.status)
		require.Contains(t, answer.location(), form.Get("uid"))
	}
	listed, err := w.store.ListRequests(t.Context(), store.RequestFilter{Requester: "acme"})
	require.NoError(t, err)
	require.Len(t, listed.Items, 1)
	require.Equal(t, "until_revoked", listed.Items[0].Scope.Expires)
	theirs := w.signedIn(rivalsEmail).post("/dashboard/requests/new", form)
	require.Equal(t, http.StatusNotFound, theirs.status, "another requester cannot reach into it by its uid")
}

// While Temporal is away, people are told so in time, and trying again later does what the first try was for.
func TestWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	away, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:9", Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(away.Close)
	w := newWorld(t, options{requests: workflows.NewClient(away, recipient(t), nil)})
	v := w.signedIn(patsEmail)
	form := url.Values{"uid": {store.NewUID()}, "email": {"kim@example.com"}}
	a := v.post("/dashboard/requests/new", form)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "Nothing is lost")
	require.Contains(t, v.get("/dashboard/requests/"+form.Get("uid")).body, "Starting")
}

// An answer to what the utility asks no more goes nowhere.
func TestALateCodeIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	uid := w.record("acme", past{utility: "CONED", statuses: asked})
	v := w.signedIn(patsEmail)
	for _, form := range []url.Values{{"challenge": {"c-0"}, "code": {"123456"}}, {"challenge": {"c-1"}, "code": {" "}}} {
		require.Contains(t, v.post("/dashboard/requests/"+uid+"/code", form).location(), "done=late")
	}
}
