package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

// devtools is a browser that knows windows and nothing of pages: enough to see what a host asks of it, and to have it refuse.
type devtools struct {
	mu       sync.Mutex
	contexts []string
	refuse   map[string]string // by method, what it says instead of doing it
	asked    []cdpRequest
}

func (d *devtools) answer(request cdpRequest) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, request)
	if why, ok := d.refuse[request.Method]; ok {
		return fmt.Sprintf(`{"id":%d,"error":{"code":-32000,"message":%q}}`, request.ID, why)
	}
	result := "{}"
	switch request.Method {
	case "Target.getBrowserContexts":
		list, err := json.Marshal(d.contexts)
		if err != nil {
			return ""
		}
		result = `{"browserContextIds":` + string(list) + `}`
	case "Target.disposeBrowserContext":
		params, _ := request.Params.(map[string]any)
		d.contexts = slices.DeleteFunc(d.contexts, func(id string) bool { return id == params["browserContextId"] })
	case "Target.createBrowserContext":
		d.contexts = append(d.contexts, "W1")
		result = `{"browserContextId":"W1"}`
	case "Target.attachToTarget":
		result = `{"sessionId":"S"}`
	}
	return fmt.Sprintf(`{"id":%d,"result":%s}`, request.ID, result)
}

func (d *devtools) refuses(method, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse[method] = why
}

func (d *devtools) has(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.contexts, id)
}

func (d *devtools) methods() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, request := range d.asked {
		all = append(all, request.Method)
	}
	return all
}

// bareHost is connected to a browser that is none, and has no driver.
func bareHost(t *testing.T) (*Host, *devtools, *observer.ObservedLogs) {
	t.Helper()
	d := &devtools{refuse: map[string]string{}}
	core, logs := observer.New(zap.DebugLevel)
	o := testOptions(t)
	o.Log, o.Executable = zap.New(core), "/no/such/chromium"
	h, err := newHost(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { closeLock(h.users) })
	all := newTargets(h.changed)
	w, err := dialCDP(t.Context(), stub(t, d.answer), all.onEvent)
	require.NoError(t, err)
	t.Cleanup(w.close)
	h.publish(&connection{cdpConn: w, targets: all}, nil)
	return h, d, logs
}

// bareWindow is a window of a bare host, with a record as told.
func (d *devtools) bareWindow(t *testing.T, h *Host, r record) *Window {
	t.Helper()
	d.mu.Lock()
	d.contexts = append(d.contexts, r.ID)
	d.mu.Unlock()
	require.NoError(t, h.folder(r.ID).create(r))
	return h.keep(&Window{host: h, id: r.ID, folder: h.folder(r.ID), last: r, done: make(chan struct{})})
}

// tell has the browser say something of its pages.
func tell(h *Host, method, params string) {
	conn, _ := h.current()
	conn.targets.onEvent(method, json.RawMessage(params))
}

func opened(h *Host, id, window string) {
	tell(h, "Target.targetCreated", fmt.Sprintf(`{"targetInfo":{"targetId":%q,"type":"page","browserContextId":%q}}`, id, window))
}

func follow(h *Host, w *Window) error {
	conn, _ := h.current()
	w.follow(conn)
	return w.Err()
}

func TestAWindowFollowsItsPages(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	w := d.bareWindow(t, h, record{ID: "W1"})
	opened(h, "a", "W1")
	opened(h, "x", "W2")
	require.NoError(t, follow(h, w))
	opened(h, "b", "W1")
	require.NoError(t, follow(h, w))
	require.Equal(t, []string{"a", "b"}, w.record().Pages, "noted, oldest first, those of others left out")
	conn, _ := h.current()
	require.Equal(t, "b", w.newest(conn))
	tell(h, "Target.targetDestroyed", `{"targetId":"b"}`)
	require.NoError(t, follow(h, w))
	require.Equal(t, "a", w.newest(conn), "the page below a popup that closed")
	require.Equal(t, []string{"a"}, w.record().Pages)
	tell(h, "Target.targetDestroyed", `{"targetId":"a"}`)
	require.ErrorIs(t, follow(h, w), ErrTabClosed)
	require.Empty(t, w.newest(conn))
}

func TestWhyAWindowIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*Host, *Window)
		want    error
	}{
		"crashed": {func(h *Host, _ *Window) { opened(h, "a", "W1"); tell(h, "Target.targetCrashed", `{"targetId":"a"}`) }, ErrTabCrashed},
		"one of its pages crashed": {func(h *Host, _ *Window) {
			opened(h, "a", "W1")
			opened(h, "b", "W1")
			tell(h, "Target.targetCrashed", `{"targetId":"a"}`)
		}, ErrTabCrashed},
		"no page":   {func(*Host, *Window) {}, ErrTabClosed},
		"no record": {func(_ *Host, w *Window) { _ = w.folder.remove() }, ErrWindowLost}, // the test sees whether it is gone
		"being closed": {func(_ *Host, w *Window) {
			_, _ = w.folder.update(func(r *record) error { r.Closed = true; return nil }) // the test sees what comes of it
		}, ErrWindowLost},
		"another page only": {func(h *Host, _ *Window) { opened(h, "x", "W2") }, ErrTabClosed},
		"a worker is no page": {func(h *Host, _ *Window) {
			tell(h, "Target.targetCreated", `{"targetInfo":{"targetId":"w","type":"service_worker","browserContextId":"W1"}}`)
		}, ErrTabClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, d, _ := bareHost(t)
			w := d.bareWindow(t, h, record{ID: "W1"})
			c.happens(h, w)
			require.ErrorIs(t, follow(h, w), c.want)
			require.ErrorContains(t, w.Err(), "window W1: ")
			<-w.Done()
			require.Nil(t, h.known("W1"), "a handle that is done is forgotten")
			w.finish(ErrTabHung)
			require.ErrorIs(t, w.Err(), c.want, "the first reason stays")
			require.ErrorIs(t, w.BeginOnce("late"), c.want)
			_, err := w.Lock(t.Context())
			require.Error(t, err)
		})
	}
}

// TestALostConnectionIsNoLostWindow: without a browser to ask, nothing can be said of its pages.
func TestALostConnectionIsNoLostWindow(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	w := d.bareWindow(t, h, record{ID: "W1"})
	conn, _ := h.current()
	conn.close()
	<-conn.gone
	require.NoError(t, follow(h, w))
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, w.Check(ctx), context.DeadlineExceeded, "it could not be found out")
	require.Nil(t, w.Page())
}

// TestWhatTheSweeperCloses looks at windows just before and just after their time.
func TestWhatTheSweeperCloses(t *testing.T) {
	t.Parallel()
	const little = 20 * time.Second
	for name, c := range map[string]struct {
		expires, claimed, firstSeen time.Duration // from the moment that the sweeper looks
		held                        string        // the lock that somebody holds
		closed                      bool
	}{
		"in use":                                 {expires: time.Hour},
		"nearly unclaimed for long enough":       {expires: time.Hour, claimed: little - defaultUnclaimed, firstSeen: -time.Hour},
		"unclaimed for long enough":              {expires: time.Hour, claimed: -little - defaultUnclaimed, firstSeen: -time.Hour, closed: true},
		"unclaimed, but only just seen by us":    {expires: time.Hour, claimed: -time.Hour},
		"claimed at this moment":                 {expires: time.Hour, claimed: -time.Hour, firstSeen: -time.Hour, held: "claim"},
		"expired a moment ago":                   {expires: little - defaultGrace},
		"expired, and its grace is over":         {expires: -little - defaultGrace, closed: true},
		"expired, claimed by one who waits":      {expires: -time.Hour, held: "claim", closed: true},
		"expired, with somebody at work in it":   {expires: -time.Hour, held: "work.lock"},
		"expired, unclaimed, somebody's at work": {expires: -time.Hour, claimed: -time.Hour, firstSeen: -time.Hour, held: "work.lock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, d, _ := bareHost(t)
			now := uptime()
			w := d.bareWindow(t, h, record{ID: "W1", Expires: now + c.expires})
			claimedAt(t, w, now+c.claimed)
			h.sweeper.firstSeen["W1"] = now + c.firstSeen
			if c.held != "" {
				held, err := tryLockFile(w.folder.file(c.held), 1) // shared, as a claim is
				require.NoError(t, err)
				defer closeLock(held)
			}
			require.NoError(t, h.sweeper.sweep(t.Context()))
			require.Equal(t, !c.closed, d.has("W1"))
			require.Equal(t, c.closed, w.Err() != nil)
			require.Equal(t, !c.closed, len(h.Windows()) == 1)
		})
	}
}

func TestWindowsWithoutARecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		firstSeen time.Duration // ago
		foreign   bool
		closed    bool
	}{
		"about to get one":                    {firstSeen: 0},
		"left behind":                         {firstSeen: time.Hour, closed: true},
		"somebody else's, in their browser":   {firstSeen: time.Hour, foreign: true},
		"not seen for long enough to be sure": {firstSeen: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, d, _ := bareHost(t)
			d.contexts = []string{"orphan"}
			if c.foreign {
				h.chromium.cdpURL = "http://127.0.0.1:1"
			}
			h.sweeper.firstSeen["orphan"] = uptime() - c.firstSeen
			require.NoError(t, h.sweeper.sweep(t.Context()))
			require.Equal(t, !c.closed, d.has("orphan"))
		})
	}
}

