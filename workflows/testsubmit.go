package workflows

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// TestSubmitWorkflowType is the name under which the workflow that plays a customer is registered.
	TestSubmitWorkflowType = "TestSubmit"
	// TestSubmitTaskQueue serves it; portals that have practice utilities work on it.
	TestSubmitTaskQueue = "test-submits"

	// ActivityPlayTestStep takes a PlayTestStepInput.
	ActivityPlayTestStep = "PlayTestStep"
)

// TestSubmitInput says which practice customer is to be played, in which data request, and how. It holds no secret:
// practice accounts have none.
type TestSubmitInput struct {
	RequestID string `json:"request_id"`
	// Utility and User name the practice account.
	Utility string     `json:"utility"`
	User    string     `json:"user"`
	Steps   []TestStep `json:"steps"`
}

// TestAction is what a played customer does.
type TestAction string

// What a played customer can do.
const (
	TestSignIn           TestAction = "sign_in"
	TestSignInUnreadably TestAction = "sign_in_unreadably" // sealed so that no worker can open it
	TestAnswer           TestAction = "answer"             // rightly, as the practice phone says
	TestAnswerWrongly    TestAction = "answer_wrongly"
	TestAnswerUnreadably TestAction = "answer_unreadably" // sealed so that no worker can open it
	TestChooseMethod     TestAction = "choose_method"
	TestTurnMFAOff       TestAction = "turn_mfa_off"
	TestLeave            TestAction = "leave"
	TestLoseWindow       TestAction = "lose_window" // not the customer: our machine loses the browser window
	TestAskAgain         TestAction = "ask_again"   // not the customer: the requester resends the request once it has ended
)

// TestStep is one step of a played customer. A step waits until the request asks for it.
type TestStep struct {
	Do TestAction `json:"do"`
	// User is another practice account to sign in with than the first one.
	User string `json:"user,omitempty"`
	// Nth numbers the sign-ins, and the answers, from 1 since the request was sent: what was done before is not done again.
	Nth int `json:"nth,omitempty"`
}

// PlayTestStepInput is PlayTestStep's input.
type PlayTestStepInput struct {
	RequestID string   `json:"request_id"`
	Utility   string   `json:"utility"`
	User      string   `json:"user"`
	Step      TestStep `json:"step"`
}

// PlayTestStepResult is PlayTestStep's result.
type PlayTestStepResult struct {
	// Lose is the window that is to be lost (lose_window only).
	Lose *Window `json:"lose,omitempty"`
}

// TestSubmit is the workflow that plays a customer of a practice utility in a data request, step by step.
func TestSubmit(ctx workflow.Context, in TestSubmitInput) error {
	for _, step := range in.Steps {
		var played PlayTestStepResult
		input := PlayTestStepInput{RequestID: in.RequestID, Utility: in.Utility, User: in.User, Step: step}
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, playOptions(step)), ActivityPlayTestStep, input).Get(ctx, &played)
		if err != nil {
			return fmt.Errorf("playing %s: %w", step.Do, err)
		}
		if played.Lose == nil {
			continue
		}
		lose := WindowInput{RequestID: in.RequestID, Utility: in.Utility, Test: true, Window: *played.Lose}
		err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, closeOptions(*played.Lose)), ActivityCloseWindow, lose).Get(ctx, nil)
		if err != nil {
			return fmt.Errorf("losing the window: %w", err)
		}
	}
	return nil
}

// playOptions: a step waits for as long as signing in may take, which is that long only while no window is free. A portal
// that stops is replaced within the heartbeat time-out.
func playOptions(step TestStep) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: siteDownPatience,
		StartToCloseTimeout:    siteDownPatience,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 10 * time.Second, MaximumAttempts: 20},
		Summary:                "Play the customer: " + string(step.Do),
	}
}

// TestSubmit has a customer played in a data request that is a test.
func (c *Client) TestSubmit(ctx context.Context, in TestSubmitInput) error {
	_, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "test-submit-" + in.RequestID, TaskQueue: TestSubmitTaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, StaticSummary: "Plays a practice customer at " + in.Utility,
	}, TestSubmitWorkflowType, in)
	return wrap("playing the customer of", in.RequestID, err)
}

// SealingTo is a client that seals to another recipient.
func (c *Client) SealingTo(recipient string) *Client {
	other := *c
	other.recipient = recipient
	return &other
}

// HeldWindow is the browser window that last waited for the customer of a data request.
func (c *Client) HeldWindow(ctx context.Context, requestID string) (Window, error) {
	var held *historypb.ActivityTaskScheduledEventAttributes
	events := c.temporal.GetWorkflowHistory(ctx, WorkflowID(requestID), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return Window{}, wrap("reading", requestID, err)
		}
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled.GetActivityType().GetName() == ActivityHoldWindow {
			held = scheduled
		}
	}
	if held == nil {
		return Window{}, fmt.Errorf("looking for the window of %s: none was held", requestID)
	}
	var in WindowInput
	err := c.converter.FromPayloads(held.GetInput(), &in)
	return in.Window, wrap("reading the window of", requestID, err)
}
