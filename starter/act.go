package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// waiting is how long a command that changed something waits for what comes of it.
type waiting struct {
	Wait   time.Duration `default:"60s" placeholder:"DURATION" help:"How long to wait for what comes of it (${default})."`
	NoWait bool          `help:"Do not wait for what comes of it."`
}

// act is what the commands that change a request have in common.
type act struct {
	id      string
	waiting waiting
	// allowed tells why the request cannot take it now.
	allowed func(meterkey.State) error
	// send sends it; the state is the one that allowed saw, or the one that it led to where that is told at once.
	send func(context.Context, *backend, meterkey.State) (meterkey.State, error)
	// aim is the end that the command is for, so that it is no failure.
	aim meterkey.Status
	// settled tells whether what was sent has come to something; nil means that somebody else has to act now.
	settled func(meterkey.State) bool
}

// do looks whether the request can take it, sends it, waits for what comes of it and prints that.
func (a *app) do(ctx context.Context, act act) error {
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	before, err := b.state(ctx, act.id)
	if err != nil {
		return err
	}
	if err := act.allowed(before); err != nil {
		return err
	}
	after, err := act.send(ctx, b, before)
	kept := errors.Is(err, sdk.ErrNoWorker)
	switch wait := !act.waiting.NoWait && act.waiting.Wait > 0; {
	case err != nil && !kept, kept && !wait:
		return err
	case !wait:
		return a.sent(act.id, before, after)
	}
	return a.conclude(ctx, b, act, before, err)
}

// conclude waits for what comes of it and prints that. Kept is why it is kept for a worker, who may come in time; nil where
// one has it.
func (a *app) conclude(ctx context.Context, b *backend, act act, before meterkey.State, kept error) error {
	after, err := a.outcome(ctx, b, act, before)
	switch {
	case err != nil:
		return err
	case kept != nil && !after.Differs(before):
		return kept
	}
	a.showState(after)
	if why := ignoredSince(before, after); why != "" {
		return notNow(why, next(after))
	}
	if after.Status == act.aim {
		return nil
	}
	return ended(after)
}

// sent says what was sent and, where that is known already, that it was taken and what it led to.
func (a *app) sent(id string, before, after meterkey.State) error {
	taken := after.Differs(before)
	switch {
	case a.json && taken:
		a.out.json(map[string]string{"request_id": id, "status": string(after.Status)})
	case a.json:
		a.out.json(map[string]string{"request_id": id})
	case taken:
		a.out.linef("Taken: %s stands at %s now. Follow it: starter watch %s", id, after.Status, id)
	default:
		a.out.linef("Sent to %s. Follow it: starter watch %s", id, id)
	}
	return nil
}

// outcome waits until the request has moved on and waits for somebody who is not the utility. Running out of time is no
// error: the last state tells.
func (a *app) outcome(ctx context.Context, b *backend, act act, before meterkey.State) (meterkey.State, error) {
	bounded, cancel := context.WithTimeout(ctx, act.waiting.Wait)
	defer cancel()
	began, second := time.Now(), time.NewTicker(time.Second)
	defer second.Stop()
	defer a.progress("", 0)
	seen, last := b.follow(bounded, act.id), followed{state: before}
	for {
		a.progress(last.state.Message, time.Since(began))
		select {
		case <-second.C:
		case next, more := <-seen:
			switch {
			case !more && bounded.Err() != nil && ctx.Err() == nil:
				return b.state(ctx, act.id)
			case !more:
				return last.state, firstError(last.err, ctx.Err())
			case next.err != nil:
				last.err = next.err
			case act.cameToSomething(before, next.state):
				return next.state, nil
			default:
				last = next
			}
		}
	}
}

// cameToSomething tells whether what was sent has come to what act waits for.
func (act act) cameToSomething(before, now meterkey.State) bool {
	settled := now.WaitingOn != meterkey.Utility
	if act.settled != nil {
		settled = act.settled(now)
	}
	return now.Differs(before) && (settled || ignoredSince(before, now) != "")
}

// progress shows on a terminal that something goes on; an empty text clears the line.
func (a *app) progress(text string, since time.Duration) {
	switch {
	case !a.side.tty:
	case text == "":
		a.side.printf("\r\x1b[K")
	default:
		line := oneLine(text) + a.side.in(dim, fmt.Sprintf(" %ds", int(since.Seconds())))
		a.side.printf("\r\x1b[K%s", ansi.Truncate(line, a.side.width()-1, "…"))
	}
}

// ignoredSince says why a signal of the meantime changed nothing; empty if none was ignored.
func ignoredSince(before, after meterkey.State) string {
	if len(after.Ignored) == 0 {
		return ""
	}
	last := after.Ignored[len(after.Ignored)-1]
	if n := len(before.Ignored); n > 0 && !last.At.After(before.Ignored[n-1].At) {
		return ""
	}
	return "ignored " + last.Signal + ": " + last.Why
}
