package flow

import (
	"context"
	"fmt"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// backAtLogin: a login form after a challenge means that the site ended the session.
func backAtLogin(more whenQuiet) whenQuiet {
	if more.fresh == nil {
		more.fresh = meanings{}
	}
	more.fresh[utilities.LoginForm] = utilities.SessionEnded
	return more
}

// Choose picks one of a choice form's options and returns what follows; or ErrNotOffered.
func (r *Run) Choose(ctx context.Context, optionID string) (Observation, error) {
	r.fromStart, r.excluded = nil, []utilities.PageKind{utilities.RejectedLogin, utilities.RejectedCode}
	if err := r.choose(ctx, optionID); err != nil {
		return stoppedAt(err)
	}
	r.log.Info("option chosen")
	return r.await(ctx, r.flow.RenderWait, backAtLogin(whenQuiet{}))
}

func (r *Run) choose(ctx context.Context, optionID string) error {
	options, err := r.options(ctx)
	if err != nil {
		return err
	}
	at, ok := options.locate(optionID)
	if !ok {
		return fmt.Errorf("option %q: %w", optionID, ErrNotOffered)
	}
	if err := r.takeBaseline(ctx); err != nil {
		return err
	}
	if err := r.press(ctx, at); err != nil {
		return r.wrap("choosing an option", err)
	}
	return r.pressTarget(ctx, r.flow.Choice.Submit, utilities.ChoiceForm)
}

// options reads the ways by which the site can send its code.
func (r *Run) options(ctx context.Context) (optionList, error) {
	choice := r.flow.Choice
	if choice == nil {
		return nil, ErrNotOffered
	}
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	at, ok := s.locate(choice.Options)
	if !ok {
		return nil, nil
	}
	list, err := r.readOptions(ctx, at, choice.Options, choice.Targets)
	return list, r.wrap("reading the options", err)
}

// SubmitCode types a code or a security answer, after calling BeginOnce with the given step, and returns what follows. It is typed
// at most once; a form that comes back without a known message means that the site did not take it.
func (r *Run) SubmitCode(ctx context.Context, code, step string) (Observation, error) {
	defer r.hiding(code)()
	r.fromStart, r.excluded = nil, []utilities.PageKind{utilities.RejectedLogin}
	form, err := r.submitCode(ctx, code, step)
	if err != nil {
		return stoppedAt(err)
	}
	r.log.Info("code submitted", zap.String("step", step))
	return r.await(ctx, r.flow.RenderWait, backAtLogin(whenQuiet{
		fresh: meanings{form: utilities.RejectedCode},
		stale: meanings{utilities.RejectedCode: utilities.RejectedCode},
		late:  meanings{form: utilities.RejectedCode},
	}))
}

// submitCode returns the form that was filled in.
func (r *Run) submitCode(ctx context.Context, code, step string) (utilities.PageKind, error) {
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return "", err
	}
	form, entry := r.flow.entry(s)
	if entry == nil {
		return "", fmt.Errorf("typing a code: the file of %s says nothing of one", r.utility.ID)
	}
	at, err := r.reachEntry(ctx, entry)
	if err != nil {
		return "", err
	}
	if err := r.takeBaseline(ctx); err != nil {
		return "", err
	}
	if err := r.beginOnce(step); err != nil {
		return "", fmt.Errorf("before typing the code: %w", err)
	}
	if err := r.typeText(ctx, at, code); err != nil {
		return "", r.wrap("typing the code", err)
	}
	return form, r.pressTarget(ctx, entry.Submit, utilities.CodeForm, utilities.QuestionForm)
}

// reachEntry waits for the field. A message above it is no reason not to type; a login form means that the session has ended.
func (r *Run) reachEntry(ctx context.Context, entry *utilities.Entry) (location, error) {
	r.baseline = baseline{}
	at, err := r.reach(ctx, entry.Field, utilities.CodeForm, utilities.QuestionForm, utilities.RejectedCode)
	return at, endedAtLogin(err)
}

