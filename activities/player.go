package activities

import (
	"context"
	"fmt"

	"filippo.io/age"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/meterkey/meterkey/internal/practiceapi"
	"github.com/meterkey/meterkey/workflows"
)

// ErrTypeOffScript is the type of the application error that says that a data request went another way than its scenario.
const ErrTypeOffScript = "off_script"

// Player plays customers of practice utilities, for test submissions. What a step did is told by the request's timeline, so
// that a retry does nothing twice.
type Player struct {
	Requests *workflows.Client
	Practice *practiceapi.Client
}

// Register registers what the task queue of test submissions serves.
func (p *Player) Register(r worker.ActivityRegistry) {
	r.RegisterActivityWithOptions(p.Play, activity.RegisterOptions{Name: workflows.ActivityPlayTestStep})
}

// Play waits until the request asks for a step, and takes it.
func (p *Player) Play(ctx context.Context, in workflows.PlayTestStepInput) (workflows.PlayTestStepResult, error) {
	defer beat(ctx)()
	if in.Step.User != "" {
		in.User = in.Step.User
	}
	var result workflows.PlayTestStepResult
	var err error
	switch in.Step.Do {
	case workflows.TestSignIn, workflows.TestSignInUnreadably:
		err = p.signIn(ctx, in)
	case workflows.TestAnswer, workflows.TestAnswerWrongly, workflows.TestAnswerUnreadably:
		err = p.answer(ctx, in)
	case workflows.TestChooseMethod:
		err = p.choose(ctx, in)
	case workflows.TestTurnMFAOff:
		err = p.turnMFAOff(ctx, in)
	case workflows.TestLeave:
		err = p.leave(ctx, in)
	case workflows.TestLoseWindow:
		result, err = p.loseWindow(ctx, in)
	case workflows.TestAskAgain:
		err = p.askAgain(ctx, in)
	default:
		err = temporal.NewNonRetryableApplicationError(fmt.Sprintf("nobody knows how to %q", in.Step.Do), ErrTypeOffScript, nil)
	}
	return result, err
}

