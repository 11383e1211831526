package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
)

// Client starts, follows and answers data requests. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	recipient string
	converter converter.DataConverter
	// updateTimeout is how long a worker may take to answer an update: as long as over the workflow task that brings it.
	updateTimeout time.Duration
}

// Errors that callers tell apart. They come wrapped: use errors.Is.
var (
	// ErrExists: a request with this id was started before.
	ErrExists = errors.New("a request with this id exists already")
	// ErrNotFound: no request has this id.
	ErrNotFound = errors.New("no request has this id")
	// ErrEnded: the request has ended and takes no more messages.
	ErrEnded = errors.New("the request has ended")
	// ErrNotAwaited: the request does not wait for what was submitted, which changed nothing.
	ErrNotAwaited = errors.New("not awaited")
	// ErrNoWorker: no worker answered; the request itself is safe.
	ErrNoWorker = errors.New("no worker is answering")
)

// New wraps a Temporal client. Recipient is the workers' age recipient ("age1…"), to which logins and codes are
// sealed before they leave this process; without one, SubmitLogin, SubmitCode and Choose fail. Dc is the data converter that
// the Temporal client was made with; nil means the SDK's default.
func New(c client.Client, recipient string, dc converter.DataConverter) *Client {
	if dc == nil {
		dc = converter.GetDefaultDataConverter()
	}
	return &Client{temporal: c, recipient: recipient, converter: dc, updateTimeout: TaskTimeout}
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
		Priority:                                 temporal.Priority{FairnessKey: r.Requester},
		TypedSearchAttributes:                    temporal.NewSearchAttributes(searchAttributes(r, meterkey.AwaitingLogin)...),
	}
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

// wrap says what was being done, and tells the errors apart that callers tell apart.
func wrap(doing, requestID string, err error) error {
	var notFound *serviceerror.NotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &notFound) && notFound.Message == "workflow execution already completed":
		err = ErrEnded
	case errors.As(err, &notFound):
		err = ErrNotFound
	case unanswered(err):
		err = fmt.Errorf("%w: %w", ErrNoWorker, err)
	}
	return fmt.Errorf("%s %s: %w", doing, requestID, err)
}

// unanswered tells whether Temporal waited for a worker in vain.
func unanswered(err error) bool {
	var noWorker *serviceerror.WorkflowNotReady
	var deadline *serviceerror.DeadlineExceeded
	var noPoller *serviceerror.FailedPrecondition
	var failed *serviceerror.QueryFailed
	var late *client.WorkflowUpdateServiceTimeoutOrCanceledError
	return errors.As(err, &noWorker) || errors.As(err, &deadline) || errors.As(err, &noPoller) || errors.As(err, &failed) || errors.As(err, &late)
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