// TestOneBrokenRecordHoldsUpNothing: the others are listed and swept all the same, and an operator is told.
func TestOneBrokenRecordHoldsUpNothing(t *testing.T) {
	t.Parallel()
	h, d, logs := bareHost(t)
	later := uptime() + time.Hour
	d.bareWindow(t, h, record{ID: "W1", Expires: later})
	due := d.bareWindow(t, h, record{ID: "W2", Expires: uptime() - time.Hour})
	sound := d.bareWindow(t, h, record{ID: "W3", Owner: "someone", Expires: later})
	require.NoError(t, atomicfile.Replace(h.folder("W1").file("record.json"), []byte("{"), 0o600))

	require.ErrorContains(t, h.sweeper.sweep(t.Context()), "reading window record")
	require.Error(t, due.Err())
	require.NoError(t, sound.Err())
	open := h.Windows()
	require.Len(t, open, 1)
	require.Equal(t, "W3", open[0].ID)
	require.Equal(t, 1, logs.FilterMessage("window is left out").Len())
	require.ErrorContains(t, h.CloseWindow(t.Context(), "W1"), "closing window W1: reading window record")
}

func TestRecordsOfWindowsTheBrowserDoesNotHave(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	kept := d.bareWindow(t, h, record{ID: "W1", Expires: uptime() + time.Hour})
	gone := d.bareWindow(t, h, record{ID: "W2", Expires: uptime() + time.Hour})
	d.contexts = []string{"W1"}
	require.NoError(t, h.sweeper.sweep(t.Context()))
	require.NoError(t, kept.Err())
	require.ErrorIs(t, gone.Err(), ErrWindowLost)
	require.NoDirExists(t, string(gone.folder))
	require.Equal(t, 3, h.capacity.free(), "its place is free again")
}

// TestAWindowThatCannotBeClosed stays noted as closed, so that the sweeper goes on trying, and nobody works in it.
func TestAWindowThatCannotBeClosed(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	w := d.bareWindow(t, h, record{ID: "W1", Owner: "someone", Expires: uptime() + time.Hour})
	d.refuses("Target.disposeBrowserContext", "not now")
	require.ErrorContains(t, w.Close(t.Context()), "closing window W1: Target.disposeBrowserContext: not now")
	require.ErrorIs(t, w.Err(), ErrWindowLost)
	require.True(t, d.has("W1"))
	require.Empty(t, h.Windows())
	require.Error(t, h.sweeper.sweep(t.Context()))

	delete(d.refuse, "Target.disposeBrowserContext")
	require.NoError(t, h.sweeper.sweep(t.Context()))
	require.False(t, d.has("W1"))
	require.NoDirExists(t, string(w.folder))
}

func TestClosingIsBounded(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	d.bareWindow(t, h, record{ID: "W1"})
	h.publish(nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, h.CloseWindow(ctx, "W1"), context.DeadlineExceeded, "no browser answers")
	h.closed = true
	require.ErrorIs(t, h.CloseWindow(t.Context(), "W1"), ErrDisconnected)
}

// withDriver gives a bare host a driver that knows no page.
func withDriver(h *Host) {
	conn, _ := h.current()
	h.publish(conn, &driver{gone: make(chan struct{}), pages: map[string]playwright.Page{}})
}

// TestAWindowThatCannotBeOpened leaves nothing of itself.
func TestAWindowThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(*Host, *devtools)
		want    string
	}{
		"no context": {func(_ *Host, d *devtools) { d.refuses("Target.createBrowserContext", "out of memory") }, "Target.createBrowserContext: out of memory"},
		"no page":    {func(_ *Host, d *devtools) { d.refuses("Target.createTarget", "out of memory") }, "Target.createTarget: out of memory"},
		"no record":  {func(h *Host, _ *devtools) { _ = h.folder("W1").create(record{}) }, "file exists"}, // the test sees what comes of it
		"no room":    {func(h *Host, _ *devtools) { h.options.Capacity = 0 }, ErrFull.Error()},
		"no driver":  {func(h *Host, _ *devtools) { conn, _ := h.current(); h.publish(conn, nil) }, context.DeadlineExceeded.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, d, _ := bareHost(t)
			withDriver(h)
			c.prepare(h, d)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := h.OpenWindow(ctx, "someone", time.Minute)
			require.ErrorContains(t, err, "opening window: ")
			require.ErrorContains(t, err, c.want)
			require.False(t, d.has("W1"), "no context is left in the browser")
			require.Empty(t, h.handles())
			if name != "no record" { // which was there before
				require.NoDirExists(t, string(h.folder("W1")))
			}
		})
	}
}

