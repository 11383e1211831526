package testsubmit

import (
	"context"
	"fmt"
	"time"

	"filippo.io/age"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/practiceapi"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/workflows"
)

// ErrTypeOffScript is the type of the application error that says that a data request went another way than its scenario.
const ErrTypeOffScript = "off_script"

// Simulator plays customers of practice utilities, for test submissions. What a step did is told by the request's timeline, so
// that a retry does nothing twice.
type Simulator struct {
	Temporal  client.Client
	Converter converter.DataConverter // that Temporal was made with
	Requests  *sdk.Client
	Practice  *practiceapi.Client
}

// Register registers what the task queue of test submissions serves.
func (p *Simulator) Register(r worker.ActivityRegistry) {
	r.RegisterActivityWithOptions(p.Play, activity.RegisterOptions{Name: ActivityPlay})
}

// Play waits until the request asks for a step, and takes it.
func (p *Simulator) Play(ctx context.Context, in PlayInput) (PlayResult, error) {
	defer keepBeating(ctx)()
	if in.Step.User != "" {
		in.User = in.Step.User
	}
	var result PlayResult
	var err error
	switch in.Step.Do {
	case SignIn, SignInUnreadably:
		err = p.signIn(ctx, in)
	case Answer, AnswerWrongly, AnswerUnreadably:
		err = p.answer(ctx, in)
	case ChooseMethod:
		err = p.choose(ctx, in)
	case TurnMFAOff:
		err = p.turnMFAOff(ctx, in)
	case Leave:
		err = p.leave(ctx, in)
	case LoseWindow:
		result, err = p.loseWindow(ctx, in)
	case AskAgain:
		err = p.askAgain(ctx, in)
	default:
		err = temporal.NewNonRetryableApplicationError(fmt.Sprintf("nobody knows how to %q", in.Step.Do), ErrTypeOffScript, nil)
	}
	return result, err
}

// await waits until the request stands at one of these statuses, or until the step is found done.
func (p *Simulator) await(ctx context.Context, in PlayInput, isDone func(meterkey.State) bool, at ...meterkey.Status) (s meterkey.State, done bool, err error) {
	s, err = p.Requests.Wait(ctx, in.RequestID, func(s meterkey.State) bool {
		return isDone(s) || stands(s, at...) || s.Status.Terminal() || s.Status == meterkey.AwaitingLogin && s.Reason != ""
	})
	switch {
	case err != nil:
		return s, false, fmt.Errorf("waiting to %s: %w", in.Step.Do, err)
	case isDone(s):
		return s, true, nil
	case !stands(s, at...):
		return s, false, temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("the request stands at %s (%s) when it is time to %s", s.Status, s.Reason, in.Step.Do), ErrTypeOffScript, nil)
	}
	return s, false, nil
}

func stands(s meterkey.State, at ...meterkey.Status) bool {
	for _, status := range at {
		if s.Status == status {
			return true
		}
	}
	return false
}

// entered tells whether the request entered a status at least n times since it was sent.
func entered(status meterkey.Status, n int) func(meterkey.State) bool {
	return func(s meterkey.State) bool { return times(s, "", status) >= n }
}

// times counts how often the timeline goes from one status to another; an empty one stands for any.
func times(s meterkey.State, from, to meterkey.Status) int {
	n := 0
	var before meterkey.Status
	for _, moment := range s.Timeline {
		if moment.Status == to && (from == "" || from == before) {
			n++
		}
		before = moment.Status
	}
	return n
}

// sealing is the client that the step's login or answer is sealed by. What no worker is to open is sealed to a recipient
// whose identity nobody keeps.
func (p *Simulator) sealing(do Action) (*sdk.Client, error) {
	if do != SignInUnreadably && do != AnswerUnreadably {
		return p.Requests, nil
	}
	nobody, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("making a recipient: %w", err)
	}
	return sdk.New(p.Temporal, nobody.Recipient().String(), p.Converter), nil
}

func (p *Simulator) signIn(ctx context.Context, in PlayInput) error {
	signedIn := entered(meterkey.SigningIn, in.Step.Nth)
	_, done, err := p.await(ctx, in, signedIn, meterkey.AwaitingLogin, meterkey.AwaitingMFAOff)
	if done || err != nil {
		return err
	}
	client, err := p.sealing(in.Step.Do)
	if err != nil {
		return err
	}
	login := meterkey.Credentials{Username: in.User, Password: practiceapi.Password}
	if _, err := client.SubmitLogin(ctx, in.RequestID, login); err != nil {
		return err
	}
	_, err = p.Requests.Wait(ctx, in.RequestID, signedIn)
	return wrap("waiting for the login to be taken", err)
}

// answer types the code, or the security answer, from the practice phone.
func (p *Simulator) answer(ctx context.Context, in PlayInput) error {
	answered := func(s meterkey.State) bool {
		return times(s, meterkey.AwaitingCode, meterkey.SubmittingCode) >= in.Step.Nth
	}
	s, done, err := p.await(ctx, in, answered, meterkey.AwaitingCode)
	if done || err != nil {
		return err
	}
	text, err := p.Practice.Code(ctx, in.Utility, in.User)
	if err != nil {
		return err
	}
	if in.Step.Do == AnswerWrongly {
		text = wrong(text)
	}
	return p.submit(ctx, in, s.Challenge.ID, text)
}

