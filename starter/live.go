package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// live is what `watch` shows on a terminal: a request's last state and what is being typed. It knows neither terminal
// nor clock; what it wants sent it leaves to watchLive.
type live struct {
	p       *printer
	utility string
	state   meterkey.State
	form    *form
	sending bool
	note    string // what went wrong last
	unseen  error  // why the request's state cannot be told now
}

// sends is something to be sent to the request.
type sends func(context.Context, *sdk.Client) error

// redrawEvery keeps the time left counting down.
const redrawEvery = 250 * time.Millisecond

// watchLive shows the view until the request ends or the person leaves.
func (a *app) watchLive(ctx context.Context, b *backend, id string) (s meterkey.State, err error) {
	person, ok, err := a.person()
	if err != nil || !ok {
		return s, errors.Join(err, errNoTerminal)
	}
	defer func() { err = firstError(err, person.close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	view, screen := &live{p: a.out}, &canvas{tty: person.tty}
	defer func() { err = firstError(err, screen.close()) }()
	keys, seen, sent := readKeys(ctx, person.tty), b.follow(ctx, id), make(chan error, 1)
	redraw := time.NewTicker(redrawEvery)
	defer redraw.Stop()
	for {
		var send sends
		select {
		case key := <-keys:
			if key == keyLeave {
				return view.state, leftAlone(id)
			}
			send = view.key(key)
		case s, more := <-seen:
			if !more {
				return view.state, firstError(ctx.Err(), view.unseen)
			}
			view.saw(s)
		case err := <-sent:
			view.sent(err)
		case <-redraw.C:
		}
		if send != nil {
			go func() {
				sent <- b.call(ctx, func(ctx context.Context) error { return b.seal(ctx, send) })
			}()
		}
		if err := screen.draw(view.lines(time.Now())); err != nil || view.ended() {
			return view.state, err
		}
	}
}

func (b *backend) seal(ctx context.Context, send sends) error {
	if err := b.canSeal(); err != nil {
		return err
	}
	return send(ctx, b.client)
}

func (l *live) ended() bool { return l.state.Status.Terminal() }

const (
	noWorker = "no worker answers; the request is safe, waiting for one"
	kept     = "no worker answers; what you typed is kept for the one that comes"
)

// saw takes in where the request stands. Without a worker that cannot be told, and nothing is lost.
func (l *live) saw(seen followed) {
	switch {
	case errors.Is(seen.err, sdk.ErrNoWorker):
		l.unseen, l.note = seen.err, noWorker
		return
	case seen.err != nil:
		l.unseen, l.note = seen.err, oneLine(seen.err.Error())
		return
	case l.unseen != nil:
		l.unseen, l.note = nil, ""
	}
	switch {
	case l.state.RequestID == "":
		l.utility = utilityName(seen.state.Utility)
	case seen.state.Differs(l.state):
		l.sending, l.note = false, oneLine(ignoredSince(l.state, seen.state))
	}
	l.state = seen.state
	l.form = formFor(seen.state, l.form)
}

// sent takes in what came of sending. What arrived, or is kept, shows in the request's state; until then nothing is typed.
func (l *live) sent(err error) {
	switch {
	case errors.Is(err, sdk.ErrNoWorker):
		l.note = kept
	case err != nil:
		l.sending, l.note, l.form = false, oneLine(err.Error()), newForm(l.state)
	}
}

// key takes in a key and returns what is to be sent, if anything.
func (l *live) key(key rune) sends {
	switch {
	case l.sending:
		return nil
	case key == keyResend && l.canResend():
		id, challenge := l.state.RequestID, l.state.Challenge.ID
		return l.send(func(ctx context.Context, c *sdk.Client) error { return c.ResendCode(ctx, id, challenge) })
	case l.form == nil:
		return nil
	case key == keyEnter && l.form.enter():
		return l.submit()
	}
	l.form.key(key)
	return nil
}

func (l *live) canResend() bool {
	return takesCode(l.state) == nil && l.state.Challenge.CanResend && !l.sending
}

func (l *live) send(s sends) sends {
	l.sending, l.note = true, ""
	return s
}

// submit makes of what was typed what is to be sent.
func (l *live) submit() sends {
	id, values, challenge := l.state.RequestID, l.form.values(), l.state.Challenge
	if challenge == nil {
		return l.submitLogin(values)
	}
	answer := strings.TrimSpace(values[0])
	if challenge.Kind == meterkey.MethodChoice {
		option, err := pickOption(challenge.Options, answer)
		if err != nil {
			l.note, l.form = err.Error(), newForm(l.state)
			return nil
		}
		answer = option
	}
	return l.send(func(ctx context.Context, c *sdk.Client) (err error) {
		if challenge.Kind == meterkey.MethodChoice {
			_, err = c.Choose(ctx, id, challenge.ID, answer)
			return err
		}
		_, err = c.SubmitCode(ctx, id, challenge.ID, answer)
		return err
	})
}

// submitLogin makes of user name and password, and of the utility before them where the customer chooses it, what is to be
// sent.
func (l *live) submitLogin(values []string) sends {
	id, utility := l.state.RequestID, l.state.Utility
	if utility == "" {
		var err error
		if utility, err = utilityID(strings.TrimSpace(values[0])); err != nil {
			l.note, l.form = err.Error(), newForm(l.state)
			return nil
		}
		values = values[1:]
	}
	login := meterkey.Credentials{Username: values[0], Password: values[1]}
	return l.send(func(ctx context.Context, c *sdk.Client) error {
		_, err := c.SubmitLoginAt(ctx, id, utility, login)
		return err
	})
}

// lines draws the view.
func (l *live) lines(now time.Time) []string {
	if l.state.RequestID == "" {
		return []string{"Looking at the request… " + l.note}
	}
	lines := []string{l.p.in(bold, l.state.RequestID) + "  " + l.utility + "  for " + oneLine(l.state.Requester), ""}
	for _, m := range l.state.Timeline {
		lines = append(lines, "  "+moment(l.p, m, now))
	}
	lines = append(lines, "", oneLine(l.state.Message)+l.countdown(now))
	if l.form != nil && l.state.Challenge != nil {
		lines = append(lines, choices(*l.state.Challenge, now)...)
	}
	return append(lines, l.foot()...)
}

func (l *live) countdown(now time.Time) string {
	if l.state.Until == nil || l.state.Status.Terminal() {
		return ""
	}
	return l.p.in(yellow, "  "+left(*l.state.Until, now)+" left")
}

// foot is the form, what went wrong and the keys there are.
func (l *live) foot() []string {
	var lines []string
	switch {
	case l.state.Status.Terminal():
		return nil
	case l.sending:
		lines = append(lines, l.p.in(dim, "sealing and sending…"))
	case l.form != nil:
		lines = append(lines, l.form.lines(l.p)...)
	}
	if l.note != "" {
		lines = append(lines, l.p.in(red, l.note))
	}
	keys := "Ctrl-C leaves the request alone"
	if l.canResend() {
		keys = "Ctrl-R sends the code again · " + keys
	}
	return append(lines, "", l.p.in(dim, keys))
}
