package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/webhooks"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// within bounds everything that these tests wait for.
const within = 3 * time.Minute

// world is what all tests share: a database, a Temporal server, and a worker at whose utilities the user name decides
// what happens. Each test has a requester of its own in it.
var world struct {
	store    *store.Store
	temporal client.Client
	requests *sdk.Client
	catalog  *utilities.Catalog
	key      *portalkey.Key
	site     *site
}

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "meterkey-api-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := devenv.StartTemporal(ctx, devenv.TemporalOptions{Dir: filepath.Join(dir, "temporal")})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, server.Stop(context.Background())) }()
	stop, err := openWorld(ctx, dir, server.Address())
	if err != nil {
		return 1, err
	}
	defer stop()
	if code = m.Run(); code != 0 {
		fmt.Fprintln(os.Stderr, "Temporal's server said last:\n"+server.Tail())
	}
	return code, nil
}

func openWorld(ctx context.Context, dir, temporal string) (stop func(), err error) {
	if world.store, err = store.Open(ctx, store.Options{File: filepath.Join(dir, "meterkey.db")}); err != nil {
		return nil, err
	}
	if world.catalog, err = utilities.Load(""); err != nil {
		return nil, err
	}
	if world.key, err = portalkey.LoadOrCreate(filepath.Join(dir, "portal.key")); err != nil {
		return nil, err
	}
	identity, err := sealed.LoadOrCreate(filepath.Join(dir, "identity.txt"))
	if err != nil {
		return nil, err
	}
	converter := payload.New(payload.Keys{})
	world.temporal, err = client.DialContext(ctx, client.Options{HostPort: temporal, DataConverter: converter, Logger: logging.Temporal(zap.NewNop())})
	if err != nil {
		return nil, err
	}
	world.requests = sdk.New(world.temporal, identity.Recipient(), converter)
	world.site = &site{identity: identity, users: map[string]string{}}
	workers, err := world.site.serve(world.temporal)
	return func() {
		for _, w := range workers {
			w.Stop()
		}
		world.temporal.Close()
		_ = world.store.Close() // its folder is removed next
	}, err
}

// site plays the utilities' sites and the people who are written to. It records the status that it works in, and leaves what
// follows to the workflow.
type site struct {
	identity *sealed.Identity

	mu      sync.Mutex
	users   map[string]string // user name by request
	notices []meterkey.Notice
}

// serve starts a worker for each task queue: the real workflow and the real database, and a site.
func (s *site) serve(c client.Client) ([]worker.Worker, error) {
	desk := worker.New(c, meterkey.TaskQueue, worker.Options{DeadlockDetectionTimeout: sdk.TaskTimeout})
	desk.RegisterWorkflowWithOptions(workflows.DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	signIn := worker.New(c, workflows.SignInTaskQueue, worker.Options{})
	window := worker.New(c, workflows.WindowTaskQueue("h1"), worker.Options{})
	for name, registered := range map[string]struct {
		on worker.Worker
		do any
	}{
		workflows.ActivityNotify: {desk, s.notify}, workflows.ActivityRecord: {desk, record}, workflows.ActivityLogin: {signIn, s.login},
		workflows.ActivityHoldWindow: {window, s.hold}, workflows.ActivitySubmitCode: {window, s.submit},
		workflows.ActivityResendCode: {window, s.resend}, workflows.ActivityFetchMeterList: {window, s.fetch},
		workflows.ActivityCloseWindow: {window, func(context.Context, workflows.CloseWindowInput) error { return nil }},
	} {
		registered.on.RegisterActivityWithOptions(registered.do, activity.RegisterOptions{Name: name})
	}
	workers := []worker.Worker{desk, signIn, window}
	for _, w := range workers {
		if err := w.Start(); err != nil {
			return nil, err
		}
	}
	return workers, nil
}

func record(ctx context.Context, p meterkey.Projection) error {
	_, err := world.store.Record(ctx, p)
	return err
}

func (s *site) notify(_ context.Context, in workflows.NotifyInput) (workflows.NotifyResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices = append(s.notices, in.Notice)
	return workflows.NotifyResult{}, nil
}

// noticesOf are the notices of a request, of one kind.
func (s *site) noticesOf(request string, kind meterkey.NoticeKind) []meterkey.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []meterkey.Notice
	for _, n := range s.notices {
		if n.Request.RequestID == request && n.Kind == kind {
			of = append(of, n)
		}
	}
	return of
}

func (s *site) user(request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[request]
}

// working records the status that an activity works in.
func working(ctx context.Context, t workflows.Task) error {
	return record(ctx, meterkey.Projection{Request: t.Request, RunID: activity.GetInfo(ctx).WorkflowExecution.RunID, State: t.State()})
}

