package browser

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

const focused = `() => {
	let e = document.activeElement
	while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement
	return e?.id ?? ""
}`

func TestParkTakesTheFocusAndUnparkGivesItBack(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{
		"/":      `<p>Code <input id="plain"></p><div id="host"></div><iframe src="/inner"></iframe>`,
		"/inner": `<input id="inner">`,
	})
	w := openWindow(t, sharedHost(t), "someone")
	visit(t, w, url)
	evaluate(t, w, `() => { document.querySelector("#host").attachShadow({mode: "open"}).innerHTML = "<span><input id=shadow></span>" }`)
	inner := w.Page().Frames()[1]
	for _, id := range []string{"plain", "shadow", "inner"} {
		frame := w.Page().MainFrame()
		if id == "inner" {
			frame = inner
		}
		require.NoError(t, frame.Locator("#"+id).Focus())
		require.NoError(t, w.Park(t.Context()))
		require.NoError(t, w.Park(t.Context()), "again")
		got, err := frame.Evaluate(focused)
		require.NoError(t, err)
		require.Empty(t, got, id)

		require.NoError(t, w.Unpark(t.Context()))
		got, err = frame.Evaluate(focused)
		require.NoError(t, err)
		require.Equal(t, id, got)
	}
}

func TestParkedElsewhereIsUnparkedHere(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": form, "/empty": "<title>empty</title>"})
	o := testOptions(t)
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	w := openWindow(t, first, "someone")
	visit(t, w, url)
	require.NoError(t, w.Page().Locator("#code").Focus())
	require.NoError(t, w.Park(t.Context()))
	require.NoError(t, first.Disconnect())

	h := openHost(t, o)
	w, err = h.Window(t.Context(), w.ID())
	require.NoError(t, err)
	require.NoError(t, w.Unpark(t.Context()))
	require.Equal(t, "code", evaluate(t, w, focused))
	require.NoError(t, w.Unpark(t.Context()), "nothing is parked any more")

	require.NoError(t, w.Park(t.Context()))
	visit(t, w, url+"/empty")
	require.NoError(t, w.Unpark(t.Context()), "what had the focus is gone")
}

func TestParkIsBounded(t *testing.T) {
	t.Parallel()
	w := openWindow(t, sharedHost(t), "someone")
	hang(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.ErrorIs(t, w.Park(ctx), context.DeadlineExceeded)
	require.NoError(t, w.Close(t.Context()))
}
