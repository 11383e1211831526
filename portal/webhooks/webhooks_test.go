package webhooks_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/testenv"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/webhooks"
	"github.com/meterkey/meterkey/workflows"
)

const secret = "a-secret-of-sixteen-letters-or-more"

// histories is where the replay tests' histories are stored anew: go test ./portal/webhooks -histories=testdata/histories
var histories = flag.String("histories", "", "store the deliveries' histories in this folder")

// temporal is one real server for all tests of this package. Each test has a database of its own, but one task queue is
// shared: tests that deliver do not run side by side.
var temporal client.Client

func TestMain(m *testing.M) {
	testenv.Main(m, func(ctx context.Context) error {
		server, err := testenv.Temporal()
		if err != nil {
			return err
		}
		temporal, err = client.DialContext(ctx, client.Options{HostPort: server.Address(), Logger: logging.Temporal(zap.NewNop())})
		return err
	})
}

// office is a requester with a webhook, the database that several portals share, and the receiver.
type office struct {
	t     *testing.T
	store *store.Store
	key   *portalkey.Key
	row   store.Webhook
	now   func() time.Time

	mu     sync.Mutex
	status int
	signed []bool
	bodies [][]byte
	hold   chan struct{} // while open, the receiver does not answer
	held   chan struct{} // told when it holds a request
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, status: http.StatusOK, now: time.Now, held: make(chan struct{}, 100)}
	receiver := httptest.NewServer(http.HandlerFunc(o.receive))
	t.Cleanup(receiver.Close)
	var err error
	o.store, err = store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "meterkey.db"), Now: func() time.Time { return o.now() }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.store.Close()) })
	_, err = o.store.PutRequester(t.Context(), store.Requester{UID: "acme", Name: "Acme Solar"})
	require.NoError(t, err)
	o.key, err = portalkey.New(bytes.Repeat([]byte{7}, portalkey.Size))
	require.NoError(t, err)
	_, sealed, err := o.portal().Secret(secret)
	require.NoError(t, err)
	o.row, err = o.store.AddWebhook(t.Context(), store.Webhook{RequesterUID: "acme", URL: receiver.URL, SecretSealed: sealed, Enabled: true})
	require.NoError(t, err)
	return o
}

func (o *office) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short fails the signature
	o.mu.Lock()
	hold, status := o.hold, o.status
	o.bodies = append(o.bodies, body)
	o.signed = append(o.signed, r.Header.Get(webhook.HeaderSignature) == webhook.Signature(secret, r.Header.Get(webhook.HeaderSalt), body))
	o.mu.Unlock()
	if hold != nil {
		o.held <- struct{}{}
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	w.WriteHeader(status)
}

func (o *office) answer(status int, hold chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status, o.hold = status, hold
}

// posts is how many requests came, each rightly signed.
func (o *office) posts() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, signed := range o.signed {
		require.True(o.t, signed)
	}
	return len(o.signed)
}

func (o *office) portal() *webhooks.Service {
	return webhooks.New(temporal, o.store, o.key, true, zap.NewNop())
}

// run runs a portal until stop is called, or the test ends.
func (o *office) run(s *webhooks.Service) (stop func()) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(o.t, <-done)
		})
	}
	o.t.Cleanup(stop)
	return stop
}

// event makes something happen; nobody starts its delivery.
func (o *office) event() string {
	o.t.Helper()
	_, news, err := o.store.CreateRequest(o.t.Context(), store.Request{RequesterUID: "acme", Utility: "DEMO"})
	require.NoError(o.t, err)
	require.Len(o.t, news.Deliveries, 1)
	return news.Deliveries[0]
}

func (o *office) delivery(uid string) store.Delivery {
	o.t.Helper()
	d, err := o.store.Delivery(context.Background(), uid)
	require.NoError(o.t, err)
	return d
}

// delivered waits until a delivery is.
func (o *office) delivered(uid string) {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return o.delivery(uid).Status == store.DeliveryDelivered }, 30*time.Second, 20*time.Millisecond)
}

func (o *office) attempted(uid string, times int) {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return o.delivery(uid).Attempts == times }, 30*time.Second, 20*time.Millisecond)
}

