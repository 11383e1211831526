package browser

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// command sends a DevTools command to the window's page without waiting for the answer, which may never come.
func command(t *testing.T, w *Window, method string, params map[string]any) {
	t.Helper()
	conn, _ := w.host.current()
	var attached struct {
		Session string `json:"sessionId"`
	}
	err := conn.call(t.Context(), "", "Target.attachToTarget", map[string]any{"targetId": w.newest(conn), "flatten": true}, &attached)
	require.NoError(t, err)
	require.NoError(t, conn.send(t.Context(), cdpRequest{ID: -1, Session: attached.Session, Method: method, Params: params}))
}

func hang(t *testing.T, w *Window) {
	t.Helper()
	command(t, w, "Runtime.evaluate", map[string]any{"expression": "while (true) {}"})
}

func TestClosedTab(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "someone")
	require.NoError(t, w.Page().Close())
	requireDone(t, w, ErrTabClosed)
	require.ErrorIs(t, w.Check(t.Context()), ErrTabClosed)
	_, err := h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrTabClosed)
	require.NoError(t, w.Close(t.Context()))
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
}

func TestCrashedTab(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w, other := openWindow(t, h, "someone"), openWindow(t, h, "other")
	command(t, w, "Page.crash", nil)
	requireDone(t, w, ErrTabCrashed)
	require.ErrorIs(t, w.Check(t.Context()), ErrTabCrashed)
	_, err := h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrTabCrashed)
	require.NoError(t, other.Check(t.Context()))
	require.NoError(t, w.Close(t.Context()))
}

func TestHungTab(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w, other := openWindow(t, h, "someone"), openWindow(t, h, "other")
	hang(t, w)
	require.ErrorIs(t, w.Check(t.Context()), ErrTabHung)
	require.NoError(t, w.Err(), "it may recover")
	require.NoError(t, other.Check(t.Context()))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.Check(ctx), context.DeadlineExceeded)
	require.NoError(t, w.Close(t.Context()))
}

func TestStuckTabsDoNotKeepANewDriverFromConnecting(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	hung, crashed, sound := openWindow(t, first, "hung"), openWindow(t, first, "crashed"), openWindow(t, first, "sound")
	hang(t, hung)
	command(t, crashed, "Page.crash", nil)
	requireDone(t, crashed, ErrTabCrashed)
	require.NoError(t, first.Disconnect())

	h := openHost(t, o)
	for _, w := range []*Window{hung, crashed} {
		_, err = h.Window(t.Context(), w.ID())
		require.ErrorIs(t, err, ErrWindowLost)
	}
	w, err := h.Window(t.Context(), sound.ID())
	require.NoError(t, err)
	require.NoError(t, w.Check(t.Context()))
}

func TestPopupsBelongToTheirWindow(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{
		"/":         `<button onclick="window.open('/popup')">Open</button>`,
		"/popup":    `<title>popup</title><a href="/noopener" target="_blank" rel="noopener">More</a>`,
		"/noopener": `<title>noopener</title>`,
	})
	o := testOptions(t)
	h, err := Open(t.Context(), o)
	require.NoError(t, err)
	w, other := openWindow(t, h, "someone"), openWindow(t, h, "other")
	visit(t, w, url)
	require.NoError(t, w.Page().Locator("button").Click())
	eventually(t, func() bool { return w.Page().URL() == url+"/popup" }, "the popup is the page")
	require.NoError(t, w.Page().Locator("a").Click())
	eventually(t, func() bool { return w.Page().URL() == url+"/noopener" }, "the newer popup is the page")
	require.Equal(t, "about:blank", other.Page().URL())
	eventually(t, func() bool { return len(w.record().Pages) == 3 }, "the order is noted")
	require.NoError(t, h.Disconnect())

	h = openHost(t, o)
	w, err = h.Window(t.Context(), w.ID())
	require.NoError(t, err)
	for _, path := range []string{"/noopener", "/popup", "/"} {
		eventually(t, func() bool { return w.Page().URL() == url+path }, "the order is kept: "+path)
		require.NoError(t, w.Check(t.Context()))
		require.NoError(t, w.Page().Close())
	}
	requireDone(t, w, ErrTabClosed)
}