// TestAWindowWhosePageNeverShows is closed when the caller's time is over.
func TestAWindowWhosePageNeverShows(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	withDriver(h)
	opened(h, "a", "W1")
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := h.OpenWindow(ctx, "someone", time.Minute)
		failed <- err
	}()
	eventually(t, func() bool { return h.known("W1") != nil }, "it waits for the page")
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.False(t, d.has("W1"))
	require.Equal(t, 4, h.capacity.free())
}

func TestPingTellsRefusalFromSilence(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	conn, _ := h.current()
	require.NoError(t, conn.ping(t.Context(), "a"))
	require.Equal(t, []string{"Target.attachToTarget", "Runtime.evaluate", "Target.detachFromTarget"}, d.methods())
	d.refuses("Runtime.evaluate", "no script here")
	require.NoError(t, conn.ping(t.Context(), "a"), "to refuse is to answer")
	d.refuses("Target.attachToTarget", "No target with given id found")
	var refusal *cdpError
	require.ErrorAs(t, conn.ping(t.Context(), "a"), &refusal)
	require.NotErrorIs(t, refusal, ErrTabHung)
}

func TestDisposingOfWhatIsGone(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	conn, _ := h.current()
	d.refuses("Target.disposeBrowserContext", "Failed to find context with id W1")
	require.NoError(t, conn.dispose(t.Context(), "W1"))
	d.refuses("Target.disposeBrowserContext", "something else")
	require.ErrorContains(t, conn.dispose(t.Context(), "W1"), "something else")
}

// TestAnswersInAnyOrder gives each of many callers the answer to its own call.
func TestAnswersInAnyOrder(t *testing.T) {
	t.Parallel()
	const callers = 40
	var mu sync.Mutex
	var held []cdpRequest
	server := stubThatSends(t, func(request cdpRequest, send func(string)) {
		mu.Lock()
		defer mu.Unlock()
		if held = append(held, request); len(held) < callers {
			return
		}
		for _, r := range slices.Backward(held) {
			send(fmt.Sprintf(`{"method":"Some.event","params":{"n":%d}}`, r.ID))
			send(fmt.Sprintf(`{"id":%d,"result":{"echo":%q}}`, r.ID, r.Method))
			send(fmt.Sprintf(`{"id":%d,"result":{"echo":"again"}}`, r.ID))
		}
	})
	var events []string
	w, err := dialCDP(t.Context(), server, func(method string, params json.RawMessage) { events = append(events, method+string(params)) })
	require.NoError(t, err)
	t.Cleanup(w.close)
	var all sync.WaitGroup
	echoes := make([]string, callers)
	for i := range callers {
		all.Go(func() {
			var result struct{ Echo string }
			if err := w.call(t.Context(), "", fmt.Sprintf("Some.method%d", i), nil, &result); err != nil {
				t.Error(err)
			}
			echoes[i] = result.Echo
		})
	}
	all.Wait()
	for i, echo := range echoes {
		require.Equal(t, fmt.Sprintf("Some.method%d", i), echo)
	}
	require.Empty(t, w.waiting, "nothing is kept of calls that are answered")
	w.close()
	<-w.gone
	require.Len(t, events, callers)
}

// stubThatSends is stub for a browser that sends several messages, or none, upon one.
func stubThatSends(t *testing.T, answer func(request cdpRequest, send func(string))) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow() //nolint:errcheck // the test is over
		for {
			_, data, err := ws.Read(r.Context())
			var request cdpRequest
			if err != nil || json.Unmarshal(data, &request) != nil {
				return
			}
			answer(request, func(text string) { _ = ws.Write(r.Context(), websocket.MessageText, []byte(text)) }) // the test sees what arrives
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func TestCDPConnThatEndsWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	w := dialStub(t, func(cdpRequest) string { close(asked); return "" })
	go func() { <-asked; w.close() }()
	require.ErrorIs(t, w.call(t.Context(), "", "Some.method", nil, nil), errCDPClosed)
	require.Empty(t, w.waiting)
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	w := dialStub(t, func(r cdpRequest) string { return fmt.Sprintf(`{"id":%d,"result":{}}`, r.ID) })
	require.ErrorContains(t, w.call(t.Context(), "", "Some.method", func() {}, nil), "Some.method: ")
	require.NoError(t, w.call(t.Context(), "", "Some.method", nil, nil), "the connection is none the worse")
}

func TestSessionsAreNamed(t *testing.T) {
	t.Parallel()
	h, d, _ := bareHost(t)
	conn, _ := h.current()
	require.NoError(t, conn.call(t.Context(), "S7", "Runtime.evaluate", map[string]any{"expression": "1"}, nil))
	require.Equal(t, "S7", d.asked[0].Session)
	require.Equal(t, map[string]any{"expression": "1"}, d.asked[0].Params)
}