func TestDeliver_Once(t *testing.T) {
	o := newOffice(t)
	s := o.portal()
	o.run(s)
	uid := o.event()
	s.Deliver(t.Context(), uid)
	s.Deliver(t.Context(), uid)
	o.delivered(uid)
	require.NotNil(t, o.delivery(uid).Started)
	s.Deliver(t.Context(), uid) // after its end, too
	require.NoError(t, s.Sweep(t.Context()))
	second := o.event()
	s.Deliver(t.Context(), second)
	o.delivered(second)
	require.Equal(t, 2, o.posts(), "one for each delivery")
}

func TestSweep_StartsWhatWasMissed(t *testing.T) {
	o := newOffice(t)
	o.now = func() time.Time { return time.Now().Add(-time.Minute) }
	var missed []string
	for range 120 { // more than a batch
		missed = append(missed, o.event())
	}
	o.now = func() time.Time { return time.Now().Add(time.Hour) } // it stays fresh however slow this machine is
	fresh := o.event()
	o.run(o.portal()) // it sweeps as it starts
	for _, uid := range missed {
		o.delivered(uid)
	}
	require.Nil(t, o.delivery(fresh).Started, "whoever made it is about to start it")
	require.Equal(t, len(missed), o.posts())
}

// TestRun_StopsAfterTheAttempt: a portal that is told to stop ends the attempt that it makes; what comes then is another
// portal's.
func TestRun_StopsAfterTheAttempt(t *testing.T) {
	o := newOffice(t)
	release := make(chan struct{})
	o.answer(http.StatusOK, release)
	first := o.portal()
	stop := o.run(first)
	uid := o.event()
	first.Deliver(t.Context(), uid)
	<-o.held
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	o.answer(http.StatusOK, nil)
	close(release)
	<-stopped
	require.Equal(t, store.DeliveryDelivered, o.delivery(uid).Status)

	next := o.event()
	first.Deliver(t.Context(), next)
	o.run(o.portal())
	o.delivered(next)
	require.Equal(t, 2, o.posts())
}

func TestRedeliver_AtOnce(t *testing.T) {
	o := newOffice(t)
	s := o.portal()
	o.run(s)
	o.answer(http.StatusInternalServerError, nil)
	uid := o.event()
	s.Deliver(t.Context(), uid)
	o.attempted(uid, 1)
	require.Equal(t, store.DeliveryPending, o.delivery(uid).Status, "it is tried again in an hour")
	require.Contains(t, o.delivery(uid).LastError, "500")

	o.answer(http.StatusOK, nil)
	again, err := s.Redeliver(t.Context(), "acme", uid)
	require.NoError(t, err)
	require.NotEqual(t, uid, again.UID)
	o.delivered(again.UID)
	require.Equal(t, store.DeliveryFailed, o.delivery(uid).Status, "the earlier one makes no more attempts")
	require.Equal(t, 1, o.delivery(uid).Attempts)
	require.Equal(t, string(o.bodies[0]), string(bytes.Replace(o.bodies[1], []byte(`"is_delivered": true`), []byte(`"is_delivered": false`), 1)))

	byCommand, err := webhooks.Redeliver(t.Context(), o.store, &s.Starter, "", again.UID)
	require.NoError(t, err)
	o.delivered(byCommand.UID)
	require.Equal(t, store.DeliveryDelivered, o.delivery(again.UID).Status, "what was delivered stays so")
}

