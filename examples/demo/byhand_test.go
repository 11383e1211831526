package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/sdk"
)

// byHand stands in for Temporal and the workers: what a customer sends is done at once, at the real practice site, with
// plain HTTP instead of a browser. So a whole route takes milliseconds, and the site's ledger counts as it always does.
type byHand struct {
	client.Client // whatever else is called is not there

	t        *testing.T
	stack    *devenv.Environment
	identity *sealed.Identity
	// turnOff is for a utility whose second factor is not supported.
	turnOff bool
	// spoil changes what the customer and the demonstration get to see.
	spoil func(*meterkey.State)

	mu       sync.Mutex
	requests map[string]*handled
}

// handled is one data request.
type handled struct {
	meterkey.State
	user string
	*http.Client
}

func newByHand(t *testing.T) *byHand {
	t.Helper()
	site, err := practice.Start(t.Context(), practice.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, site.Close(context.Background())) })
	identity, err := sealed.LoadOrCreate(filepath.Join(t.TempDir(), "identity.txt"))
	require.NoError(t, err)
	return &byHand{t: t, stack: &devenv.Environment{Practice: site}, identity: identity, requests: map[string]*handled{}}
}

func (b *byHand) client() *sdk.Client {
	return sdk.New(b, b.identity.Recipient(), nil)
}

// ExecuteWorkflow starts a data request.
func (b *byHand) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.requests[options.ID] != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("started", "", "")
	}
	r, ok := args[0].(meterkey.Request)
	if !ok {
		return nil, fmt.Errorf("started with %T", args[0])
	}
	b.requests[options.ID] = &handled{State: meterkey.State{RequestID: r.RequestID, Utility: r.Utility, Status: meterkey.AwaitingLogin, Revision: 1}}
	return nil, nil
}

// DescribeWorkflowExecution has nothing to tell: who waits looks.
func (b *byHand) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewUnavailable("by hand")
}

// GetWorkflowHistory has nothing to tell either.
func (b *byHand) GetWorkflowHistory(context.Context, string, string, bool, enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return nothing{}
}

type nothing struct{}

func (nothing) HasNext() bool { return true }
func (nothing) Next() (*historypb.HistoryEvent, error) {
	return nil, serviceerror.NewUnavailable("by hand")
}

// UpdateWorkflow is not answered: the same comes as a signal.
func (b *byHand) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, serviceerror.NewWorkflowNotReady("by hand")
}

// QueryWorkflowWithOptions answers where the request stands.
func (b *byHand) QueryWorkflowWithOptions(_ context.Context, asked *client.QueryWorkflowWithOptionsRequest) (*client.QueryWorkflowWithOptionsResponse, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.requests[asked.WorkflowID]
	if r == nil {
		return nil, serviceerror.NewNotFound("no such request")
	}
	state := r.State
	if b.spoil != nil {
		b.spoil(&state)
	}
	if state.Reason == meterkey.UtilityUnavailable { // it was told: now the site is back
		require.NoError(b.t, (&devenv.Customer{Environment: b.stack}).Post(b.t.Context(), "/outage/DEMO", map[string]bool{"on": false}))
		b.signIn(r)
	}
	return &client.QueryWorkflowWithOptionsResponse{QueryResult: answer{state}}, nil
}

type answer struct{ state meterkey.State }

// HasValue is true.
func (answer) HasValue() bool { return true }

// Get copies the state.
func (a answer) Get(into any) error {
	state, ok := into.(*meterkey.State)
	if !ok {
		return fmt.Errorf("asked for a %T", into)
	}
	*state = a.state
	return nil
}

// SignalWorkflow does what the customer wants.
func (b *byHand) SignalWorkflow(_ context.Context, id, _, name string, payload any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.requests[id]
	switch sent := payload.(type) {
	case meterkey.SubmitLogin:
		login, err := b.identity.OpenCredentials(sent.Credentials)
		if err != nil || login.Password != practice.Password {
			return fmt.Errorf("no login: %w", err)
		}
		r.user = login.Username
		b.signIn(r)
	case meterkey.SubmitCode:
		code, err := b.identity.Open(sent.Code)
		if err != nil {
			return err
		}
		b.submit(r, sent.ChallengeID, string(code))
	default:
		if name != meterkey.SignalLeave {
			return fmt.Errorf("no customer of the demonstration sends %s", name)
		}
		r.stands(meterkey.AwaitingLogin, meterkey.WindowClosed)
	}
	return nil
}

func (r *handled) stands(status meterkey.Status, reason meterkey.Reason) {
	r.Status, r.Reason, r.Challenge = status, reason, nil
	r.Revision++
}

// signIn signs in with a browser of its own and sees where that leads.
func (b *byHand) signIn(r *handled) {
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	practiceAddress := strings.TrimPrefix(b.stack.Practice.URL(), "http://")
	r.Client = &http.Client{Jar: jar, Timeout: 3 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, practiceAddress)
		}}}
	b.post(r, "/sign-in", url.Values{"username": {r.user}, "password": {practice.Password}})
}

// submit types an answer in.
func (b *byHand) submit(r *handled, challenge, code string) {
	switch {
	case r.Challenge == nil || r.Challenge.ID != challenge:
	case r.Challenge.Kind == meterkey.MethodChoice:
		b.post(r, "/method", url.Values{"method": {code}})
	default:
		b.post(r, "/code", url.Values{"code": {code}})
	}
}

// post sends a form and reads from the page that follows where the request stands.
func (b *byHand) post(r *handled, to string, form url.Values) {
	address := b.stack.Practice.Origins()["https://demo.meterkey.example"] + to
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	page, err := r.Do(request)
	require.NoError(b.t, err)
	require.NoError(b.t, page.Body.Close())
	if page.StatusCode == http.StatusServiceUnavailable {
		r.stands(meterkey.AwaitingLogin, meterkey.UtilityUnavailable)
		return
	}
	switch at := path.Base(page.Request.URL.Path); at {
	case "meters":
		r.stands(meterkey.Connected, "")
		require.NoError(b.t, (&devenv.Customer{Environment: b.stack}).Get(b.t.Context(), "/accounts/DEMO/"+r.user, &r.Meters))
	case "code", "method", "question":
		b.challenge(r, at, to == "/code")
	default:
		r.stands(meterkey.Failed, meterkey.SiteChanged)
	}
}

func (b *byHand) challenge(r *handled, at string, rejected bool) {
	if b.turnOff {
		r.stands(meterkey.AwaitingMFAOff, "")
		return
	}
	r.stands(meterkey.AwaitingCode, "")
	r.Challenge = &meterkey.Challenge{ID: fmt.Sprintf("c-%d", r.Revision), Kind: meterkey.NumberCode, TriesLeft: 3}
	switch {
	case rejected:
		r.Reason = meterkey.CodeRejected
	case at == "method":
		r.Status, r.Challenge.Kind = meterkey.AwaitingChoice, meterkey.MethodChoice
		r.Challenge.Options = []meterkey.Option{{ID: "text", Label: "Text message"}, {ID: "email", Label: "E-mail"}}
	}
}