// await waits until the request stands at one of these statuses, or until the step is found done.
func (p *Player) await(ctx context.Context, in workflows.PlayTestStepInput, isDone func(workflows.State) bool, at ...workflows.Status) (s workflows.State, done bool, err error) {
	s, err = p.Requests.Wait(ctx, in.RequestID, func(s workflows.State) bool {
		return isDone(s) || stands(s, at...) || s.Status.Terminal() || s.Status == workflows.AwaitingLogin && s.Reason != ""
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

func stands(s workflows.State, at ...workflows.Status) bool {
	for _, status := range at {
		if s.Status == status {
			return true
		}
	}
	return false
}

// entered tells whether the request entered a status at least n times since it was sent.
func entered(status workflows.Status, n int) func(workflows.State) bool {
	return func(s workflows.State) bool { return times(s, "", status) >= n }
}

// times counts how often the timeline goes from one status to another; an empty one stands for any.
func times(s workflows.State, from, to workflows.Status) int {
	n := 0
	var before workflows.Status
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
func (p *Player) sealing(do workflows.TestAction) (*workflows.Client, error) {
	if do != workflows.TestSignInUnreadably && do != workflows.TestAnswerUnreadably {
		return p.Requests, nil
	}
	nobody, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("making a recipient: %w", err)
	}
	return p.Requests.SealingTo(nobody.Recipient().String()), nil
}

func (p *Player) signIn(ctx context.Context, in workflows.PlayTestStepInput) error {
	signedIn := entered(workflows.SigningIn, in.Step.Nth)
	_, done, err := p.await(ctx, in, signedIn, workflows.AwaitingLogin, workflows.AwaitingMFAOff)
	if done || err != nil {
		return err
	}
	client, err := p.sealing(in.Step.Do)
	if err != nil {
		return err
	}
	login := workflows.Credentials{Username: in.User, Password: practiceapi.Password}
	if err := client.SubmitLogin(ctx, in.RequestID, login); err != nil {
		return err
	}
	_, err = p.Requests.Wait(ctx, in.RequestID, signedIn)
	return wrap("waiting for the login to be taken", err)
}

// answer types the code, or the security answer, from the practice phone.
func (p *Player) answer(ctx context.Context, in workflows.PlayTestStepInput) error {
	answered := func(s workflows.State) bool {
		return times(s, workflows.AwaitingCode, workflows.SubmittingCode) >= in.Step.Nth
	}
	s, done, err := p.await(ctx, in, answered, workflows.AwaitingCode)
	if done || err != nil {
		return err
	}
	text, err := p.Practice.Code(ctx, in.Utility, in.User)
	if err != nil {
		return err
	}
	if in.Step.Do == workflows.TestAnswerWrongly {
		text = wrong(text)
	}
	return p.submit(ctx, in, s.Challenge.ID, text)
}

// submit seals and sends an answer, and waits until it is taken.
func (p *Player) submit(ctx context.Context, in workflows.PlayTestStepInput, challenge, text string) error {
	client, err := p.sealing(in.Step.Do)
	if err != nil {
		return err
	}
	if err := client.SubmitCode(ctx, in.RequestID, challenge, text); err != nil {
		return err
	}
	_, err = p.Requests.Wait(ctx, in.RequestID, func(s workflows.State) bool {
		return s.Status == workflows.SubmittingCode || s.Challenge == nil || s.Challenge.ID != challenge
	})
	return wrap("waiting for the answer to be taken", err)
}

// choose takes the first method, again if the site asks again, until the site asks for the code.
func (p *Player) choose(ctx context.Context, in workflows.PlayTestStepInput) error {
	for {
		s, done, err := p.await(ctx, in, entered(workflows.AwaitingCode, 1), workflows.AwaitingChoice)
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

func (p *Player) turnMFAOff(ctx context.Context, in workflows.PlayTestStepInput) error {
	_, done, err := p.await(ctx, in, entered(workflows.SigningIn, 2), workflows.AwaitingMFAOff)
	if done || err != nil {
		return err
	}
	return p.Practice.TurnMFAOff(ctx, in.Utility, in.User)
}

func (p *Player) leave(ctx context.Context, in workflows.PlayTestStepInput) error {
	left := func(s workflows.State) bool {
		return s.Status == workflows.AwaitingLogin && s.Reason == workflows.WindowClosed
	}
	_, done, err := p.await(ctx, in, left, workflows.AwaitingCode, workflows.AwaitingChoice)
	if done || err != nil {
		return err
	}
	return p.Requests.Leave(ctx, in.RequestID)
}

// loseWindow finds the window. Closing it is for the workflow: only the window's own worker can do so.
func (p *Player) loseWindow(ctx context.Context, in workflows.PlayTestStepInput) (workflows.PlayTestStepResult, error) {
	lost := func(s workflows.State) bool { return s.Reason == workflows.WindowLost }
	_, done, err := p.await(ctx, in, lost, workflows.AwaitingCode, workflows.AwaitingChoice)
	if done || err != nil {
		return workflows.PlayTestStepResult{}, err
	}
	held, err := p.Requests.HeldWindow(ctx, in.RequestID)
	return workflows.PlayTestStepResult{Lose: &held}, err
}

// askAgain revives the request once it has ended.
func (p *Player) askAgain(ctx context.Context, in workflows.PlayTestStepInput) error {
	s, err := p.Requests.Wait(ctx, in.RequestID, func(s workflows.State) bool {
		return s.Status.Terminal() || !entered(workflows.SigningIn, 1)(s) // revived by an attempt before this one
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
	_, err = p.Requests.Wait(ctx, in.RequestID, func(s workflows.State) bool { return !s.Status.Terminal() })
	return wrap("waiting for the request to go on", err)
}
