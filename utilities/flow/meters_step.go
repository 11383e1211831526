package flow

import (
	"context"
	"slices"
	"time"

	"github.com/meterkey/meterkey/utilities"
)

// find waits until a target of a step shows. Where it need not and does not, it is not found.
func (r *reader) find(ctx context.Context, step utilities.Reading, target utilities.Target) (bool, error) {
	w := r.watch(r.flow.RenderWait)
	for {
		s, err := w.next(ctx)
		if err != nil {
			return false, err
		}
		if r.flow.recognise(s) != utilities.Nag && s.shows(target) {
			return true, nil
		}
		if gone, err := r.missing(ctx, w, step, s); err != nil || gone {
			return false, err
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return false, err
		}
	}
}

// deadEnds are the pages at which there is no reading on.
var deadEnds = []utilities.PageKind{
	utilities.Captcha, utilities.Unavailable, utilities.Locked, utilities.PasswordExpired, utilities.RegistrationUnfinished,
	utilities.RejectedCode, utilities.RejectedLogin, utilities.SessionEnded,
}

// missing decides what a page means that does not show what a step looks for: there is none (errNoAccounts), it need not be there
// (true), it is still on its way (false), or this is another page altogether.
func (r *reader) missing(ctx context.Context, w *watch, step utilities.Reading, s snapshot) (bool, error) {
	kind := r.flow.recognise(s)
	switch {
	case kind == utilities.Nag:
		return false, w.dismiss(ctx, s)
	case r.saysNoAccounts(step, s) && w.quietFor(r.flow.Settle/2): // a page may say so until its list has come
		return false, errNoAccounts
	case slices.Contains(deadEnds, kind) || kind == utilities.LoginForm && w.quiet():
		return false, endedAtLogin(r.stopAt(ctx, kind, false, s))
	case step.Optional && s.loaded && w.quietFor(r.optionalWait(step, s)):
		return true, nil
	case w.over():
		return false, r.stopAt(ctx, w.unknown(s), true, s)
	}
	return false, nil
}

// optionalWait is how long a page must be quiet before something optional is taken to be missing.
func (r *reader) optionalWait(step utilities.Reading, s snapshot) time.Duration {
	if s.shows(step.After) {
		return 2 * pollInterval
	}
	return r.flow.Settle
}

// saysNoAccounts says whether the page tells that there is nothing to read.
func (r *reader) saysNoAccounts(step utilities.Reading, s snapshot) bool {
	holds := func(m utilities.Mark) bool { return s.bears(m) }
	return s.loaded && (slices.ContainsFunc(step.None, holds) || slices.ContainsFunc(r.flow.NoAccounts, holds))
}

// pressStep presses something, or not where it is optional and does not show.
func (r *reader) pressStep(ctx context.Context, step utilities.Reading) error {
	if found, err := r.find(ctx, step, step.Press); err != nil || !found {
		return err
	}
	return r.click(ctx, step.Press)
}

func (r *reader) click(ctx context.Context, target utilities.Target) error {
	if err := r.takeBaseline(ctx); err != nil {
		return err
	}
	if err := r.pressTarget(ctx, target, utilities.SignedIn, utilities.ChoiceForm); err != nil {
		return endedAtLogin(err)
	}
	r.acted = true
	return nil
}