// submit seals and sends an answer, and waits until it is taken.
func (p *Simulator) submit(ctx context.Context, in PlayInput, challenge, text string) error {
	client, err := p.sealing(in.Step.Do)
	if err != nil {
		return err
	}
	if _, err := client.SubmitCode(ctx, in.RequestID, challenge, text); err != nil {
		return err
	}
	_, err = p.Requests.Wait(ctx, in.RequestID, func(s meterkey.State) bool {
		return s.Status == meterkey.SubmittingCode || s.Challenge == nil || s.Challenge.ID != challenge
	})
	return wrap("waiting for the answer to be taken", err)
}

// choose takes the first method, again if the site asks again, until the site asks for the code.
func (p *Simulator) choose(ctx context.Context, in PlayInput) error {
	for {
		s, done, err := p.await(ctx, in, entered(meterkey.AwaitingCode, 1), meterkey.AwaitingChoice)
		if done || err != nil {
			return err
		}
		if len(s.Challenge.Options) == 0 {
			return temporal.NewNonRetryableApplicationError("there is no method to choose", ErrTypeOffScript, nil)
		}
		if err := p.submit(ctx, in, s.Challenge.ID, s.Challenge.Options[0].ID); err != nil {
			return err
		}
	}
}

// wrong is another code of the same form: its last character is changed.
func wrong(code string) string {
	kept := code[:max(0, len(code)-1)]
	if code == kept+"1" {
		return kept + "2"
	}
	return kept + "1"
}

func (p *Simulator) turnMFAOff(ctx context.Context, in PlayInput) error {
	_, done, err := p.await(ctx, in, entered(meterkey.SigningIn, 2), meterkey.AwaitingMFAOff)
	if done || err != nil {
		return err
	}
	return p.Practice.TurnMFAOff(ctx, in.Utility, in.User)
}

func (p *Simulator) leave(ctx context.Context, in PlayInput) error {
	left := func(s meterkey.State) bool {
		return s.Status == meterkey.AwaitingLogin && s.Reason == meterkey.WindowClosed
	}
	_, done, err := p.await(ctx, in, left, meterkey.AwaitingCode, meterkey.AwaitingChoice)
	if done || err != nil {
		return err
	}
	return p.Requests.Leave(ctx, in.RequestID)
}

// loseWindow finds the window. Closing it is for the workflow: only the window's own worker can do so.
func (p *Simulator) loseWindow(ctx context.Context, in PlayInput) (PlayResult, error) {
	lost := func(s meterkey.State) bool { return s.Reason == meterkey.WindowLost }
	_, done, err := p.await(ctx, in, lost, meterkey.AwaitingCode, meterkey.AwaitingChoice)
	if done || err != nil {
		return PlayResult{}, err
	}
	held, err := p.heldWindow(ctx, in.RequestID)
	return PlayResult{Lose: &held}, err
}

// askAgain revives the request once it has ended.
func (p *Simulator) askAgain(ctx context.Context, in PlayInput) error {
	s, err := p.Requests.Wait(ctx, in.RequestID, func(s meterkey.State) bool {
		return s.Status.Terminal() || !entered(meterkey.SigningIn, 1)(s) // revived by an attempt before this one
	})
	if err != nil || !s.Status.Terminal() {
		return wrap("waiting for the request's end", err)
	}
	request, err := p.Requests.Request(ctx, in.RequestID)
	if err != nil {
		return err
	}
	if err := p.Requests.Resend(ctx, request); err != nil {
		return err
	}
	_, err = p.Requests.Wait(ctx, in.RequestID, func(s meterkey.State) bool { return !s.Status.Terminal() })
	return wrap("waiting for the request to go on", err)
}

// heldWindow is the browser window that last waited for the customer of a data request.
func (p *Simulator) heldWindow(ctx context.Context, requestID string) (workflows.Window, error) {
	var held *historypb.ActivityTaskScheduledEventAttributes
	events := p.Temporal.GetWorkflowHistory(ctx, meterkey.WorkflowID(requestID), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return workflows.Window{}, fmt.Errorf("reading the history of %s: %w", requestID, err)
		}
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled.GetActivityType().GetName() == workflows.ActivityHoldWindow {
			held = scheduled
		}
	}
	if held == nil {
		return workflows.Window{}, fmt.Errorf("looking for the window of %s: none was held", requestID)
	}
	var in workflows.HoldWindowInput
	if err := p.Converter.FromPayloads(held.GetInput(), &in); err != nil {
		return workflows.Window{}, fmt.Errorf("reading the window of %s: %w", requestID, err)
	}
	return *in.Progress.Window, nil
}

// keepBeating heartbeats until stopped: a step waits for others.
func keepBeating(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(heartbeatTimeout / 5)
		defer ticker.Stop()
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() { close(done) }
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