// ResendCode presses what the site offers to have its code sent again, and returns what follows, usually the same form; or
// ErrNotOffered.
func (r *Run) ResendCode(ctx context.Context) (Observation, error) {
	r.fromStart, r.excluded = nil, []utilities.PageKind{utilities.RejectedLogin, utilities.RejectedCode}
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return Observation{}, err
	}
	form, entry := r.flow.entry(s)
	at, offered := s.resend(entry)
	if !offered {
		return Observation{}, ErrNotOffered
	}
	if err := r.takeBaseline(ctx); err != nil {
		return Observation{}, err
	}
	if err := r.press(ctx, at); err != nil {
		return Observation{}, r.wrap("having the code sent again", err)
	}
	r.log.Info("asked the site to send the code again")
	return r.await(ctx, r.flow.RenderWait, backAtLogin(whenQuiet{stale: meanings{form: form}}))
}

// resend is where the page offers to send the code again.
func (s snapshot) resend(entry *utilities.Entry) (location, bool) {
	if entry == nil {
		return location{}, false
	}
	at, ok := s.locate(entry.SendAgain)
	return at, ok && at.Enabled
}

// challenge reads what a form asks, or nil for a page that asks nothing.
func (r *Run) challenge(ctx context.Context, kind utilities.PageKind, s snapshot) (*meterkey.Challenge, error) {
	switch kind {
	case utilities.ChoiceForm:
		options, err := r.options(ctx)
		if err != nil {
			return nil, err
		}
		return &meterkey.Challenge{Kind: meterkey.MethodChoice, Options: options.forCustomer()}, nil
	case utilities.CodeForm, utilities.QuestionForm, utilities.RejectedCode:
		return r.entryChallenge(ctx, kind, s)
	}
	return nil, nil
}

func (r *Run) entryChallenge(ctx context.Context, kind utilities.PageKind, s snapshot) (*meterkey.Challenge, error) {
	form, entry := r.flow.entry(s)
	if kind == utilities.QuestionForm {
		form, entry = utilities.QuestionForm, r.flow.Question
	}
	if entry == nil {
		return nil, nil
	}
	c := &meterkey.Challenge{Kind: meterkey.NumberCode, Digits: entry.Digits, TriesLeft: entry.Tries}
	if form == utilities.QuestionForm {
		c.Kind, c.Digits = meterkey.SecurityAnswer, 0
	}
	_, c.CanResend = s.resend(entry)
	prompt, err := r.promptOf(ctx, entry, s)
	if err != nil {
		return nil, err
	}
	sentTo, err := r.textOf(ctx, "text", entry.SentTo, s)
	if err != nil {
		return nil, err
	}
	around, err := r.textOf(ctx, "around", entry.Field, s)
	c.Prompt, c.SentTo = maskContacts(prompt), maskedContact(sentTo, prompt, around)
	return c, err
}

// promptOf reads what the site says to type: from its answer, from where the file says, or from what goes with the field.
func (r *Run) promptOf(ctx context.Context, entry *utilities.Entry, s snapshot) (string, error) {
	if from := entry.PromptFrom; from != nil {
		for _, answer := range s.answers {
			if text := gjson.Get(answer.body, from.Path).String(); answer.name == from.Name && text != "" {
				return text, nil
			}
		}
	}
	if text, err := r.textOf(ctx, "text", entry.Prompt, s); err != nil || text != "" {
		return text, err
	}
	return r.textOf(ctx, "prompt", entry.Field, s)
}

// textOf reads a target's own text, the text around it or the prompt that goes with it; "" when the target does not show.
func (r *Run) textOf(ctx context.Context, what string, target utilities.Target, s snapshot) (string, error) {
	at, ok := s.locate(target)
	if !ok {
		return "", nil
	}
	var text string
	err := r.evaluate(ctx, at.Frames, map[string]any{"do": what, "target": selectors(target)}, &text)
	if err != nil && isTransient(err) {
		return "", nil // the text went with its page; what follows is looked at next
	}
	return text, r.wrap("reading the page", err)
}
