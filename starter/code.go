package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
)

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
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			if err := b.canSeal(); err != nil {
				return s, err
			}
			code, err := a.readCode(ctx, *s.Challenge)
			if err != nil {
				return s, err
			}
			return b.answered(ctx, func(ctx context.Context) (meterkey.State, error) {
				return b.client.SubmitCode(ctx, c.ID, s.Challenge.ID, code)
			})
		}})
}

func takesCode(s meterkey.State) error {
	switch {
	case s.Status == meterkey.AwaitingCode && s.Challenge != nil:
		return nil
	case s.Status == meterkey.AwaitingChoice:
		return notNow(s.RequestID+" awaits a choice, not a code", next(s))
	default:
		return notNow(fmt.Sprintf("%s awaits no code: it stands at %s", s.RequestID, s.Status), next(s))
	}
}

func (a *app) readCode(ctx context.Context, c meterkey.Challenge) (code string, err error) {
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

func codePrompt(c meterkey.Challenge) string {
	switch {
	case c.Kind == meterkey.SecurityAnswer:
		return "Answer (not shown):"
	case c.Digits > 0:
		return fmt.Sprintf("Code of %d digits (not shown):", c.Digits)
	default:
		return "Code (not shown):"
	}
}

// unasked stands in where a site shows no question of its own.
var unasked = map[meterkey.ChallengeKind]string{
	meterkey.NumberCode:     "Your utility sent a code",
	meterkey.SecurityAnswer: "Your utility asks your security question",
	meterkey.MethodChoice:   "How should your utility send its code?",
}

// asked is what the utility asks, with where the code went and how long and how often it may be answered.
func asked(c meterkey.Challenge, now time.Time) string {
	parts := []string{cmp.Or(oneLine(c.Prompt), unasked[c.Kind])}
	if c.SentTo != "" {
		parts = append(parts, "sent to "+oneLine(c.SentTo))
	}
	parts = append(parts, left(c.ExpiresAt, now)+" left")
	if c.Kind != meterkey.MethodChoice {
		tries := fmt.Sprintf("%d tries left", c.TriesLeft)
		if c.TriesLeft == 1 {
			tries = "1 try left"
		}
		parts = append(parts, tries)
	}
	return strings.Join(parts, " · ")
}
