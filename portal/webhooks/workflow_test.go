package webhooks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey/internal/webhook"
)

// receiver plays DeliverWebhook for one delivery under test, with time that is skipped.
type receiver struct {
	env     *testsuite.TestWorkflowEnvironment
	answers []error // one for each attempt, the last one repeats
	at      []time.Time
	givenUp int
}

func newReceiver(t *testing.T, answers ...error) *receiver {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	r := &receiver{env: suite.NewTestWorkflowEnvironment(), answers: answers}
	r.env.RegisterWorkflowWithOptions(Delivery, workflow.RegisterOptions{Name: webhook.WorkflowType})
	r.env.RegisterActivityWithOptions(r.deliver, activity.RegisterOptions{Name: ActivityDeliver})
	r.env.RegisterActivityWithOptions(r.giveUp, activity.RegisterOptions{Name: ActivityGiveUp})
	return r
}

func (r *receiver) deliver(context.Context, webhook.DeliveryInput) error {
	r.at = append(r.at, r.env.Now())
	answer := r.answers[0]
	if len(r.answers) > 1 {
		r.answers = r.answers[1:]
	}
	return answer
}

func (r *receiver) giveUp(context.Context, webhook.DeliveryInput) error {
	r.givenUp++
	if r.givenUp == 1 {
		return errors.New("the database is down")
	}
	return nil
}

func (r *receiver) run(t *testing.T) DeliveryResult {
	t.Helper()
	r.env.ExecuteWorkflow(webhook.WorkflowType, webhook.DeliveryInput{DeliveryUID: "d1"})
	require.True(t, r.env.IsWorkflowCompleted())
	var result DeliveryResult
	require.NoError(t, r.env.GetWorkflowResult(&result))
	return result
}

// notTaken is what DeliverWebhook says when the receiver did not answer with 200.
func notTaken() error {
	return temporal.NewApplicationErrorWithOptions("answered with 500", "not_taken",
		temporal.ApplicationErrorOptions{NextRetryDelay: RetryEvery})
}

func TestWebhookDelivery_AtOnce(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	require.True(t, r.run(t).Delivered)
	require.Len(t, r.at, 1)
	require.Zero(t, r.givenUp)
}

func TestWebhookDelivery_AnHourLaterWhenNotTaken(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, notTaken(), notTaken(), nil)
	require.True(t, r.run(t).Delivered)
	require.Len(t, r.at, 3)
	require.Equal(t, time.Hour, r.at[1].Sub(r.at[0]))
	require.Equal(t, time.Hour, r.at[2].Sub(r.at[1]))
}

func TestWebhookDelivery_SoonWhenTheFaultIsOurs(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, errors.New("the database is down"), errors.New("the database is down"), nil)
	require.True(t, r.run(t).Delivered)
	require.Len(t, r.at, 3)
	require.Less(t, r.at[2].Sub(r.at[0]), time.Minute)
}

func TestWebhookDelivery_GivesUpAfter72Hours(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, notTaken())
	require.False(t, r.run(t).Delivered)
	require.Len(t, r.at, 73, "at once and then hourly for 72 hours")
	require.Equal(t, 72*time.Hour, r.at[72].Sub(r.at[0]))
	require.Equal(t, 2, r.givenUp, "noted, though the database was down at first")
}

func TestWebhookDelivery_GivesUpAtOnceWhenThereIsNothingToDeliver(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, temporal.NewNonRetryableApplicationError("the webhook was deleted", "gone", nil))
	require.False(t, r.run(t).Delivered)
	require.Len(t, r.at, 1)
	require.Equal(t, 2, r.givenUp)
}

func TestWebhookDelivery_CanceledIsNotGivenUp(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, notTaken())
	r.env.RegisterDelayedCallback(r.env.CancelWorkflow, 90*time.Minute)
	r.env.ExecuteWorkflow(webhook.WorkflowType, webhook.DeliveryInput{DeliveryUID: "d1"})
	require.True(t, r.env.IsWorkflowCompleted())
	var canceled *temporal.CanceledError
	require.ErrorAs(t, r.env.GetWorkflowError(), &canceled)
	require.Zero(t, r.givenUp)
}
