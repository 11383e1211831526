package flow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

const bodyWait = 10 * time.Second

// trafficLog notes what a page asks of its site and the JSON that the site answers. What was asked before the latest act is no
// evidence of what came of it.
//
// The driver tells listeners apart by their code alone: closing one log silences every log of the same page. So a run listens only
// once it acts, and only one run may act in a page at a time.
type trafficLog struct {
	wanted  map[string]utilities.Answer
	origins utilities.Origins

	mu             sync.Mutex
	page           playwright.Page
	act            int                         // counts the acts
	inFlight       map[playwright.Request]int  // requests without an answer, by the act they came after
	reading        map[playwright.Request]bool // those of them whose answers the flow reads; true once the answer has begun
	answers        []answer
	authorizations map[string]string // what the page itself sent, by the name of the answer it asked for
	answered       bool              // something asked since the latest act was answered
	crashed        bool
}

func newTrafficLog(wanted map[string]utilities.Answer, origins utilities.Origins) *trafficLog {
	return &trafficLog{
		wanted: wanted, origins: origins, authorizations: map[string]string{},
		inFlight: map[playwright.Request]int{}, reading: map[playwright.Request]bool{},
	}
}

// listen attaches to a page, leaving the one before. Listening twice to one page is listening once.
func (l *trafficLog) listen(page playwright.Page) {
	l.mu.Lock()
	before := l.page
	l.page = page
	l.mu.Unlock()
	if before == page {
		return
	}
	l.leave(before)
	if page == nil {
		return
	}
	page.OnRequest(l.onRequest)
	page.OnResponse(l.onResponse)
	page.OnRequestFinished(l.onDone)
	page.OnRequestFailed(l.onDone)
	page.OnCrash(l.onCrash)
}

func (l *trafficLog) leave(page playwright.Page) {
	if page == nil {
		return
	}
	page.RemoveListener("request", l.onRequest)
	page.RemoveListener("response", l.onResponse)
	page.RemoveListener("requestfinished", l.onDone)
	page.RemoveListener("requestfailed", l.onDone)
	page.RemoveListener("crash", l.onCrash)
}

// nextAct forgets what was answered so far.
func (l *trafficLog) nextAct() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act++
	l.answers, l.answered = nil, false
	l.inFlight = map[playwright.Request]int{}
	l.reading = map[playwright.Request]bool{}
}

// busy says whether something asked since the latest act is still on its way.
func (l *trafficLog) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.inFlight) > 0
}

// hasAnswered says whether something asked since the latest act was answered.
func (l *trafficLog) hasAnswered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answered
}

// read returns the answers that the flow reads, as far as they have come.
func (l *trafficLog) read() []answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.answers)
}

// Bounds on how long a look waits for an answer that may explain the page it sees.
const (
	begunWait   = 2 * time.Second
	unbegunWait = 300 * time.Millisecond
)

// waitForBodies waits, not long, until the answers that the flow reads have been read: what a page shows because of an answer must
// not be seen before the answer is.
func (l *trafficLog) waitForBodies(ctx context.Context) error {
	start := time.Now()
	for {
		pending, begun := l.pending()
		if !pending || time.Since(start) > begunWait || !begun && time.Since(start) > unbegunWait {
			return nil
		}
		if err := sleep(ctx, pollInterval/4); err != nil {
			return err
		}
	}
}

// pending says whether an answer that the flow reads is on its way, and whether one has begun to arrive.
func (l *trafficLog) pending() (pending, begun bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, arriving := range l.reading {
		begun = begun || arriving
	}
	return len(l.reading) > 0, begun
}

// authorization returns that with which the page itself last asked for an answer.
func (l *trafficLog) authorization(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.authorizations[name]
}

func (l *trafficLog) hasCrashed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crashed
}

func (l *trafficLog) onCrash(playwright.Page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashed = true
}

func (l *trafficLog) onRequest(request playwright.Request) {
	switch request.ResourceType() {
	case "xhr", "fetch", "document", "script":
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inFlight[request] = l.act
		if name := l.nameOf(request.URL()); name != "" {
			l.reading[request] = false
			if sent := request.Headers()["authorization"]; sent != "" {
				l.authorizations[name] = sent
			}
		}
	}
}

func (l *trafficLog) onDone(request playwright.Request) {
	if l.nameOf(request.URL()) == "" { // others are done once their body was read
		l.done(request)
	}
}

func (l *trafficLog) done(request playwright.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ours := l.inFlight[request]; ours {
		l.answered = true
	}
	delete(l.inFlight, request)
	delete(l.reading, request)
}

// onResponse reads the body elsewhere: asking the driver from within its own event would wait for ever.
func (l *trafficLog) onResponse(response playwright.Response) {
	name := l.nameOf(response.URL())
	if name == "" {
		return
	}
	request := response.Request()
	l.mu.Lock()
	act, ours := l.inFlight[request]
	if ours {
		l.reading[request] = true
	}
	l.mu.Unlock()
	if !ours {
		return
	}
	go func() {
		defer l.done(request)
		body, err := within(context.Background(), bodyWait, response.Body)
		if err != nil || !gjson.ValidBytes(body) {
			return // a body that went with its page is no evidence; the page that follows is
		}
		l.add(act, answer{name: name, status: response.Status(), body: string(body)})
	}()
}

// add notes an answer to something asked after the given act; an earlier act's is no evidence any more.
func (l *trafficLog) add(act int, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if act == l.act {
		l.answers = append(l.answers, a)
	}
}

// nameOf is what the flow calls the answers of an address, "" for those it does not read.
func (l *trafficLog) nameOf(address string) string {
	address = l.origins.Real(address)
	for name, answer := range l.wanted {
		if answer.URL.MatchString(address) {
			return name
		}
	}
	return ""
}
