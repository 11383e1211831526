package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meterkey/meterkey"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Client starts, follows and answers data requests. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	recipient string
	converter converter.DataConverter
}

// Errors that callers tell apart. They come wrapped: use errors.Is.
var (
	// ErrExists: a request with this id was started before.
	ErrExists = errors.New("a request with this id exists already")
	// ErrNotFound: no request has this id.
	ErrNotFound = errors.New("no request has this id")
	// ErrEnded: the request has ended and takes no more messages.
	ErrEnded = errors.New("the request has ended")
	// ErrNoWorker: no worker answered; the request itself is safe.
	ErrNoWorker = errors.New("no worker is answering")
)

// NewClient wraps a Temporal client. Recipient is the workers' age recipient ("age1…"), to which logins and codes are
// sealed before they leave this process; without one, SubmitLogin and SubmitCode fail. Dc is the data converter that
// the Temporal client was made with; nil means the SDK's default.
func New(c client.Client, recipient string, dc converter.DataConverter) *Client {
	if dc == nil {
		dc = converter.GetDefaultDataConverter()
	}
	return &Client{temporal: c, recipient: recipient, converter: dc}
}

// Start starts a data request. ErrExists when the id was used before.
func (c *Client) Start(ctx context.Context, r meterkey.Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	_, err := c.temporal.ExecuteWorkflow(ctx, startOptions(r, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE), meterkey.WorkflowType, r)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return fmt.Errorf("starting %s: %w", r.RequestID, ErrExists)
	}
	return wrap("starting", r.RequestID, err)
}

// TaskTimeout is how long a worker may take over one workflow task, which takes milliseconds: what a customer waits when a
// worker is killed with a task in hand. Ten seconds, the usual, is long for somebody with a code. It is the worker's
// DeadlockDetectionTimeout as well: the SDK's own second is less than a busy host may stall, and than a city's meter list
// may take to encode, and a task given up by mistake is a task begun anew.
const TaskTimeout = 5 * time.Second

func startOptions(r meterkey.Request, reuse enumspb.WorkflowIdReusePolicy) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                                       meterkey.WorkflowID(r.RequestID),
		TaskQueue:                                meterkey.TaskQueue,
		WorkflowIDReusePolicy:                    reuse,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowTaskTimeout:                      TaskTimeout,
		StaticSummary:                            summary(r),
		TypedSearchAttributes:                    temporal.NewSearchAttributes(searchAttributes(r, meterkey.AwaitingLogin)...),
	}
}

// SubmitLogin seals what the customer typed and sends it.
func (c *Client) SubmitLogin(ctx context.Context, requestID string, login meterkey.Credentials) error {
	return c.SubmitLoginAt(ctx, requestID, "", login)
}

// SubmitLoginAt is SubmitLogin to a request that names no utility: the customer chose the one with this id.
func (c *Client) SubmitLoginAt(ctx context.Context, requestID, utility string, login meterkey.Credentials) error {
	sealed, err := meterkey.SealCredentials(c.recipient, login)
	if err != nil {
		return err
	}
	return c.signal(ctx, requestID, meterkey.SignalSubmitLogin, meterkey.SubmitLogin{Credentials: sealed, Utility: utility})
}

// SubmitCode seals the customer's answer to a challenge (a code, a security answer or a chosen option's id) and sends
// it. An answer to an earlier challenge changes nothing.
func (c *Client) SubmitCode(ctx context.Context, requestID, challengeID, code string) error {
	sealed, err := meterkey.Seal(c.recipient, code)
	if err != nil {
		return err
	}
	return c.signal(ctx, requestID, meterkey.SignalSubmitCode, meterkey.SubmitCode{ChallengeID: challengeID, Code: sealed})
}

// ResendCode has the utility's site send the code again.
func (c *Client) ResendCode(ctx context.Context, requestID, challengeID string) error {
	return c.signal(ctx, requestID, meterkey.SignalResendCode, meterkey.ResendCode{ChallengeID: challengeID})
}

