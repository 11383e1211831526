package customer_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/sdk/payload"
)

// counted is the customer's pages once more, whose calls of Temporal are counted, with a request that stands there.
type counted struct {
	*guest
	calls *testenv.Calls
	pages *httptest.Server
	path  string
}

func newCounted(t *testing.T, kind string) *counted {
	t.Helper()
	c := &counted{guest: invited(t, "DEMO", kind), calls: &testenv.Calls{}}
	recipient, err := os.ReadFile(filepath.Join(c.w.dir, "home", "identity.txt.pub"))
	require.NoError(t, err)
	converter := payload.New(nil)
	deps := c.w.deps
	deps.Requests = sdk.New(c.calls.Dial(t, client.Options{HostPort: c.w.Temporal.Address(), DataConverter: converter}),
		strings.TrimSpace(string(recipient)), converter)
	pages, err := customer.New(deps)
	require.NoError(t, err)
	c.pages = httptest.NewServer(pages)
	t.Cleanup(c.pages.Close)
	c.path = strings.TrimPrefix(c.link, c.w.server.URL)
	return c
}

// opensStream opens a live page and returns what it is sent.
func (c *counted) opensStream(ctx context.Context) io.ReadCloser {
	c.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.pages.URL+c.path+"/live", nil)
	require.NoError(c, err)
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(c, err)
	require.Equal(c, http.StatusOK, answer.StatusCode)
	return answer.Body
}

// reads reads what a live page is sent up to this text.
func reads(stream *bufio.Reader, text string) error {
	for {
		line, err := stream.ReadString('\n')
		if err != nil || strings.Contains(line, text) {
			return err
		}
	}
}

// However many pages show a request, this process follows it once, and only as long as one of them is there.
func TestManyPagesFollowOnce(t *testing.T) {
	t.Parallel()
	const pages = 50
	c := newCounted(t, "code")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var streams []*bufio.Reader
	var bodies []io.ReadCloser
	for range pages {
		body := c.opensStream(ctx)
		streams, bodies = append(streams, bufio.NewReader(body)), append(bodies, body)
	}
	c.all(streams, "Acme Solar asks")
	begun, waiting := c.calls.Streams()
	require.Equal(t, []int{1, 1}, []int{begun, waiting})

	require.NoError(t, c.account.SubmitLogin(t.Context()))
	c.all(streams, `autocomplete="one-time-code"`)
	begun, _ = c.calls.Streams()
	queries := c.calls.Count("QueryWorkflow")
	t.Logf("%d pages: %d queries, %d stream read by %d calls", pages, queries, begun, c.calls.Count("GetWorkflowExecutionHistory"))
	require.Equal(t, 1, begun)
	require.Less(t, queries, 20, "what one page would ask")

	for _, body := range bodies[1:] {
		require.NoError(t, body.Close())
	}
	require.NoError(t, c.w.requests.Leave(t.Context(), c.request.RequestID))
	c.all(streams[:1], "Acme Solar asks") // who has not agreed is asked to before signing in again
	begun, _ = c.calls.Streams()
	require.Equal(t, 1, begun, "the last page is followed on")
	require.NoError(t, bodies[0].Close())
	require.Eventually(t, func() bool {
		_, waiting := c.calls.Streams()
		return waiting == 0
	}, 30*time.Second, 20*time.Millisecond, "nobody is there")

	again := c.opensStream(ctx)
	require.NoError(t, reads(bufio.NewReader(again), "Acme Solar asks"))
	require.NoError(t, again.Close())
}

// all waits until each of the pages shows a text.
func (c *counted) all(streams []*bufio.Reader, text string) {
	c.Helper()
	var wait sync.WaitGroup
	for _, stream := range streams {
		wait.Go(func() {
			if err := reads(stream, text); err != nil {
				c.Errorf("waiting for %q: %v", text, err)
			}
		})
	}
	wait.Wait()
}

// What a page and a form cost: one query each, and an update for what is submitted. No history is read.
func TestCallsOfPagesAndForms(t *testing.T) {
	t.Parallel()
	c := newCounted(t, "code")
	c.agrees()
	view := c.costs(func() { c.gets(http.StatusOK) })
	require.Equal(t, cost{queries: 1}, view)

	login := c.costs(func() { // a signal as well, where the machine is so busy that the answer is late

		c.posts("/login", url.Values{"at": {must(c.page.Locator("input[name=at]").InputValue())(t)}, "username": {c.account.User}, "password": {devenv.PracticePassword}})
	})
	login.signals = 0
	require.Equal(t, cost{queries: 1, updates: 1}, login)

	s := c.state(meterkey.AwaitingCode)
	code := c.costs(func() { c.posts("/code", url.Values{"challenge": {s.Challenge.ID}, "code": {c.phone(1)}}) })
	code.signals = 0
	require.Equal(t, cost{queries: 1, updates: 1}, code)
	c.connected(1, 1)
}

// cost is how many calls of Temporal something took.
type cost struct{ queries, updates, signals, described, streams, historyCalls int }

func (c *counted) costs(act func()) cost {
	before := c.cost()
	act()
	after := c.cost()
	return cost{after.queries - before.queries, after.updates - before.updates, after.signals - before.signals, after.described - before.described,
		after.streams - before.streams, after.historyCalls - before.historyCalls}
}

func (c *counted) cost() cost {
	begun, _ := c.calls.Streams()
	return cost{c.calls.Count("QueryWorkflow"), c.calls.Count("UpdateWorkflowExecution"), c.calls.Count("SignalWorkflowExecution"),
		c.calls.Count("DescribeWorkflowExecution"), begun, c.calls.Count("GetWorkflowExecutionHistory")}
}

func (c *counted) gets(status int) {
	c.Helper()
	c.does(http.MethodGet, "", nil, status)
}

func (c *counted) posts(below string, form url.Values) {
	c.Helper()
	c.does(http.MethodPost, below, form, http.StatusSeeOther)
}

func (c *counted) does(method, below string, form url.Values, status int) {
	c.Helper()
	request, err := http.NewRequestWithContext(c.Context(), method, c.pages.URL+c.path+below, strings.NewReader(form.Encode()))
	require.NoError(c, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(c, err)
	require.NoError(c, answer.Body.Close())
	require.Equal(c, status, answer.StatusCode)
}

// A request whose run an operator terminated or deleted says so, also on a page that is open, and can be sent again.
func TestEndedByAnOperator(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context, client.Client, string) error{
		"terminated": func(ctx context.Context, c client.Client, workflow string) error {
			return c.TerminateWorkflow(ctx, workflow, "", "by hand")
		},
		"deleted": deleteRun,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := invited(t, "DEMO", "code")
			g.signsIn()
			g.sees("asks for a code")
			temporal, err := client.Dial(client.Options{HostPort: g.w.Temporal.Address()})
			require.NoError(t, err)
			defer temporal.Close()
			require.NoError(t, end(t.Context(), temporal, meterkey.WorkflowID(g.request.RequestID)))
			g.sees("This request was ended")
			g.opens(g.page)
			g.sees("This request was ended")
			require.Contains(t, g.says("main"), meterkey.Terminated.Text().Customer)

			require.NoError(t, g.w.requests.Resend(t.Context(), g.request))
			g.state(meterkey.AwaitingLogin)
			g.link = g.linkNow()
			g.opens(g.page)
			g.signsIn()
			g.sees("asks for a code")
			g.types(g.phone(2))
			g.sees("account is connected")
		})
	}
}

func deleteRun(ctx context.Context, c client.Client, workflow string) error {
	_, err := c.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflow}})
	return err
}
