package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meterkey/meterkey"
)

type watchCmd struct {
	ID string `arg:"" help:"The request's id."`
}

// Help is the command's longer help.
func (watchCmd) Help() string {
	return `Follows the request to its end. On a terminal the view is live, with the time left counting down, and the login, the
choice or the code can be typed right there. Elsewhere there is a line for each change; with -o json, a JSON document.
Ctrl-C leaves the request alone.

  starter watch r-1042
  starter watch r-1042 -o json | jq -r --unbuffered .status`
}

// Run follows the request.
func (c *watchCmd) Run(ctx context.Context, a *app) error {
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	return a.watch(ctx, b, c.ID)
}

// watch follows a request to its end and prints its meters.
func (a *app) watch(ctx context.Context, b *backend, id string) error {
	if _, err := b.state(ctx, id); err != nil {
		return err
	}
	follow := a.watchLines
	if isTerminal(a.stdin) && a.out.tty && !a.json {
		follow = a.watchLive
	}
	s, err := follow(ctx, b, id)
	if ctx.Err() != nil {
		return leftAlone(id)
	}
	if err != nil {
		return err
	}
	if s.Status == meterkey.Connected && !a.json {
		a.out.linef("")
		return a.showMeters(s.Meters)
	}
	return ended(s)
}

func leftAlone(id string) error {
	return &failure{exitInterrupted, "stopped watching; " + id + " goes on", "starter watch " + id + " follows it again"}
}

// watchLines prints a line for each change.
func (a *app) watchLines(ctx context.Context, b *backend, id string) (meterkey.State, error) {
	var seen meterkey.State
	return b.client.Wait(ctx, id, func(s meterkey.State) bool {
		if seen.RequestID == "" || s.Differs(seen) {
			a.showChange(seen, s)
		}
		seen = s
		return s.Status.Terminal()
	})
}

func (a *app) showChange(before, after meterkey.State) {
	if a.json {
		a.out.json(after)
		return
	}
	now := time.Now()
	for _, m := range momentsSince(before.Timeline, after.Timeline) {
		a.out.linef("%s", moment(a.out, m, now))
	}
	if before.Message != after.Message {
		a.out.linef("          %s", oneLine(after.Message))
	}
	if c := after.Challenge; c != nil && (before.Challenge == nil || before.Challenge.ID != c.ID) {
		a.out.linef("          %s", asked(*c, now))
	}
	if why := ignoredSince(before, after); why != "" {
		a.out.linef("          %s", oneLine(why))
	}
	if after.WaitingOn == meterkey.Customer {
		a.out.linef("          %s", a.out.in(dim, fmt.Sprintf("next: %s", next(after))))
	}
}

// momentsSince is what the timeline gained. A long timeline loses its oldest entries, and a revived request's begins
// anew, so the last entry seen is looked for from the end.
func momentsSince(before, after []meterkey.Moment) []meterkey.Moment {
	if len(before) == 0 {
		return after
	}
	last := before[len(before)-1]
	for i, m := range slices.Backward(after) {
		if m.Status == last.Status && m.Reason == last.Reason && m.At.Equal(last.At) {
			return after[i+1:]
		}
	}
	return after
}