// Leave tells that the customer left for good: the browser window is freed.
func (c *Client) Leave(ctx context.Context, requestID string) error {
	return c.signal(ctx, requestID, meterkey.SignalLeave, nil)
}

// Decline tells that the customer says no.
func (c *Client) Decline(ctx context.Context, requestID string) error {
	return c.signal(ctx, requestID, meterkey.SignalDecline, nil)
}

func (c *Client) signal(ctx context.Context, requestID, name string, payload any) error {
	return wrap("sending "+name+" to", requestID, c.temporal.SignalWorkflow(ctx, meterkey.WorkflowID(requestID), "", name, payload))
}

// Resend sends the data request to the customer again, with seven more days to act. It also revives a request that
// has ended; r is what to start it with then (see Request).
func (c *Client) Resend(ctx context.Context, r meterkey.Request) error {
	if err := r.Validate(); err != nil {
		return err
	}
	_, err := c.temporal.SignalWithStartWorkflow(ctx, meterkey.WorkflowID(r.RequestID), meterkey.SignalResend, nil,
		startOptions(r, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE), meterkey.WorkflowType, r)
	return wrap("resending", r.RequestID, err)
}

// Request reads back what a data request was started with.
func (c *Client) Request(ctx context.Context, requestID string) (meterkey.Request, error) {
	var r meterkey.Request
	events := c.temporal.GetWorkflowHistory(ctx, meterkey.WorkflowID(requestID), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := events.Next()
	if err != nil {
		return r, wrap("reading", requestID, err)
	}
	err = c.converter.FromPayloads(first.GetWorkflowExecutionStartedEventAttributes().GetInput(), &r)
	return r, wrap("reading the input of", requestID, err)
}

// Cancel calls the request off: the window is closed and the customer told.
func (c *Client) Cancel(ctx context.Context, requestID string) error {
	return wrap("canceling", requestID, c.temporal.CancelWorkflow(ctx, meterkey.WorkflowID(requestID), ""))
}

// State tells where the request stands. ErrNoWorker when no worker answered the query; the request is safe then.
func (c *Client) State(ctx context.Context, requestID string) (meterkey.State, error) {
	state, err := c.query(ctx, requestID)
	var failed *serviceerror.QueryFailed
	if errors.As(err, &failed) {
		// The query itself cannot fail: the worker could not bring the run to the point asked for. It has forgotten what it
		// had in memory by now, and reads the history anew when asked again.
		state, err = c.query(ctx, requestID)
	}
	return state, wrap("asking for the status of", requestID, err)
}

func (c *Client) query(ctx context.Context, requestID string) (meterkey.State, error) {
	var state meterkey.State
	answer, err := c.temporal.QueryWorkflow(ctx, meterkey.WorkflowID(requestID), "", meterkey.QueryStatus)
	if err == nil {
		err = answer.Get(&state)
	}
	return state, err
}

// lookAnyway is how often Wait looks even though nothing was heard: a worker may have come back.
const lookAnyway = time.Second

// Wait returns the state as soon as it satisfies done. It hears of each change from Temporal instead of asking again and
// again. It ends with ctx's error, or with the first error that waiting cannot mend; that no worker answers is not one.
func (c *Client) Wait(ctx context.Context, requestID string, done func(meterkey.State) bool) (meterkey.State, error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	changed := c.changes(listening, requestID)
	ticker := time.NewTicker(lookAnyway)
	defer ticker.Stop()
	for {
		state, err := c.State(ctx, requestID)
		if err == nil && done(state) || err != nil && !errors.Is(err, ErrNoWorker) && ctx.Err() == nil {
			return state, err
		}
		select {
		case <-ctx.Done():
			return state, fmt.Errorf("waiting for %s, last seen %s: %w", requestID, state.Status, ctx.Err())
		case <-changed:
		case <-ticker.C:
		}
	}
}

// changes tells when something happens in the request; several things may be told as one. A run that ends is followed by
// the next one, if there is any.
func (c *Client) changes(ctx context.Context, requestID string) <-chan struct{} {
	changed := make(chan struct{}, 1)
	go func() {
		for run := ""; ctx.Err() == nil; {
			if next := c.latestRun(ctx, requestID); next != run {
				run = next
				c.follow(ctx, requestID, run, changed)
			}
			select {
			case <-ctx.Done():
			case <-time.After(lookAnyway):
			}
		}
	}()
	return changed
}

// latestRun is the id of the request's latest run, "" while it cannot be told.
func (c *Client) latestRun(ctx context.Context, requestID string) string {
	described, err := c.temporal.DescribeWorkflowExecution(ctx, meterkey.WorkflowID(requestID), "")
	if err != nil {
		return ""
	}
	return described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}

// follow tells of each event of a run until it has ended.
func (c *Client) follow(ctx context.Context, requestID, run string, changed chan<- struct{}) {
	events := c.temporal.GetWorkflowHistory(ctx, meterkey.WorkflowID(requestID), run, true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		if _, err := events.Next(); err != nil {
			return
		}
		select {
		case changed <- struct{}{}:
		default: // told already, not heard yet
		}
	}
}

// Listed is one line of a list of requests, as Temporal's visibility has it.
type Listed struct {
	RequestID string             `json:"request_id"`
	Requester string             `json:"requester"`
	Utility   string             `json:"utility"`
	Status    meterkey.Status    `json:"status"`
	WaitingOn meterkey.WaitingOn `json:"waiting_on"`
	Started   time.Time          `json:"started"`
}

// Filter narrows a list; empty fields do not.
type Filter struct {
	Status    meterkey.Status
	Utility   string
	Requester string
}

// List lists requests, newest first, limit at most.
func (c *Client) List(ctx context.Context, f Filter, limit int) ([]Listed, error) {
	var listed []Listed
	var page []byte
	for len(listed) < limit {
		answer, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: int32(min(limit-len(listed), 1000)), NextPageToken: page, Query: f.query(), //nolint:gosec // at most 1000
		})
		if err != nil {
			return nil, fmt.Errorf("listing requests: %w", err)
		}
		for _, execution := range answer.GetExecutions() {
			listed = append(listed, listedFrom(execution))
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	return listed, nil
}

func wrap(doing, requestID string, err error) error {
	var notFound *serviceerror.NotFound
	var noWorker *serviceerror.WorkflowNotReady
	var deadline *serviceerror.DeadlineExceeded
	var canceled *serviceerror.FailedPrecondition
	var failed *serviceerror.QueryFailed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &notFound) && notFound.Message == "workflow execution already completed":
		err = ErrEnded
	case errors.As(err, &notFound):
		err = ErrNotFound
	case errors.As(err, &noWorker), errors.As(err, &deadline), errors.As(err, &canceled), errors.As(err, &failed):
		err = fmt.Errorf("%w: %w", ErrNoWorker, err)
	}
	return fmt.Errorf("%s %s: %w", doing, requestID, err)
}

// SearchAttributes names the search attributes that the workflow keeps current. All are to be registered as Keyword.
func SearchAttributes() []string {
	return []string{keyStatus.GetName(), keyUtility.GetName(), keyRequester.GetName(), keyWaitingOn.GetName()}
}

var (
	keyStatus    = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeStatus)
	keyUtility   = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeUtility)
	keyRequester = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeRequester)
	keyWaitingOn = temporal.NewSearchAttributeKeyKeyword(meterkey.AttributeWaitingOn)
)

func searchAttributes(r meterkey.Request, s meterkey.Status) []temporal.SearchAttributeUpdate {
	return []temporal.SearchAttributeUpdate{keyStatus.ValueSet(string(s)), keyUtility.ValueSet(r.Utility),
		keyRequester.ValueSet(r.Requester), keyWaitingOn.ValueSet(string(s.WaitingOn()))}
}

func summary(r meterkey.Request) string {
	return strings.TrimSpace(fmt.Sprintf("%s data request for %s", r.Utility, r.Requester))
}
