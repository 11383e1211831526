package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meterkey/meterkey/workflows"
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
	allowed func(workflows.State) error
	// send sends it; the state is the one that allowed saw.
	send func(context.Context, *backend, workflows.State) error
	// aim is the end that the command is for, so that it is no failure.
	aim workflows.Status
	// settled tells whether what was sent has come to something; nil means that somebody else has to act now.
	settled func(workflows.State) bool
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
	if err := act.send(ctx, b, before); err != nil {
		return err
	}
	if act.waiting.NoWait || act.waiting.Wait <= 0 {
		return a.sent(act.id)
	}
	after, err := a.outcome(ctx, b, act, before)
	if err != nil {
		return err
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

func (a *app) sent(id string) error {
	if a.json {
		a.out.json(map[string]string{"request_id": id})
		return nil
	}
	a.out.linef("Sent to %s. Follow it: starter watch %s", id, id)
	return nil
}

// outcome waits until the request has moved on and waits for somebody who is not the utility.
func (a *app) outcome(ctx context.Context, b *backend, act act, before workflows.State) (workflows.State, error) {
	settled := act.settled
	if settled == nil {
		settled = func(s workflows.State) bool { return s.WaitingOn != workflows.Utility }
	}
	began := time.Now()
	after, err := b.wait(ctx, act.id, act.waiting.Wait, func(s workflows.State) bool {
		a.progress(s.Message, time.Since(began))
		return changed(before, s) && (settled(s) || ignoredSince(before, s) != "")
	})
	a.progress("", 0)
	return after, err
}

// progress shows on a terminal that something goes on; an empty text clears the line.
func (a *app) progress(text string, since time.Duration) {
	switch {
	case !a.side.tty:
	case text == "":
		a.side.printf("\r\x1b[K")
	default:
		a.side.printf("\r\x1b[K%s %s", oneLine(text), a.side.in(dim, fmt.Sprintf("%ds", int(since.Seconds()))))
	}
}

// changed tells two states apart. A revived request counts its versions from the start again.
func changed(before, after workflows.State) bool {
	return before.Version != after.Version || !before.Since.Equal(after.Since)
}

// ignoredSince says why a signal of the meantime changed nothing; empty if none was ignored.
func ignoredSince(before, after workflows.State) string {
	if len(after.Ignored) == 0 {
		return ""
	}
	last := after.Ignored[len(after.Ignored)-1]
	if n := len(before.Ignored); n > 0 && !last.At.After(before.Ignored[n-1].At) {
		return ""
	}
	return "ignored " + last.Signal + ": " + last.Why
}

type loginCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (loginCmd) Help() string {
	return `Asks for the user name and the password of the utility account; the password is not echoed. Where standard input is no
terminal, its first line is the user name and its second the password. They are sealed to the workers' recipient before
they leave this process.

  starter login r-1042
  pass show utility/coned | starter login r-1042 -o json
  starter login r-1042 --no-wait < login.txt`
}

// Run asks for the login and sends it.
func (c *loginCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, allowed: takesLogin,
		send: func(ctx context.Context, b *backend, s workflows.State) error {
			if err := b.canSeal(); err != nil {
				return err
			}
			login, err := a.readLogin(ctx, s)
			if err != nil {
				return err
			}
			return b.call(ctx, func(ctx context.Context) error { return b.client.SubmitLogin(ctx, c.ID, login) })
		}})
}

func takesLogin(s workflows.State) error {
	if s.Status == workflows.AwaitingLogin || s.Status == workflows.AwaitingMFAOff {
		return nil
	}
	return notNow(fmt.Sprintf("%s awaits no login: it stands at %s", s.RequestID, s.Status), next(s))
}

func (a *app) readLogin(ctx context.Context, s workflows.State) (login workflows.Credentials, err error) {
	person, ok, err := a.person()
	if err != nil {
		return login, err
	}
	if !ok {
		lines, err := stdinLines(a.stdin, 2, "the user name on one line and the password on the next")
		if err != nil {
			return login, err
		}
		return workflows.Credentials{Username: lines[0], Password: lines[1]}, nil
	}
	defer func() { err = firstError(err, person.close()) }()
	if err = person.say("Login at " + utilityName(s.Utility) + " for " + oneLine(s.Requester) + ". It is sealed before it leaves this machine."); err != nil {
		return login, err
	}
	if login.Username, err = person.ask(ctx, "User name:"); err != nil {
		return login, err
	}
	login.Password, err = person.askHidden(ctx, "Password (not shown):")
	return login, err
}

