package customer

import (
	"context"
	"iter"
	"sync"

	"github.com/meterkey/meterkey"
)

// hub follows each request once, however many of this process's pages show it, and only as long as one does.
type hub struct {
	follow func(ctx context.Context, requestID string) iter.Seq2[meterkey.State, error]
	mu     sync.Mutex
	topics map[string]*topic
}

// topic is one request with those who listen. Each channel holds the newest state that its listener has not taken yet.
type topic struct {
	listeners map[chan meterkey.State]bool
	last      *meterkey.State
	stop      context.CancelFunc
}

func newHub(follow func(context.Context, string) iter.Seq2[meterkey.State, error]) *hub {
	return &hub{follow: follow, topics: map[string]*topic{}}
}

// listen gives the request's state as soon as it is known, and each newer one. The channel is closed when the request can
// be followed no more. Whoever listens has to leave.
func (h *hub) listen(requestID string) (states <-chan meterkey.State, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[requestID]
	if t == nil {
		t = h.begin(requestID)
	}
	listener := make(chan meterkey.State, 1)
	t.listeners[listener] = true
	if t.last != nil {
		listener <- *t.last
	}
	return listener, func() { h.leave(requestID, t, listener) }
}

func (h *hub) begin(requestID string) *topic {
	ctx, stop := context.WithCancel(context.Background())
	t := &topic{listeners: map[chan meterkey.State]bool{}, stop: stop}
	h.topics[requestID] = t
	go func() {
		for state, err := range h.follow(ctx, requestID) {
			if err == nil { // where there is no answer just now, there is no news
				h.publish(t, state)
			}
		}
		h.end(requestID, t)
	}()
	return t
}

func (h *hub) publish(t *topic, state meterkey.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.last = &state
	for listener := range t.listeners {
		select {
		case <-listener: // nobody needs what was not taken in time
		default:
		}
		listener <- state
	}
}

// leave ends the topic with its last listener.
func (h *hub) leave(requestID string, t *topic, listener chan meterkey.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(t.listeners, listener)
	if len(t.listeners) == 0 {
		h.remove(requestID, t)
	}
}

// end tells the listeners of a request that can be followed no more.
func (h *hub) end(requestID string, t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for listener := range t.listeners {
		close(listener)
	}
	t.listeners = nil
	h.remove(requestID, t)
}

// remove makes room for the next topic about the request, unless it is there already.
func (h *hub) remove(requestID string, t *topic) {
	t.stop()
	if h.topics[requestID] == t {
		delete(h.topics, requestID)
	}
}
