package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
)

type chooseCmd struct {
	ID     string `arg:"" help:"The request's id."`
	Option string `arg:"" optional:"" help:"The option's number or id; without it the options are listed."`
	waiting
}

// Help is the command's longer help.
func (chooseCmd) Help() string {
	return `Lists the ways in which the utility can send its code, with masked targets, and asks for one on a terminal.

  starter choose r-1042
  starter choose r-1042 2
  starter choose r-1042 sms`
}

// Run lists the options or sends the chosen one.
func (c *chooseCmd) Run(ctx context.Context, a *app) error {
	if c.Option == "" && !isTerminal(a.stdin) {
		return c.list(ctx, a)
	}
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, allowed: takesChoice,
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			if err := b.canSeal(); err != nil {
				return s, err
			}
			option, err := c.pick(ctx, a, *s.Challenge)
			if err != nil {
				return s, err
			}
			return b.answered(ctx, func(ctx context.Context) (meterkey.State, error) {
				return b.client.Choose(ctx, c.ID, s.Challenge.ID, option)
			})
		}})
}

func takesChoice(s meterkey.State) error {
	if s.Status == meterkey.AwaitingChoice && s.Challenge != nil {
		return nil
	}
	return notNow(fmt.Sprintf("%s awaits no choice: it stands at %s", s.RequestID, s.Status), next(s))
}

func (c *chooseCmd) list(ctx context.Context, a *app) error {
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	s, err := b.state(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := takesChoice(s); err != nil {
		return err
	}
	if a.json {
		a.out.json(s.Challenge.Options)
		return nil
	}
	for _, line := range choices(*s.Challenge, time.Now()) {
		a.out.linef("%s", line)
	}
	return nil
}

// choices is the question with its options under their numbers.
func choices(c meterkey.Challenge, now time.Time) []string {
	lines := []string{asked(c, now)}
	for i, o := range c.Options {
		lines = append(lines, fmt.Sprintf("  %d  %s", i+1, optionText(o)))
	}
	return lines
}

func (c *chooseCmd) pick(ctx context.Context, a *app, challenge meterkey.Challenge) (id string, err error) {
	if c.Option != "" {
		return pickOption(challenge.Options, c.Option)
	}
	person, ok, err := a.person()
	if err != nil {
		return "", err
	}
	if !ok {
		return "", badInput("no option is named", "starter choose "+c.ID+" OPTION")
	}
	defer func() { err = firstError(err, person.close()) }()
	if err = person.say(choices(challenge, time.Now())...); err != nil {
		return "", err
	}
	answer, err := person.ask(ctx, fmt.Sprintf("Number, 1 to %d:", len(challenge.Options)))
	if err != nil {
		return "", err
	}
	return pickOption(challenge.Options, answer)
}

// pickOption finds an option by its id, or else by its number from 1.
func pickOption(options []meterkey.Option, answer string) (string, error) {
	answer = strings.TrimSpace(answer)
	ids := make([]string, len(options))
	for i, o := range options {
		if o.ID == answer {
			return o.ID, nil
		}
		ids[i] = o.ID
	}
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(options) {
		return options[n-1].ID, nil
	}
	return "", badInput(fmt.Sprintf("there is no option %q", answer), fmt.Sprintf("1 to %d, or %s", len(options), strings.Join(ids, ", ")))
}