func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

type codeCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (codeCmd) Help() string {
	return `Shows what the utility asks for, where it sent the code, and the time and tries left; then asks for the code or the
security answer, which is not echoed. Where standard input is no terminal, its only line is the answer.

  starter code r-1042
  echo "$READ_FROM_PHONE" | starter code r-1042 -o json`
}

// Run asks for the code and sends it.
func (c *codeCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, allowed: takesCode,
		send: func(ctx context.Context, b *backend, s workflows.State) error {
			if err := b.canSeal(); err != nil {
				return err
			}
			code, err := a.readCode(ctx, *s.Challenge)
			if err != nil {
				return err
			}
			return b.call(ctx, func(ctx context.Context) error { return b.client.SubmitCode(ctx, c.ID, s.Challenge.ID, code) })
		}})
}

func takesCode(s workflows.State) error {
	switch {
	case s.Status == workflows.AwaitingCode && s.Challenge != nil:
		return nil
	case s.Status == workflows.AwaitingChoice:
		return notNow(s.RequestID+" awaits a choice, not a code", next(s))
	default:
		return notNow(fmt.Sprintf("%s awaits no code: it stands at %s", s.RequestID, s.Status), next(s))
	}
}

func (a *app) readCode(ctx context.Context, c workflows.Challenge) (code string, err error) {
	person, ok, err := a.person()
	if err != nil {
		return "", err
	}
	if !ok {
		lines, err := stdinLines(a.stdin, 1, "the code on one line")
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(lines[0]), nil
	}
	defer func() { err = firstError(err, person.close()) }()
	if err = person.say(asked(c, time.Now())); err != nil {
		return "", err
	}
	code, err = person.askHidden(ctx, codePrompt(c))
	return strings.TrimSpace(code), err
}

func codePrompt(c workflows.Challenge) string {
	switch {
	case c.Kind == workflows.SecurityAnswer:
		return "Answer (not shown):"
	case c.Digits > 0:
		return fmt.Sprintf("Code of %d digits (not shown):", c.Digits)
	default:
		return "Code (not shown):"
	}
}

// asked is what the utility asks, with where the code went and how long and how often it may be answered.
func asked(c workflows.Challenge, now time.Time) string {
	parts := []string{oneLine(c.Prompt)}
	if c.SentTo != "" {
		parts = append(parts, "sent to "+oneLine(c.SentTo))
	}
	parts = append(parts, left(c.ExpiresAt, now)+" left")
	if c.Kind != workflows.MethodChoice {
		tries := fmt.Sprintf("%d tries left", c.TriesLeft)
		if c.TriesLeft == 1 {
			tries = "1 try left"
		}
		parts = append(parts, tries)
	}
	return strings.Join(parts, " · ")
}

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
	if _, person := isTerminal(a.stdin); c.Option == "" && !person {
		return c.list(ctx, a)
	}
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, allowed: takesChoice,
		send: func(ctx context.Context, b *backend, s workflows.State) error {
			if err := b.canSeal(); err != nil {
				return err
			}
			option, err := c.pick(ctx, a, *s.Challenge)
			if err != nil {
				return err
			}
			return b.call(ctx, func(ctx context.Context) error { return b.client.SubmitCode(ctx, c.ID, s.Challenge.ID, option) })
		}})
}

func takesChoice(s workflows.State) error {
	if s.Status == workflows.AwaitingChoice && s.Challenge != nil {
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
func choices(c workflows.Challenge, now time.Time) []string {
	lines := []string{asked(c, now)}
	for i, o := range c.Options {
		lines = append(lines, fmt.Sprintf("  %d  %s", i+1, optionText(o)))
	}
	return lines
}

func (c *chooseCmd) pick(ctx context.Context, a *app, challenge workflows.Challenge) (id string, err error) {
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
func pickOption(options []workflows.Option, answer string) (string, error) {
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
