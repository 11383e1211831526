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
	err     error  // what ended the view
}

// sends is something to be sent to the request.
type sends func(context.Context, *sdk.Client) error

// look is one look at the request.
type look struct {
	state meterkey.State
	err   error
}

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
	keys, looks, sent := readKeys(ctx, person.tty), b.looks(ctx, id), make(chan error, 1)
	for {
		var send sends
		select {
		case key := <-keys:
			if key == keyLeave {
				return view.state, leftAlone(id)
			}
			send = view.key(key)
		case l := <-looks:
			view.saw(l)
		case err := <-sent:
			view.sent(err)
		case <-ctx.Done():
			return view.state, ctx.Err()
		}
		if send != nil {
			go func() {
				sent <- b.call(ctx, func(ctx context.Context) error { return b.seal(ctx, send) })
			}()
		}
		if err := screen.draw(view.lines(time.Now())); err != nil || view.ended() {
			return view.state, firstError(view.err, err)
		}
	}
}

// looks looks at the request again and again.
func (b *backend) looks(ctx context.Context, id string) <-chan look {
	looks := make(chan look)
	go func() {
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		for {
			s, err := b.state(ctx, id)
			select {
			case looks <- look{s, err}:
			case <-ctx.Done():
				return
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return looks
}

func (b *backend) seal(ctx context.Context, send sends) error {
	if err := b.canSeal(); err != nil {
		return err
	}
	return send(ctx, b.client)
}

func (l *live) ended() bool { return l.err != nil || l.state.Status.Terminal() }

const noWorker = "no worker answers; the request is safe, waiting for one"

// saw takes in a look. Without a worker there is nothing to see, and nothing lost.
func (l *live) saw(seen look) {
	switch {
	case errors.Is(seen.err, sdk.ErrNoWorker):
		l.note = noWorker
		return
	case seen.err != nil:
		l.err = seen.err
		return
	case l.note == noWorker:
		l.note = ""
	}
	switch {
	case l.state.RequestID == "":
		l.utility = utilityName(seen.state.Utility)
	case changed(l.state, seen.state):
		l.sending, l.note = false, oneLine(ignoredSince(l.state, seen.state))
	}
	l.state = seen.state
	l.form = formFor(seen.state, l.form)
}

// sent takes in what came of sending. What arrived shows in the request's state; until then nothing is typed.
func (l *live) sent(err error) {
	if err != nil {
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
	return l.send(func(ctx context.Context, c *sdk.Client) error {
		return c.SubmitCode(ctx, id, challenge.ID, answer)
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
	return l.send(func(ctx context.Context, c *sdk.Client) error { return c.SubmitLoginAt(ctx, id, utility, login) })
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
