package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/notices"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/utilities/flow"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// lookEvery is how often a waiting window is looked at. A crashed or closed tab is noticed at once, without it.
	lookEvery = 2 * time.Second
	// answerTime is how long somebody who is at the page may think before the code is asked for by mail.
	answerTime = 20 * time.Second
	// remindAgain is how soon a notice is tried again that the mail server did not take.
	remindAgain = 5 * time.Second
)

// Presence tells whether a customer has a page of the request open.
type Presence interface {
	Present(ctx context.Context, requestID string) (bool, error)
}

// HoldWindow watches a window while the customer is thinking, so that its end is known at once, the end of its time
// included. It returns why the window ended; being canceled, or the worker's stop, leaves the window as it is. If after a
// while nobody has answered and nobody is there, it tells the customer that a code is needed.
func (b *BrowserActivities) HoldWindow(ctx context.Context, in workflows.HoldWindowInput) (workflows.PageResult, error) {
	defer beat(ctx)()
	u, err := b.utility(in.Utility())
	if err != nil {
		return workflows.PageResult{}, err
	}
	origins, err := b.originsFor(in.Request)
	if err != nil {
		return workflows.PageResult{}, err
	}
	w, err := b.Host.Window(ctx, in.Progress.Window.ID)
	if gone(err) {
		return stopped(meterkey.WindowLost), nil
	}
	if err != nil {
		return workflows.PageResult{}, fmt.Errorf("finding the window: %w", err)
	}
	defer w.Claim()()
	run := flow.New(u, w.Page, flow.Options{Origins: origins, Log: b.logger(in.Task)})
	defer run.Close()
	go b.remindOfCode(ctx, in, w)
	reason, err := watch(ctx, w, run)
	if err == nil {
		b.logger(in.Task).Info("window ended", zap.String("window", w.ID()), zap.String("reason", string(reason)), zap.Error(w.Err()))
	}
	return stopped(reason), err
}

// watch returns why the window ended, or ctx's error.
func watch(ctx context.Context, w *browser.Window, run *flow.Run) (meterkey.Reason, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		expiry := time.NewTimer(w.Remaining())
		reason := meterkey.Reason("")
		select {
		case <-ctx.Done():
		case <-w.Done():
			reason = ended(ctx, w)
		case <-expiry.C:
			reason = expired(w)
		case <-ticker.C:
			reason = glance(ctx, w, run)
		}
		expiry.Stop()
		switch {
		case ctx.Err() != nil:
			return "", fmt.Errorf("holding the window: %w", ctx.Err())
		case reason != "":
			return reason, nil
		}
	}
}

// ended tells why a window is gone. One that FetchMeterList has closed is nobody's loss: the request is about to end, and this
// activity with it.
func ended(ctx context.Context, w *browser.Window) meterkey.Reason {
	if w.Begun(stepFinish) {
		<-ctx.Done()
	}
	return meterkey.WindowLost
}

// expired tells that the window's time is over, unless it has been given more meanwhile.
func expired(w *browser.Window) meterkey.Reason {
	if w.Remaining() > 0 {
		return ""
	}
	return meterkey.CodeTimeout
}

// glance looks at the window unless another activity works in it. A look that fails says nothing yet: only the
// window's own check tells whether it is gone.
func glance(ctx context.Context, w *browser.Window, run *flow.Run) meterkey.Reason {
	unlock, free := w.TryLock()
	if !free {
		return ""
	}
	defer unlock()
	page, err := run.Glance(ctx)
	switch {
	case err == nil && page == utilities.SessionEnded:
		return meterkey.SessionEnded
	case err != nil && ctx.Err() == nil && gone(w.Check(ctx)):
		return meterkey.WindowLost
	}
	return ""
}

// remindOfCode tells the customer that a code is needed, unless somebody answers soon or has the page open.
func (b *BrowserActivities) remindOfCode(ctx context.Context, in workflows.HoldWindowInput, w *browser.Window) {
	wait := answerTime - b.Now().Sub(in.State().Since)
	for lasts(ctx, w, wait) && b.isAlone(ctx, in.Task, w) {
		err := b.Notifier.send(ctx, in.Notice)
		if err == nil || errors.Is(err, notices.ErrRefused) {
			return
		}
		b.logger(in.Task).Warn("notice not sent", zap.String("notice", in.Notice.ID), zap.Error(err))
		wait = remindAgain
	}
}

// lasts waits and tells whether the window is still there and held.
func lasts(ctx context.Context, w *browser.Window, wait time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-w.Done():
	case <-time.After(wait):
	}
	return ctx.Err() == nil && w.Err() == nil
}

// isAlone tells whether nobody has answered and, as far as can be known, nobody is there.
func (b *BrowserActivities) isAlone(ctx context.Context, t workflows.Task, w *browser.Window) bool {
	if w.BegunWith(stepAnswer) {
		return false
	}
	present, err := b.Presence.Present(ctx, t.Request.RequestID)
	if err != nil {
		b.logger(t).Warn("nobody knows whether the customer is there", zap.Error(err))
	}
	return !present
}
