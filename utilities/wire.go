package utilities

import (
	"context"
	"sync"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/tidwall/gjson"
)

const bodyWait = 10 * time.Second

// wire listens to what a page asks its site and to the JSON the site answers. What was asked in one turn, that is since the latest
// act, is no evidence in the next.
//
// The driver tells listeners apart by their code alone: closing one wire silences every wire on the same page. So a visit listens
// only once it acts, and only one visit may act in a page at a time.
type wire struct {
	sources map[string]Source
	origins Origins

	mu       sync.Mutex
	page     playwright.Page
	turn     int
	waiting  map[playwright.Request]int  // requests on their way, by the turn they were made in
	named    map[playwright.Request]bool // those of them whose answers the flow reads; true once the answer has begun
	received []Received
	tokens   map[string]string // what the page itself sent as authorization, by the name of the answer it asked for
	answered bool              // something asked in this turn was answered
	crashed  bool
}

func newWire(sources map[string]Source, origins Origins) *wire {
	return &wire{
		sources: sources, origins: origins, tokens: map[string]string{},
		waiting: map[playwright.Request]int{}, named: map[playwright.Request]bool{},
	}
}

// listen attaches to a page, leaving the one before. Listening twice to one page is listening once.
func (w *wire) listen(page playwright.Page) {
	w.mu.Lock()
	before := w.page
	w.page = page
	w.mu.Unlock()
	if before == page {
		return
	}
	w.leave(before)
	if page == nil {
		return
	}
	page.OnRequest(w.onRequest)
	page.OnResponse(w.onResponse)
	page.OnRequestFinished(w.onDone)
	page.OnRequestFailed(w.onDone)
	page.OnCrash(w.onCrash)
}

func (w *wire) leave(page playwright.Page) {
	if page == nil {
		return
	}
	page.RemoveListener("request", w.onRequest)
	page.RemoveListener("response", w.onResponse)
	page.RemoveListener("requestfinished", w.onDone)
	page.RemoveListener("requestfailed", w.onDone)
	page.RemoveListener("crash", w.onCrash)
}

// nextTurn forgets what was received so far.
func (w *wire) nextTurn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	w.received, w.answered = nil, false
	w.waiting = map[playwright.Request]int{}
	w.named = map[playwright.Request]bool{}
}

// busy says whether something asked since the latest act is still on its way.
func (w *wire) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting) > 0
}

// heard says whether something asked since the latest act was answered.
func (w *wire) heard() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered
}

func (w *wire) answers() []Received {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Received(nil), w.received...)
}

// Bounds on how long a look waits for an answer that may explain the page it sees.
const (
	begunWait   = 2 * time.Second
	unbegunWait = 300 * time.Millisecond
)

// catchUp waits, not long, until the answers that the flow reads have been read: what a page shows because of an answer must not be
// seen before the answer is.
func (w *wire) catchUp(ctx context.Context) error {
	start := time.Now()
	for {
		pending, begun := w.pending()
		if !pending || time.Since(start) > begunWait || !begun && time.Since(start) > unbegunWait {
			return nil
		}
		if err := tick(ctx, poll/4); err != nil {
			return err
		}
	}
}

// pending says whether an answer that the flow reads is on its way, and whether one has begun to arrive.
func (w *wire) pending() (pending, begun bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, arriving := range w.named {
		begun = begun || arriving
	}
	return len(w.named) > 0, begun
}

// sent returns the authorization with which the page itself last asked for an answer.
func (w *wire) sent(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens[name]
}

func (w *wire) gone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.crashed
}

func (w *wire) onCrash(playwright.Page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crashed = true
}

func (w *wire) onRequest(request playwright.Request) {
	switch request.ResourceType() {
	case "xhr", "fetch", "document", "script":
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waiting[request] = w.turn
		if name := w.sourceOf(request.URL()); name != "" {
			w.named[request] = false
			if token := request.Headers()["authorization"]; token != "" {
				w.tokens[name] = token
			}
		}
	}
}

func (w *wire) onDone(request playwright.Request) {
	if w.sourceOf(request.URL()) == "" { // others are done once their body was read
		w.done(request)
	}
}

func (w *wire) done(request playwright.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ours := w.waiting[request]; ours {
		w.answered = true
	}
	delete(w.waiting, request)
	delete(w.named, request)
}

// onResponse reads the body elsewhere: asking the driver from within its own event would wait for ever.
func (w *wire) onResponse(response playwright.Response) {
	name := w.sourceOf(response.URL())
	if name == "" {
		return
	}
	request := response.Request()
	w.mu.Lock()
	turn, ours := w.waiting[request]
	if ours {
		w.named[request] = true
	}
	w.mu.Unlock()
	if !ours {
		return
	}
	go func() {
		defer w.done(request)
		body, err := within(context.Background(), bodyWait, response.Body)
		if err != nil || !gjson.ValidBytes(body) {
			return // a body that went with its page is no evidence; the page that follows is
		}
		w.keep(turn, Received{Name: name, Status: response.Status(), Body: string(body)})
	}()
}

func (w *wire) keep(turn int, r Received) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn == w.turn {
		w.received = append(w.received, r)
	}
}

func (w *wire) sourceOf(address string) string {
	address = w.origins.real(address)
	for name, source := range w.sources {
		if source.url.MatchString(address) {
			return name
		}
	}
	return ""
}