func (s *site) login(ctx context.Context, in workflows.LoginInput) (workflows.PageResult, error) {
	credentials, err := s.identity.OpenCredentials(in.Credentials)
	if err = errors.Join(err, working(ctx, in.Task)); err != nil {
		return workflows.PageResult{}, err
	}
	s.mu.Lock()
	s.users[in.Request.RequestID] = credentials.Username
	s.mu.Unlock()
	result := workflows.PageResult{Outcome: workflows.OutcomeSignedIn,
		Window: &workflows.Window{Host: "h1", ID: in.Request.RequestID, ExpiresAt: time.Now().Add(10 * time.Minute)}}
	switch credentials.Username {
	case "code":
		result.Outcome, result.Challenge = workflows.OutcomeChallenge, codeAsk()
	case "choice":
		result.Outcome, result.Challenge = workflows.OutcomeChallenge, &meterkey.Challenge{Kind: meterkey.MethodChoice,
			Prompt: "How should we send it?", TriesLeft: 3, Options: []meterkey.Option{{ID: "sms", Label: "Text message", Target: "***-1234"}, {ID: "mail", Label: "E-mail"}}}
	case "wrong":
		result.Outcome, result.Reason = workflows.OutcomeStopped, meterkey.InvalidCredentials
	}
	return result, nil
}

func codeAsk() *meterkey.Challenge {
	return &meterkey.Challenge{Kind: meterkey.NumberCode, Prompt: "Enter the code", SentTo: "(***) ***-1234", Digits: 6, CanResend: true, TriesLeft: 3}
}

func (s *site) hold(ctx context.Context, _ workflows.HoldWindowInput) (workflows.PageResult, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return workflows.PageResult{}, ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return workflows.PageResult{}, errors.New("the worker stops")
		case <-tick.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}

func (s *site) submit(ctx context.Context, in workflows.SubmitCodeInput) (workflows.PageResult, error) {
	if err := working(ctx, in.Task); err != nil {
		return workflows.PageResult{}, err
	}
	if in.Option != "" {
		return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: codeAsk()}, nil
	}
	code, err := s.identity.Open(in.Code)
	switch {
	case err != nil:
		return workflows.PageResult{}, err
	case in.State().Challenge.Kind == meterkey.MethodChoice:
		return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: codeAsk()}, nil
	case string(code) == "000000":
		return workflows.PageResult{Outcome: workflows.OutcomeCodeRejected, Challenge: codeAsk()}, nil
	}
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn}, nil
}

func (s *site) resend(context.Context, workflows.Task) (workflows.PageResult, error) {
	return workflows.PageResult{Outcome: workflows.OutcomeChallenge, Challenge: codeAsk()}, nil
}

// fetch reads three meters, or as many as the user name says ("meters-20000").
func (s *site) fetch(ctx context.Context, in workflows.Task) (workflows.PageResult, error) {
	if err := working(ctx, in); err != nil {
		return workflows.PageResult{}, err
	}
	count := 3
	if _, err := fmt.Sscanf(s.user(in.Request.RequestID), "meters-%d", &count); err != nil {
		count = 3
	}
	return workflows.PageResult{Outcome: workflows.OutcomeSignedIn, Meters: manyMeters(count)}, nil
}

func manyMeters(count int) []meterkey.Meter {
	classes := []string{"electric", "gas", "water", ""}
	meters := make([]meterkey.Meter, count)
	for i := range meters {
		meters[i] = meterkey.Meter{AccountNumber: "A-1", MeterNumber: fmt.Sprintf("M%05d", i), ServiceIdentifier: fmt.Sprintf("S%d", i),
			ServiceAddress: fmt.Sprintf("%d Elm Street", i+1), ServiceClass: classes[i%len(classes)], Tariff: "RES-1", Status: "active"}
	}
	return meters
}

// party is one requester with a key, and the portal that it talks to.
type party struct {
	t      testing.TB
	server *httptest.Server
	uid    string
	key    string
	last   *http.Response // the latest answer; its body has been read
	// described is what every answer is held to.
	described *description
}

func newParty(t testing.TB, changes ...func(*Deps)) *party {
	t.Helper()
	p := &party{t: t, uid: "r-" + store.NewUID()}
	_, err := world.store.PutRequester(t.Context(), store.Requester{UID: p.uid, Name: "Acme Solar", Email: "sales@acme.example"})
	require.NoError(t, err)
	_, p.key, err = world.store.AddKey(t.Context(), p.uid, "test", nil)
	require.NoError(t, err)
	return p.with(changes...)
}

