package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/meterkey/meterkey/portal/web"
)

// lookEvery is how often the database is asked whether a requester's requests changed, however many pages show them.
const lookEvery = time.Second

// watch tells pages that a requester's requests changed. Each requester that has a page open is asked for by one
// goroutine, with one query that an index answers.
type watch struct {
	last func(ctx context.Context, requester string) (time.Time, error)

	mu      sync.Mutex
	watched map[string]*watched // by requester
}

type watched struct {
	stop  context.CancelFunc
	pages map[chan time.Time]bool
}

func newWatch(last func(context.Context, string) (time.Time, error)) *watch {
	return &watch{last: last, watched: map[string]*watched{}}
}

// listen returns a channel that gets the time of the latest change whenever there is one, until leave is called. What
// changes while nobody reads arrives as one.
func (w *watch) listen(requester string) (changed <-chan time.Time, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.watched[requester]
	if of == nil {
		ctx, stop := context.WithCancel(context.Background())
		of = &watched{stop: stop, pages: map[chan time.Time]bool{}}
		w.watched[requester] = of
		go w.look(ctx, requester, of)
	}
	page := make(chan time.Time, 1)
	of.pages[page] = true
	return page, func() { w.leave(requester, of, page) }
}

func (w *watch) leave(requester string, of *watched, page chan time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(of.pages, page)
	if len(of.pages) == 0 && w.watched[requester] == of {
		of.stop()
		delete(w.watched, requester)
	}
}

func (w *watch) look(ctx context.Context, requester string, of *watched) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var told time.Time
	for {
		// A database that does not answer is asked again: the pages still show what they showed.
		if last, err := w.last(ctx, requester); err == nil && last.After(told) {
			told = last
			w.tell(of, last)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *watch) tell(of *watched, last time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for page := range of.pages {
		select {
		case <-page: // what it has not read yet is older
		default:
		}
		page <- last
	}
}

// stamp writes a moment into the address of a stream, so that a change between drawing a page and its listening is not
// missed.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

func readStamp(r *http.Request) time.Time {
	micro, err := strconv.ParseInt(r.FormValue("since"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(micro)
}

// follow streams the event "changed" to a page whenever fresh says that what it shows is older than the requests are, until the page is left or its
// person signs out.
func (h *dashboard) follow(w http.ResponseWriter, r *http.Request, p person, fresh func(last time.Time) (bool, error)) error {
	changed, leave := h.watch.listen(p.requester.UID)
	defer leave()
	stream, err := web.NewStream(w, r)
	if err != nil {
		return nil //nolint:nilerr // the page was left
	}
	ping := time.NewTicker(web.PingEvery)
	defer ping.Stop()
	for err == nil {
		select {
		case <-r.Context().Done():
			return nil
		case last := <-changed:
			var tell bool
			if tell, err = fresh(last); err == nil && tell {
				err = stream.Send(web.Event{Name: "changed", Data: stamp(last)})
			}
		case <-ping.C:
			if _, err = h.whoIs(r); err == nil {
				err = stream.Ping()
			}
		}
	}
	return nil // the stream has begun: there is no page to say anything on. The browser connects again
}

// newer is for a page that was drawn at the given moment.
func newer(drawn time.Time) func(time.Time) (bool, error) {
	return func(last time.Time) (bool, error) {
		tell := last.After(drawn)
		drawn = last
		return tell, nil
	}
}
