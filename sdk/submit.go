package sdk

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
)

// SubmitLogin seals what the customer typed and submits it. The state is the one that it led to. ErrNotAwaited and
// ErrEnded tell that it changed nothing. ErrNoWorker tells that it is kept for the worker that comes: it is not to be
// submitted again.
func (c *Client) SubmitLogin(ctx context.Context, requestID string, login meterkey.Credentials) (meterkey.State, error) {
	return c.SubmitLoginAt(ctx, requestID, "", login)
}

// SubmitLoginAt is SubmitLogin to a request that names no utility: the customer chose the one with this id.
func (c *Client) SubmitLoginAt(ctx context.Context, requestID, utility string, login meterkey.Credentials) (meterkey.State, error) {
	sealed, err := meterkey.SealCredentials(c.recipient, login)
	if err != nil {
		return meterkey.State{}, err
	}
	submitted := meterkey.SubmitLogin{Credentials: sealed, Utility: utility}
	return c.submit(ctx, requestID, message{meterkey.UpdateSubmitLogin, submitted}, message{meterkey.SignalSubmitLogin, submitted})
}

// SubmitCode seals the customer's answer to a challenge, a code or a security answer, and submits it. State and errors are
// as with SubmitLogin; an answer to an earlier challenge is not awaited.
func (c *Client) SubmitCode(ctx context.Context, requestID, challengeID, code string) (meterkey.State, error) {
	sealed, err := meterkey.Seal(c.recipient, code)
	if err != nil {
		return meterkey.State{}, err
	}
	submitted := meterkey.SubmitCode{ChallengeID: challengeID, Code: sealed}
	return c.submit(ctx, requestID, message{meterkey.UpdateSubmitCode, submitted}, message{meterkey.SignalSubmitCode, submitted})
}

// Choose submits the id of the option by which the utility is to send its code. State and errors are as with SubmitCode.
func (c *Client) Choose(ctx context.Context, requestID, challengeID, option string) (meterkey.State, error) {
	sealed, err := meterkey.Seal(c.recipient, option)
	if err != nil {
		return meterkey.State{}, err
	}
	return c.submit(ctx, requestID, message{meterkey.UpdateChoose, meterkey.Choose{ChallengeID: challengeID, Option: option}},
		message{meterkey.SignalSubmitCode, meterkey.SubmitCode{ChallengeID: challengeID, Code: sealed}})
}

// message is what a workflow is sent, by an update or by a signal.
type message struct {
	name    string
	payload any
}

// submit sends an update, whose answer tells what came of it. Temporal keeps an update only once a worker has it, so where
// none answers the same is sent as a signal. The workflow takes the two as one, should the update arrive after all.
func (c *Client) submit(ctx context.Context, requestID string, update, signal message) (meterkey.State, error) {
	state, err := c.update(ctx, requestID, update)
	if !errors.Is(err, ErrNoWorker) {
		return state, err
	}
	if failed := c.signal(ctx, requestID, signal.name, signal.payload); failed != nil {
		return state, failed
	}
	return state, fmt.Errorf("it is kept for the worker that comes: %w", err)
}

// update waits for the state that the message leads to. That takes hundredths of a second.
func (c *Client) update(ctx context.Context, requestID string, m message) (meterkey.State, error) {
	bounded, cancel := context.WithTimeout(ctx, c.updateTimeout)
	defer cancel()
	var state meterkey.State
	answer, err := c.temporal.UpdateWorkflow(bounded, client.UpdateWorkflowOptions{
		WorkflowID: meterkey.WorkflowID(requestID), UpdateName: m.name, Args: []any{m.payload}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = answer.Get(bounded, &state)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whoever asked has gone, which says nothing of workers
	}
	return state, wrap("submitting "+m.name+" to", requestID, refused(err))
}

// errTypeRunEnded is the type of the error by which Temporal answers an update whose run ended before it had answered.
const errTypeRunEnded = "AcceptedUpdateCompletedWorkflow"

// refused tells the workflow's own answers from other errors.
func refused(err error) error {
	var answer *temporal.ApplicationError
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.Type() {
	case meterkey.ErrTypeNotAwaited:
		return fmt.Errorf("%w: %s", ErrNotAwaited, answer.Message())
	case errTypeRunEnded:
		return ErrEnded
	}
	return err
}
