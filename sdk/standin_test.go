package sdk_test

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// standIn answers updates as the data request's workflow does: it awaits a login, then a choice, then a code, and ends. It takes each
// sealed text once.
func standIn(ctx workflow.Context, r meterkey.Request) (*meterkey.Result, error) {
	s := meterkey.State{RequestID: r.RequestID, Requester: r.Requester, Status: meterkey.AwaitingLogin, LinkedAt: workflow.Now(ctx), Revision: 1}
	known := map[meterkey.Sealed]bool{}
	move := func(to meterkey.Status) {
		s.Status, s.Since = to, workflow.Now(ctx)
		s.Challenge = nil
		if to.AsksCustomer() {
			s.Challenge = &meterkey.Challenge{ID: "c-" + string(to)}
		}
		s.Revision++
	}
	refuse := func(why string) error { return temporal.NewApplicationError(why, meterkey.ErrTypeNotAwaited) }
	login := func(_ workflow.Context, l meterkey.SubmitLogin) (meterkey.State, error) {
		if known[l.Credentials] {
			return s, nil
		}
		known[l.Credentials] = true
		move(meterkey.AwaitingChoice)
		return s, nil
	}
	handlers := []error{
		workflow.SetQueryHandler(ctx, meterkey.QueryStatus, func() (meterkey.State, error) { return s, nil }),
		workflow.SetUpdateHandlerWithOptions(ctx, meterkey.UpdateSubmitLogin, login, workflow.UpdateHandlerOptions{
			Validator: func(l meterkey.SubmitLogin) error {
				if s.Status != meterkey.AwaitingLogin && !known[l.Credentials] {
					return refuse("no login is awaited")
				}
				return nil
			}}),
		workflow.SetUpdateHandlerWithOptions(ctx, meterkey.UpdateChoose, func(_ workflow.Context, c meterkey.Choose) (meterkey.State, error) {
			move(meterkey.AwaitingCode)
			return s, nil
		}, workflow.UpdateHandlerOptions{Validator: func(c meterkey.Choose) error {
			if s.Challenge == nil || c.ChallengeID != s.Challenge.ID {
				return refuse("it is for another challenge")
			}
			return nil
		}}),
		workflow.SetUpdateHandlerWithOptions(ctx, meterkey.UpdateSubmitCode, func(_ workflow.Context, c meterkey.SubmitCode) (meterkey.State, error) {
			move(meterkey.Connected)
			return s, nil
		}, workflow.UpdateHandlerOptions{Validator: func(c meterkey.SubmitCode) error {
			if s.Challenge == nil || c.ChallengeID != s.Challenge.ID {
				return refuse("it is for another challenge")
			}
			return nil
		}}),
	}
	for _, err := range handlers {
		if err != nil {
			return nil, err
		}
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var l meterkey.SubmitLogin
			workflow.GetSignalChannel(ctx, meterkey.SignalSubmitLogin).Receive(ctx, &l)
			_, _ = login(ctx, l)
		}
	})
	err := workflow.Await(ctx, func() bool { return s.Status.Terminal() })
	return &meterkey.Result{RequestID: r.RequestID, Status: s.Status}, err
}

func standInWorker(queue string) worker.Worker {
	w := worker.New(server.temporal, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(standIn, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	return w
}
