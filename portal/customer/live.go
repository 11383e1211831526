package customer

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/web"
)

// endEvent tells the page that nothing more will come.
const endEvent = "end"

// live streams the page to a browser: now, and each time that it shows something else.
func (p *pageRequest) live() error {
	stream, err := web.NewStream(p.w, p.r)
	if err != nil {
		return nil // the browser has gone
	}
	states, leave := p.hub.listen(p.request.UID)
	defer leave()
	ping := time.NewTicker(web.PingEvery)
	defer ping.Stop()
	for shown := ""; err == nil; {
		if err = p.awaitState(stream, states, ping.C); err == nil {
			shown, err = p.sendPage(stream, shown)
		}
	}
	p.noteStreamEnd(err)
	return nil // an answer was begun, so no other can be given
}

// noteStreamEnd notes why a stream ended, unless that is how it was to end.
func (p *pageRequest) noteStreamEnd(err error) {
	if !errors.Is(err, errStreamOver) && p.r.Context().Err() == nil {
		p.Log.Warn("stream of a customer's page", zap.String("request_id", p.request.UID), zap.Error(err))
	}
}

// errStreamOver tells that the browser has all there is.
var errStreamOver = errors.New("nothing more will come")

// sendPage sends the page unless it is shown already, and tells what is shown then. An ended request's page is the last.
func (p *pageRequest) sendPage(stream *web.Stream, shown string) (string, error) {
	name, page, err := p.model.draw()
	if err != nil {
		return shown, err
	}
	if page.Key != shown {
		err = p.sendFragment(stream, name, page)
	}
	if err == nil && p.model.State.Status.Terminal() {
		err = end(stream)
	}
	return page.Key, err
}

func (p *pageRequest) sendFragment(stream *web.Stream, name string, page web.Page) error {
	text, err := p.pages.Fragment(name, page)
	if err != nil {
		return err
	}
	return stream.Send(web.Event{Name: "page", ID: page.Key, Data: text})
}

func end(stream *web.Stream) error {
	return errors.Join(errStreamOver, stream.Send(web.Event{Name: endEvent, Data: "nothing more"}))
}

// awaitState waits until there is another state to show.
func (p *pageRequest) awaitState(stream *web.Stream, states <-chan meterkey.State, ping <-chan time.Time) error {
	for {
		select {
		case <-p.r.Context().Done():
			return p.r.Context().Err()
		case <-ping:
			if err := stream.Ping(); err != nil {
				return err
			}
		case state, ok := <-states:
			return p.showState(stream, state, ok)
		}
	}
}

// showState makes the page show another state; followed is false where none comes any more, since the request's run was
// deleted. Where the link counts no more, it says so and ends the stream.
func (p *pageRequest) showState(stream *web.Stream, state meterkey.State, followed bool) error {
	ctx := p.r.Context()
	err := p.loadRequest(ctx)
	switch {
	case err != nil:
	case !followed || state.Reason == meterkey.Terminated:
		err = p.loadState(ctx)
	default:
		p.model.Behind = false
		err = p.setState(ctx, state)
	}
	switch dead := deadLink(err); {
	case dead != "":
		return p.sendDead(stream, dead)
	case err == nil && !followed && !p.model.State.Status.Terminal():
		return end(stream) // the browser comes back by itself
	}
	return err
}

// failLive says on the stream that the link counts no more. After any other error the browser tries again by itself.
func (p *pageRequest) failLive(err error) {
	dead := deadLink(err)
	if dead == "" {
		p.fail(err)
		return
	}
	stream, err := web.NewStream(p.w, p.r)
	if err == nil {
		err = p.sendDead(stream, dead)
	}
	p.noteStreamEnd(err)
}

// sendDead sends the page that says why the link counts no more, the last one.
func (p *pageRequest) sendDead(stream *web.Stream, id string) error {
	page, err := p.problemPage(p.model.localizer, id, "", "Requester", p.model.Requester)
	if err == nil {
		err = p.sendFragment(stream, "error", page)
	}
	return errors.Join(err, end(stream))
}
