package imports_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/testenv"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/sdk"
)

// limit is far above what anything here takes.
const limit = 90 * time.Second

// histories is where the replay tests' histories are stored anew: go test ./portal/imports -histories=testdata/histories
var histories = flag.String("histories", "", "store the imports' histories in this folder")

// temporal is one real server for all tests of this package. Each test has a database and a requester of its own, but one
// task queue is shared: tests do not run side by side.
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

// office is a requester with a file of customers, and the database that several portals share.
type office struct {
	t         *testing.T
	store     *store.Store
	requester store.Requester
	file      store.Import
	rows      int
}

func newOffice(t *testing.T, rows int) *office {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "meterkey.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	o := &office{t: t, store: s, rows: rows}
	o.requester, err = s.PutRequester(t.Context(), store.Requester{UID: t.Name(), Name: "Acme Solar"})
	require.NoError(t, err)
	all := make([]store.ImportRow, rows)
	for i := range all {
		all[i] = store.ImportRow{Line: i + 2, Email: fmt.Sprintf("c%d@example.com", i), Outcome: store.ImportReady}
	}
	o.file, err = s.AddImport(t.Context(), store.Import{RequesterUID: o.requester.UID, FileName: "customers.csv"}, all)
	require.NoError(t, err)
	return o
}

// portal is a portal; deliver is told of each request that it has stored and not started yet.
func (o *office) portal(deliver func()) *imports.Service {
	return imports.New(temporal, requests.Sender{Store: o.store, Requests: sdk.New(temporal, "", nil), Webhooks: deliverer(deliver)})
}

type deliverer func()

func (d deliverer) Deliver(context.Context, ...string) {
	if d != nil {
		d()
	}
}

// run runs a portal until stop is called, or the test ends.
func (o *office) run(s *imports.Service) (stop func()) {
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

func (o *office) start(s *imports.Service) {
	o.t.Helper()
	for range 2 { // a form that is sent twice
		require.NoError(o.t, s.Start(o.t.Context(), imports.Input{ImportUID: o.file.UID, Requester: o.requester.UID}))
	}
}

// ended waits until the import's workflow has.
func (o *office) ended() imports.Progress {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	var p imports.Progress
	require.NoError(o.t, temporal.GetWorkflow(ctx, imports.WorkflowID(o.file.UID), "").Get(ctx, &p))
	return p
}

func (o *office) sent() int {
	o.t.Helper()
	counts, err := o.store.ImportCounts(context.Background(), o.file.UID)
	require.NoError(o.t, err)
	return counts[store.ImportSent]
}

func (o *office) sends(atLeast int) {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return o.sent() >= atLeast }, limit, 10*time.Millisecond)
}

// asked makes sure that this many customers were asked, each once: by the database, and by Temporal, which counts every
// run of every data request, and which lists what has happened a little later.
func (o *office) asked(customers int) {
	o.t.Helper()
	require.Equal(o.t, customers, o.sent())
	runs := func() int64 {
		answer, err := temporal.CountWorkflow(o.t.Context(),
			&workflowservice.CountWorkflowExecutionsRequest{Query: "MeterkeyRequester = '" + o.requester.UID + "'"})
		require.NoError(o.t, err)
		return answer.GetCount()
	}
	require.Eventually(o.t, func() bool { return runs() >= int64(customers) }, limit, 50*time.Millisecond)
	require.EqualValues(o.t, customers, runs())
	listed, err := o.store.ListRequests(o.t.Context(), store.RequestFilter{Requester: o.requester.UID, Limit: o.rows})
	require.NoError(o.t, err)
	addresses := map[string]bool{}
	for _, r := range listed.Items {
		addresses[r.CustomerEmail] = true
	}
	require.Len(o.t, listed.Items, customers)
	require.Len(o.t, addresses, customers)
}

// state is what a page would show.
func (o *office) state(s *imports.Service) imports.State {
	o.t.Helper()
	file, err := o.store.Import(o.t.Context(), o.requester.UID, o.file.UID)
	require.NoError(o.t, err)
	state, err := s.State(o.t.Context(), file, o.rows-o.sent())
	require.NoError(o.t, err)
	return state
}

// save stores the history of the import for the replay tests, if told so.
func (o *office) save(name string) {
	o.t.Helper()
	if *histories != "" {
		require.NoError(o.t, stack.SaveHistory(o.t.Context(), temporal, imports.WorkflowID(o.file.UID), filepath.Join(*histories, name+".json.gz")))
	}
}
