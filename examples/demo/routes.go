package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// errUnexpected tells that something went another way than the route says.
var errUnexpected = errors.New("not as expected")

// route is one row of the demonstration.
type route struct {
	name    string
	utility string
	account string                                        // what kind of practice account
	ask     func(context.Context, *devenv.Customer) error // how the request is sent; by the Go client unless given
	play    func(context.Context, *devenv.Customer) (meterkey.State, error)
	// logins and codes are what the practice site's ledger must count in the end.
	logins, codes int
	alone         bool // runs after all others: it disturbs the worker
}

func routes(v *visitor) []route {
	all := []route{
		{name: "CONED, by API and the customer's pages", utility: "CONED", account: "code", ask: v.ask, play: v.walk, logins: 1, codes: 1},
		{name: "CONED, number code", utility: "CONED", account: "code", play: code, logins: 1, codes: 1},
		{name: "CONED, security answer", utility: "CONED", account: "question", play: code, logins: 1, codes: 1},
		{name: "EVERSOURCE, number code", utility: "EVERSOURCE", account: "code", play: code, logins: 1, codes: 1},
		{name: "PSEG, choice of method, number code", utility: "PSEG", account: "choice", play: choice, logins: 1, codes: 1},
		{name: "SDGE, number code", utility: "SDGE", account: "code", play: code, logins: 1, codes: 1},
	}
	for _, utility := range []string{"ACE", "BGE", "COMED", "HECO", "PEPCO", "PECO", "SCE"} {
		all = append(all, route{name: utility + ", MFA turned off and back", utility: utility, account: "code", play: turnOff, logins: 2})
	}
	return append(all,
		route{name: "DEMO, no code asked", utility: "DEMO", account: "plain", play: plain, logins: 1},
		route{name: "CONED, page closed, customer returns", utility: "CONED", account: "code", play: leaveAndReturn, logins: 2, codes: 1},
		route{name: "SDGE, wrong code, then the right one", utility: "SDGE", account: "code", play: wrongCode, logins: 1, codes: 2},
		route{name: "DEMO, site down for a while", utility: "DEMO", account: "plain", play: siteDown, logins: 1},
		route{name: "CONED, worker killed while waiting", utility: "CONED", account: "code", play: killedWorker, logins: 1, codes: 1, alone: true},
	)
}

// plain is the way of a customer without a second factor.
func plain(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	return c.Connected(c.SignIn(ctx, meterkey.Connected))
}

// code is the usual way: sign in, read the code (or know the answer), type it.
func code(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingCode)
	if err != nil {
		return s, err
	}
	return typeCode(ctx, c, s)
}

func typeCode(ctx context.Context, c *devenv.Customer, s meterkey.State) (meterkey.State, error) {
	text, _, err := c.ReadCode(ctx, 0)
	if err != nil {
		return s, err
	}
	c.Say("types the code")
	return c.Connected(c.Answer(ctx, s.Challenge, text, meterkey.Connected))
}

func choice(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingChoice)
	if err != nil {
		return s, err
	}
	if len(s.Challenge.Options) < 2 {
		return s, fmt.Errorf("%w: %d methods to choose from", errUnexpected, len(s.Challenge.Options))
	}
	c.Say("chooses %s", s.Challenge.Options[0].Text())
	s, err = c.Answer(ctx, s.Challenge, s.Challenge.Options[0].ID, meterkey.AwaitingCode)
	if err != nil {
		return s, err
	}
	return typeCode(ctx, c, s)
}

// turnOff is the way of a utility whose MFA is not supported.
func turnOff(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingMFAOff)
	if err != nil {
		return s, err
	}
	c.Say("is told to turn MFA off after %.1f s", time.Since(c.Acted).Seconds())
	if err := c.TurnMFAOff(ctx); err != nil {
		return s, err
	}
	return c.Connected(c.SignIn(ctx, meterkey.Connected))
}

func leaveAndReturn(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingCode)
	if err != nil {
		return s, err
	}
	_, old, err := c.ReadCode(ctx, 0)
	if err != nil {
		return s, err
	}
	c.Say("closes the page for good")
	if err := c.Client.Leave(ctx, c.ID); err != nil {
		return s, err
	}
	s, err = c.Await(ctx, meterkey.AwaitingLogin)
	if err := because(s, err, meterkey.WindowClosed); err != nil {
		return s, err
	}
	c.Say("comes back to the same link")
	if s, err = c.SignIn(ctx, meterkey.AwaitingCode); err != nil {
		return s, err
	}
	text, _, err := c.ReadCode(ctx, old)
	if err != nil {
		return s, err
	}
	return c.Connected(c.Answer(ctx, s.Challenge, text, meterkey.Connected))
}

func wrongCode(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingCode)
	if err != nil {
		return s, err
	}
	text, _, err := c.ReadCode(ctx, 0)
	if err != nil {
		return s, err
	}
	c.Say("types a wrong code")
	s, err = c.Answer(ctx, s.Challenge, anotherThan(text), meterkey.AwaitingCode)
	if err := because(s, err, meterkey.CodeRejected); err != nil {
		return s, err
	}
	c.Say("is told at once, has %d tries left, and types the right one", s.Challenge.TriesLeft)
	return c.Connected(c.Answer(ctx, s.Challenge, text, meterkey.Connected))
}

// because tells whether the request stands where it does for this reason.
func because(s meterkey.State, err error, reason meterkey.Reason) error {
	if err == nil && s.Reason != reason {
		return fmt.Errorf("%w: it stands at %s for %q, not for %q", errUnexpected, s.Status, s.Reason, reason)
	}
	return err
}

// anotherThan is a code of the same length that is wrong.
func anotherThan(code string) string {
	wrong := []byte(code)
	wrong[len(wrong)-1] = '0' + (wrong[len(wrong)-1]-'0'+1)%10
	return string(wrong)
}

// outage is long enough for two tries.
const outage = 8

func siteDown(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	c.Say("the site is down for %d s", outage)
	if err := c.Post(ctx, "/outage/"+c.Utility, map[string]int{"seconds": outage}); err != nil {
		return meterkey.State{}, err
	}
	c.Acted = time.Now()
	if err := c.SubmitLogin(ctx); err != nil {
		return meterkey.State{}, err
	}
	s, err := c.Client.Wait(ctx, c.ID, func(s meterkey.State) bool {
		return s.Reason == meterkey.UtilityUnavailable || s.Status.Terminal()
	})
	if err := because(s, err, meterkey.UtilityUnavailable); err != nil {
		return s, err
	}
	c.Say("is told: %s", s.Message)
	return c.Connected(c.Await(ctx, meterkey.Connected))
}

func killedWorker(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	s, err := c.SignIn(ctx, meterkey.AwaitingCode)
	if err != nil {
		return s, err
	}
	c.Say("the worker is killed with kill -9, and another one starts")
	if err := c.Environment.ReplaceWorker(ctx, "a"); err != nil {
		return s, err
	}
	return typeCode(ctx, c, s)
}