// with is the same requester at another portal.
func (p *party) with(changes ...func(*Deps)) *party {
	p.t.Helper()
	other := &party{t: p.t, uid: p.uid, key: p.key, server: httptest.NewServer(nil)}
	p.t.Cleanup(other.server.Close)
	d := Deps{Store: world.store, Requests: world.requests, Utilities: world.catalog, Key: world.key,
		Webhooks: webhooks.New(world.temporal, world.store, world.key, true, zap.NewNop()), PortalURL: other.server.URL, Log: zaptest.NewLogger(p.t, zaptest.Level(zap.WarnLevel))}
	for _, change := range changes {
		change(&d)
	}
	handler, err := New(d)
	require.NoError(p.t, err)
	other.server.Config.Handler = handler
	other.described = newDescription(p.t, other.outside(Prefix+"/openapi.json"))
	return other
}

// in is the same party in a part of the test.
func (p *party) in(t testing.TB) *party {
	t.Helper()
	other := *p
	other.t = t
	return &other
}

// fuzzed is a party in one run of a fuzz test, or of a long loop. It has a new key, since the rate of each is limited.
func (p *party) fuzzed(t testing.TB) *party {
	t.Helper()
	other := p.in(t)
	var err error
	_, other.key, err = world.store.AddKey(t.Context(), p.uid, "fuzz", nil)
	require.NoError(t, err)
	return other
}

// do makes a call and returns the answer's body. A path that begins with http is taken as it is. Headers are pairs.
func (p *party) do(method, path, body string, headers ...string) []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	if !strings.HasPrefix(path, "http") {
		path = p.server.URL + Prefix + path
	}
	r, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	answer := p.send(r)
	p.described.conforms(p.t, p.last, answer)
	return answer
}

// send keeps the answer as the latest one and returns its body.
func (p *party) send(r *http.Request) []byte {
	p.t.Helper()
	var err error
	p.last, err = p.server.Client().Do(r)
	require.NoError(p.t, err)
	body, err := io.ReadAll(p.last.Body)
	require.NoError(p.t, errors.Join(err, p.last.Body.Close()))
	return body
}

// get decodes a successful answer strictly: a field that into does not have is an error.
func get[T any](p *party, path string) T {
	p.t.Helper()
	return decoded[T](p, p.do(http.MethodGet, path, ""))
}

func post[T any](p *party, path, body string, headers ...string) T {
	p.t.Helper()
	return decoded[T](p, p.do(http.MethodPost, path, body, headers...))
}

func decoded[T any](p *party, body []byte) T {
	p.t.Helper()
	require.Equal(p.t, http.StatusOK, p.last.StatusCode, "%s", body)
	return strictly[T](p.t, body)
}

func strictly[T any](t testing.TB, body []byte) T {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	var into T
	require.NoError(t, decoder.Decode(&into), "%s", body)
	return into
}

// refused makes a call that must fail with this status, and returns the envelope.
func (p *party) refused(status int, method, path, body string, headers ...string) Error {
	p.t.Helper()
	answer := p.do(method, path, body, headers...)
	require.Equal(p.t, status, p.last.StatusCode, "%s %s: %s", method, path, answer)
	require.Equal(p.t, "application/json", p.last.Header.Get("Content-Type"))
	e := strictly[Error](p.t, answer)
	require.NotEmpty(p.t, e.Code)
	require.NotEmpty(p.t, e.Description)
	return e
}

// form creates a form at the practice utility.
func (p *party) form() Form {
	p.t.Helper()
	return post[Form](p, "/forms", `{"utility": "DEMO", "customer_email": "pat@example.com"}`)
}

// signIn signs the customer in and waits until the authorization satisfies done.
func (p *party) signIn(form Form, user string, done func(Authorization) bool) Authorization {
	p.t.Helper()
	_, err := world.requests.SubmitLogin(p.t.Context(), form.UID, meterkey.Credentials{Username: user, Password: "secret"})
	require.NoError(p.t, err)
	return p.await(form, done)
}

// await waits until the form's authorization satisfies done.
func (p *party) await(form Form, done func(Authorization) bool) Authorization {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var seen Authorization
		if list := get[AuthorizationList](p, "/authorizations?forms="+form.UID); len(list.Authorizations) > 0 {
			seen = get[Authorization](p, "/authorizations/"+list.Authorizations[0].UID)
			if done(seen) {
				return seen
			}
		}
		select {
		case <-ctx.Done():
			require.Fail(p.t, "nothing happened", "last seen: %+v", seen)
		case <-tick.C:
		}
	}
}

func isConnected(a Authorization) bool { return a.Status == "updated" }

// asks tells whether the customer is asked for this kind of thing.
func asks(kind meterkey.ChallengeKind) func(Authorization) bool {
	return func(a Authorization) bool { return a.MFA.Value != nil && a.MFA.Value.Kind == string(kind) }
}

// connected is an authorization with three meters.
func (p *party) connected() (Form, Authorization) {
	p.t.Helper()
	form := p.form()
	return form, p.signIn(form, "ok", isConnected)
}
