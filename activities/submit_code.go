package activities

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

// stepAnswer, with a challenge's id after it, is begun before the answer to it is typed.
const stepAnswer = "answer "

// SubmitCode types the customer's answer: a code, a security answer or a chosen option. What it types, it types once;
// a retry reads what came of it.
func (b *BrowserActivities) SubmitCode(ctx context.Context, in workflows.SubmitCodeInput) (workflows.PageResult, error) {
	defer beat(ctx)()
	return b.recording(ctx, in.Task, func() (workflows.PageResult, error) {
		answer, err := b.openAnswer(in)
		if err != nil {
			b.logger(in.Task).Warn("code cannot be opened", zap.Error(err))
			return stopped(meterkey.Unreadable), nil
		}
		return b.inWindow(ctx, in.Task, func(l *windowLease) (workflows.PageResult, error) {
			return b.submitCode(ctx, l, in, answer)
		})
	})
}

func (b *BrowserActivities) openAnswer(in workflows.SubmitCodeInput) (string, error) {
	if in.Option != "" {
		return in.Option, nil
	}
	answer, err := b.Identity.Open(in.Code)
	return string(answer), err
}

func (b *BrowserActivities) submitCode(ctx context.Context, l *windowLease, in workflows.SubmitCodeInput, answer string) (workflows.PageResult, error) {
	asked := in.State().Challenge
	step := stepAnswer + asked.ID
	if l.Begun(step) {
		return b.readAnswered(ctx, l, asked)
	}
	seen, err := typeAnswer(ctx, l, asked.Kind, answer, step)
	if err != nil {
		return workflows.PageResult{}, err
	}
	return b.reportAnswered(ctx, l, asked, seen)
}

func typeAnswer(ctx context.Context, l *windowLease, kind meterkey.ChallengeKind, answer, step string) (flow.Observation, error) {
	if err := l.Unpark(ctx); err != nil {
		return flow.Observation{}, fmt.Errorf("waking the window: %w", err)
	}
	if kind != meterkey.MethodChoice {
		seen, err := l.run.SubmitCode(ctx, answer, step)
		return seen, wrap("submitting the code", err)
	}
	if err := l.BeginOnce(step); err != nil {
		return flow.Observation{}, fmt.Errorf("noting the choice: %w", err)
	}
	seen, err := l.run.Choose(ctx, answer)
	return seen, wrap("choosing the method", err)
}

// readAnswered is the retry after an interruption: the code was typed, perhaps sent.
func (b *BrowserActivities) readAnswered(ctx context.Context, l *windowLease, asked *meterkey.Challenge) (workflows.PageResult, error) {
	seen, err := l.run.Look(ctx)
	if err != nil {
		return workflows.PageResult{}, fmt.Errorf("looking at what came of the code: %w", err)
	}
	if asked.Kind != meterkey.MethodChoice && (seen.Page == utilities.CodeForm || seen.Page == utilities.QuestionForm) {
		if err := b.park(ctx, l); err != nil {
			return workflows.PageResult{}, err
		}
		// Nobody knows whether it was sent, and a second time is not ours to decide: the customer types it again.
		f := stopped(meterkey.Unreadable)
		at := b.ref(l.Window)
		f.Challenge, f.Window = seen.Challenge, &at
		return f, nil
	}
	return b.reportAnswered(ctx, l, asked, seen)
}

func (b *BrowserActivities) reportAnswered(ctx context.Context, l *windowLease, asked *meterkey.Challenge, seen flow.Observation) (workflows.PageResult, error) {
	if seen.Page == utilities.LoginForm {
		seen.Page = utilities.SessionEnded
	}
	if asked.Kind != meterkey.MethodChoice && asked.Kind == kindOf(seen) && seen.Page != utilities.RejectedCode {
		seen.Page = utilities.RejectedCode // the same form again, without a word: the site did not take it
	}
	return b.report(ctx, l, seen)
}

func kindOf(seen flow.Observation) meterkey.ChallengeKind {
	if seen.Challenge == nil {
		return ""
	}
	return seen.Challenge.Kind
}
