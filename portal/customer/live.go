package customer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/web"
)

// endEvent tells the page that nothing more will come.
const endEvent = "end"

// live streams the page to a browser: now, and each time that it shows something else.
func (v *visit) live() error {
	stream, err := web.NewStream(v.w, v.r)
	if err != nil {
		return nil // the browser has gone
	}
	following, stop := context.WithCancel(v.r.Context())
	defer stop()
	states := v.follow(following)
	ping := time.NewTicker(web.PingEvery)
	defer ping.Stop()
	for shown := ""; err == nil; {
		if shown, err = v.sendPage(stream, shown); err == nil {
			err = v.awaitNews(stream, states, ping.C)
		}
	}
	if !errors.Is(err, errStreamOver) && v.r.Context().Err() == nil {
		v.Log.Warn("stream of a customer's page", zap.String("request_id", v.request.UID), zap.Error(err))
	}
	return nil // an answer was begun, so no other can be given
}

// errStreamOver tells that the browser has all there is.
var errStreamOver = errors.New("nothing more will come")

// sendPage sends the page unless it is shown already, and tells what is shown then. An ended request's page is the last.
func (v *visit) sendPage(stream *web.Stream, shown string) (string, error) {
	name, page, err := v.sight.draw()
	if err != nil {
		return shown, err
	}
	if page.Key != shown {
		err = v.sendFragment(stream, name, page)
	}
	if err == nil && v.sight.State.Status.Terminal() {
		err = end(stream)
	}
	return page.Key, err
}

func (v *visit) sendFragment(stream *web.Stream, name string, page web.Page) error {
	text, err := v.pages.Fragment(name, page)
	if err != nil {
		return err
	}
	return stream.Send(web.Event{Name: "page", ID: page.Key, Data: text})
}

func end(stream *web.Stream) error {
	return errors.Join(errStreamOver, stream.Send(web.Event{Name: endEvent, Data: "nothing more"}))
}

// awaitNews waits until the request has changed, and sees it anew.
func (v *visit) awaitNews(stream *web.Stream, states <-chan meterkey.State, ping <-chan time.Time) error {
	for {
		select {
		case <-v.r.Context().Done():
			return v.r.Context().Err()
		case <-ping:
			if err := stream.Ping(); err != nil {
				return err
			}
		case state, ok := <-states:
			if !ok {
				return end(stream)
			}
			return v.seeNews(stream, state)
		}
	}
}

// seeNews sees a new state. Where the link counts no more, it says so and ends the stream.
func (v *visit) seeNews(stream *web.Stream, state meterkey.State) error {
	ctx := v.r.Context()
	err := v.readRequest(ctx, v.request.UID)
	if err == nil {
		err = v.see(ctx, state)
	}
	v.sight.Behind = false
	if dead := deadLink(err); dead != "" {
		return v.sendDead(stream, dead)
	}
	return err
}

// failLive says on the stream that the link counts no more. After any other error the browser tries again by itself.
func (v *visit) failLive(id string, err error) {
	dead := deadLink(err)
	if dead == "" {
		v.fail(id, err)
		return
	}
	stream, err := web.NewStream(v.w, v.r)
	if err == nil {
		err = v.sendDead(stream, dead)
	}
	if !errors.Is(err, errStreamOver) && v.r.Context().Err() == nil {
		v.Log.Warn("stream of a customer's page", zap.String("request_id", id), zap.Error(err))
	}
}

// sendDead sends the page that says why the link counts no more, the last one.
func (v *visit) sendDead(stream *web.Stream, id string) error {
	page, err := v.problemPage(v.sight.speech, id, "", "Requester", v.sight.Requester)
	if err == nil {
		err = v.sendFragment(stream, "error", page)
	}
	return errors.Join(err, end(stream))
}

// follow gives each new state until ctx ends, or the request cannot be followed any more.
func (v *visit) follow(ctx context.Context) <-chan meterkey.State {
	states := make(chan meterkey.State)
	id, last := v.request.UID, v.sight.State // what the visit sees changes meanwhile
	if v.sight.Behind {
		last = meterkey.State{} // what the workers say is news in any case
	}
	go func() {
		defer close(states)
		for {
			state, err := v.Requests.Wait(ctx, id, func(s meterkey.State) bool { return changed(last, s) })
			if err != nil {
				return
			}
			select {
			case states <- state:
				last = state
			case <-ctx.Done():
				return
			}
		}
	}()
	return states
}
