package testsubmit

import (
	"fmt"
	"time"

	"github.com/meterkey/meterkey/workflows"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// WorkflowType is the name under which the workflow that plays a customer is registered.
	WorkflowType = "TestSubmit"
	// TaskQueue serves it; portals that have practice utilities work on it.
	TaskQueue = "test-submits"

	// ActivityPlay takes a PlayInput.
	ActivityPlay = "PlayTestStep"
)

// Input says which practice customer is to be played, in which data request, and how. It holds no secret:
// practice accounts have none.
type Input struct {
	RequestID string `json:"request_id"`
	// Utility and User name the practice account.
	Utility string `json:"utility"`
	User    string `json:"user"`
	Steps   []Step `json:"steps"`
}

// Action is what a played customer does.
type Action string

// What a played customer can do.
const (
	SignIn           Action = "sign_in"
	SignInUnreadably Action = "sign_in_unreadably" // sealed so that no worker can open it
	Answer           Action = "answer"             // rightly, as the practice phone says
	AnswerWrongly    Action = "answer_wrongly"
	AnswerUnreadably Action = "answer_unreadably" // sealed so that no worker can open it
	ChooseMethod     Action = "choose_method"
	TurnMFAOff       Action = "turn_mfa_off"
	Leave            Action = "leave"
	LoseWindow       Action = "lose_window" // not the customer: our machine loses the browser window
	AskAgain         Action = "ask_again"   // not the customer: the requester resends the request once it has ended
)

// Step is one step of a played customer. A step waits until the request asks for it.
type Step struct {
	Do Action `json:"do"`
	// User is another practice account to sign in with than the first one.
	User string `json:"user,omitempty"`
	// Nth numbers the sign-ins, and the answers, from 1 since the request was sent: what was done before is not done again.
	Nth int `json:"nth,omitempty"`
}

// PlayInput is PlayTestStep's input.
type PlayInput struct {
	RequestID string `json:"request_id"`
	Utility   string `json:"utility"`
	User      string `json:"user"`
	Step      Step   `json:"step"`
}

// PlayResult is PlayTestStep's result.
type PlayResult struct {
	// Lose is the window that is to be lost (lose_window only).
	Lose *workflows.Window `json:"lose,omitempty"`
}

// Workflow is the workflow that plays a customer of a practice utility in a data request, step by step.
func Workflow(ctx workflow.Context, in Input) error {
	for _, step := range in.Steps {
		var played PlayResult
		input := PlayInput{RequestID: in.RequestID, Utility: in.Utility, User: in.User, Step: step}
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, playOptions(step)), ActivityPlay, input).Get(ctx, &played)
		if err != nil {
			return fmt.Errorf("playing %s: %w", step.Do, err)
		}
		if played.Lose == nil {
			continue
		}
		lose := workflows.CloseWindowInput{RequestID: in.RequestID, Window: *played.Lose}
		err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, loseOptions(*played.Lose)), workflows.ActivityCloseWindow, lose).Get(ctx, nil)
		if err != nil {
			return fmt.Errorf("losing the window: %w", err)
		}
	}
	return nil
}

const (
	// longestStep is how long a step may take: as long as signing in at a site that is down.
	longestStep = time.Hour
	// heartbeatTimeout is how soon another portal goes on with a step.
	heartbeatTimeout = 10 * time.Second
)

// playOptions: a step waits for as long as signing in may take, which is that long only while no window is free. A portal
// that stops is replaced within the heartbeat time-out.
func playOptions(step Step) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: longestStep,
		StartToCloseTimeout:    longestStep,
		HeartbeatTimeout:       heartbeatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 10 * time.Second, MaximumAttempts: 20},
		Summary:                "Play the customer: " + string(step.Do),
	}
}

func loseOptions(w workflows.Window) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:              workflows.WindowTaskQueue(w.Host),
		ScheduleToStartTimeout: time.Minute,
		StartToCloseTimeout:    30 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 3},
		Summary:                "Lose the window",
	}
}
