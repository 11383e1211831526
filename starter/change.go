package main

import (
	"context"
	"fmt"

	"github.com/meterkey/meterkey"
)

type resendCodeCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (resendCodeCmd) Help() string {
	return `Presses the site's own "send again". The earlier code may stop being good.

  starter resend-code r-1042`
}

// Run has the code sent again.
func (c *resendCodeCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting,
		allowed: func(s meterkey.State) error {
			if err := takesCode(s); err != nil {
				return err
			}
			if !s.Challenge.CanResend {
				return notNow("the utility's page does not offer to send the code again", "starter leave "+c.ID+" and sign in again for a new one")
			}
			return nil
		},
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			return s, b.call(ctx, func(ctx context.Context) error { return b.client.ResendCode(ctx, c.ID, s.Challenge.ID) })
		}})
}

type leaveCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (leaveCmd) Help() string {
	return `Tells that the customer left for good while the utility waits for a code. The browser window is freed at once; the
customer may sign in again any time. Closing a page needs no leaving: the code may still be typed while the window lives.

  starter leave r-1042`
}

// Run frees the window.
func (c *leaveCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting,
		allowed: func(s meterkey.State) error {
			if s.Challenge == nil && s.Status != meterkey.SigningIn {
				return notNow(fmt.Sprintf("%s has no window to leave: it stands at %s", s.RequestID, s.Status), next(s))
			}
			return nil
		},
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			return s, b.call(ctx, func(ctx context.Context) error { return b.client.Leave(ctx, c.ID) })
		}})
}

type declineCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (declineCmd) Help() string {
	return `Says no in the customer's name: the request ends, nothing is read, the requester is told.

  starter decline r-1042`
}

// Run declines.
func (c *declineCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, aim: meterkey.Declined,
		allowed: func(s meterkey.State) error {
			if s.Status.Terminal() || s.Status == meterkey.FetchingMeters {
				return notNow(fmt.Sprintf("%s cannot be declined any more: it stands at %s", s.RequestID, s.Status), next(s))
			}
			return nil
		},
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			return s, b.call(ctx, func(ctx context.Context) error { return b.client.Decline(ctx, c.ID) })
		}})
}

type cancelCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (cancelCmd) Help() string {
	return `Calls the request off: an open browser window is closed and the customer is told.

  starter cancel r-1042`
}

// Run cancels.
func (c *cancelCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting, aim: meterkey.Canceled,
		allowed: func(s meterkey.State) error {
			if s.Status.Terminal() {
				return notNow(fmt.Sprintf("%s has ended already: %s", s.RequestID, s.Status), next(s))
			}
			return nil
		},
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			return s, b.call(ctx, func(ctx context.Context) error { return b.client.Cancel(ctx, c.ID) })
		}})
}

type resendCmd struct {
	ID string `arg:"" help:"The request's id."`
	waiting
}

// Help is the command's longer help.
func (resendCmd) Help() string {
	return `Sends the link to sign in again, with seven more days to act. A request that has ended begins anew with what it was
started with.

  starter resend r-1042`
}

// Run resends.
func (c *resendCmd) Run(ctx context.Context, a *app) error {
	return a.do(ctx, act{id: c.ID, waiting: c.waiting,
		allowed: func(meterkey.State) error { return nil },
		send: func(ctx context.Context, b *backend, s meterkey.State) (meterkey.State, error) {
			return s, b.call(ctx, func(ctx context.Context) error {
				r, err := b.client.Request(ctx, c.ID)
				if err != nil {
					return err
				}
				return b.client.Resend(ctx, r)
			})
		},
		settled: func(s meterkey.State) bool { return !s.Status.Terminal() }})
}