func TestRedeliver_OnlyOnesOwn(t *testing.T) {
	o := newOffice(t)
	uid := o.event()
	for requester, uid := range map[string]string{"another": uid, "acme": "nosuchdelivery"} {
		_, err := o.portal().Redeliver(t.Context(), requester, uid)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	require.Equal(t, store.DeliveryPending, o.delivery(uid).Status)
}

// TestRecorder_TellsOfEachChange: what a worker records reaches the requester's system, in order.
func TestRecorder_TellsOfEachChange(t *testing.T) {
	o := newOffice(t)
	s := o.portal()
	o.run(s)
	worker := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	(&activities.Recorder{Store: o.store, Webhooks: s, Log: zap.NewNop()}).Register(worker)
	record := func(p meterkey.Projection) error {
		_, err := worker.ExecuteActivity(workflows.ActivityRecord, p)
		return err
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	p := meterkey.Projection{Request: meterkey.Request{RequestID: "r-1", Requester: "acme", Utility: "DEMO"}, RunID: "run",
		State: meterkey.State{RequestID: "r-1", Requester: "acme", Utility: "DEMO", Status: meterkey.SigningIn, LinkedAt: at, Since: at, Revision: 2,
			Timeline: []meterkey.Moment{{Status: meterkey.AwaitingLogin, At: at}, {Status: meterkey.SigningIn, At: at}}}}
	require.NoError(t, record(p))
	require.NoError(t, record(p), "twice is once")
	require.Eventually(t, func() bool { return o.posts() > 0 }, 30*time.Second, 20*time.Millisecond)
	require.Contains(t, string(o.bodies[0]), `"type": "authorization_created"`)

	p.State.Status, p.State.Revision = meterkey.Connected, 4
	p.State.Timeline = append(p.State.Timeline, meterkey.Moment{Status: meterkey.FetchingMeters, At: at}, meterkey.Moment{Status: meterkey.Connected, At: at})
	p.State.Meters = []meterkey.Meter{{MeterNumber: "M1"}, {MeterNumber: "M2"}}
	require.NoError(t, record(p))
	told := func() string {
		o.mu.Lock()
		defer o.mu.Unlock()
		return string(bytes.Join(o.bodies, nil))
	}
	require.Eventually(t, func() bool { return bytes.Contains([]byte(told()), []byte("authorization_update_finished_successful")) }, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, 2, bytes.Count([]byte(told()), []byte(`"type": "meter_created"`)))
	require.Equal(t, 1, bytes.Count([]byte(told()), []byte(`"type": "authorization_created"`)))
}

func TestRecorder_KeepsWhatCannotBeToldNow(t *testing.T) {
	o := newOffice(t)
	lost, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:9", Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(lost.Close)
	starter := &webhook.Starter{Temporal: lost, Store: o.store, Log: zap.NewNop()}
	uid := o.event()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorContains(t, starter.Start(ctx, uid), "starting delivery")
	require.Nil(t, o.delivery(uid).Started, "the sweep finds it")
}

// TestHistory_HoldsNoSecret: what Temporal keeps of a delivery names it, and nothing else.
func TestHistory_HoldsNoSecret(t *testing.T) {
	o := newOffice(t)
	s := o.portal()
	o.run(s)
	uid := o.event()
	s.Deliver(t.Context(), uid)
	o.delivered(uid)
	var result webhooks.DeliveryResult
	require.NoError(t, temporal.GetWorkflow(t.Context(), webhook.WorkflowID(uid), "").Get(t.Context(), &result))
	events := temporal.GetWorkflowHistory(t.Context(), webhook.WorkflowID(uid), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var text string
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		text += event.String()
		if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
			var in map[string]any
			require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), &in))
			require.Equal(t, map[string]any{"delivery_uid": uid}, in)
		}
	}
	require.NotContains(t, text, secret)
	require.NotContains(t, text, o.row.URL)
	save(t, uid, "delivered")
}

// TestHistory_OfOneThatIsGivenUp is stored for the replay tests.
func TestHistory_OfOneThatIsGivenUp(t *testing.T) {
	o := newOffice(t)
	s := o.portal()
	uid, off := o.event(), false
	_, err := o.store.UpdateWebhook(t.Context(), "acme", o.row.UID, store.WebhookChange{Enabled: &off})
	require.NoError(t, err)
	o.run(s)
	s.Deliver(t.Context(), uid)
	var result webhooks.DeliveryResult
	require.NoError(t, temporal.GetWorkflow(t.Context(), webhook.WorkflowID(uid), "").Get(t.Context(), &result))
	require.False(t, result.Delivered)
	require.Equal(t, store.DeliveryFailed, o.delivery(uid).Status)
	save(t, uid, "given-up")
}

func save(t *testing.T, uid, name string) {
	t.Helper()
	if *histories != "" {
		file := filepath.Join(*histories, "webhooks", name+".json.gz")
		require.NoError(t, stack.SaveHistory(t.Context(), temporal, webhook.WorkflowID(uid), file))
	}
}
