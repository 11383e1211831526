package main

import (
	"context"
	"fmt"

	"github.com/meterkey/meterkey"
)

type loginCmd struct {
	ID      string `arg:"" help:"The request's id."`
	Utility string `help:"The utility that the login is for, where the request names none: its id or a name of it."`
	waiting
}

// Help is the command's longer help.
func (loginCmd) Help() string {
	return `Asks for the user name and the password of the utility account; the password is not echoed. Where standard input is no
terminal, its first line is the user name and its second the password. They are sealed to the workers' recipient before
they leave this process.

  starter login r-1042
  pass show utility/coned | starter login r-1042 -o json
  starter login r-1042 --no-wait < login.txt
  starter login r-1043 --utility coned         where the request leaves the choice to the customer`
}

// Run asks for the login and sends it.
func (c *loginCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, allowed: takesLogin,
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			if err := b.canSeal(); err != nil {
				return s, err
			}
			var err error
			if s.Utility, err = c.chosen(s); err != nil {
				return s, err
			}
			login, err := a.readLogin(ctx, s)
			if err != nil {
				return s, err
			}
			return b.answered(ctx, func(ctx context.Context) (meterkey.State, error) {
				return b.client.SubmitLoginAt(ctx, c.ID, s.Utility, login)
			})
		}})
}

// chosen is the utility that the login is for.
func (c *loginCmd) chosen(s meterkey.State) (string, error) {
	if c.Utility == "" && s.Utility == "" {
		return "", badInput(c.ID+" names no utility", "say which the login is for: --utility coned; starter utilities lists them")
	}
	if c.Utility == "" {
		return s.Utility, nil
	}
	return utilityID(c.Utility)
}

func takesLogin(s meterkey.State) error {
	if s.Status == meterkey.AwaitingLogin || s.Status == meterkey.AwaitingMFAOff {
		return nil
	}
	return notNow(fmt.Sprintf("%s awaits no login: it stands at %s", s.RequestID, s.Status), next(s))
}

func (a *app) readLogin(ctx context.Context, s meterkey.State) (login meterkey.Credentials, err error) {
	person, ok, err := a.person()
	if err != nil {
		return login, err
	}
	if !ok {
		lines, err := stdinLines(a.stdin, 2, "the user name on one line and the password on the next")
		if err != nil {
			return login, err
		}
		return meterkey.Credentials{Username: lines[0], Password: lines[1]}, nil
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
