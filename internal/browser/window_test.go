package browser

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreIsolated(t *testing.T) {
	url := serve(t, map[string]string{"/": "<title>home</title>"})
	h := openHost(t, testOptions(t))
	one, other := openWindow(t, h, "one"), openWindow(t, h, "other")
	visit(t, one, url)
	visit(t, other, url)
	evaluate(t, one, `() => { document.cookie = "who=one"; localStorage.setItem("who", "one") }`)

	require.Equal(t, "who=one", evaluate(t, one, `() => document.cookie`))
	require.Equal(t, "one", evaluate(t, one, `() => localStorage.getItem("who")`))
	require.Equal(t, "", evaluate(t, other, `() => document.cookie`))
	require.Nil(t, evaluate(t, other, `() => localStorage.getItem("who")`))
}

func TestWindowLooksLikeADesktop(t *testing.T) {
	h := openHost(t, testOptions(t))
	w := openWindow(t, h, "someone")
	require.Equal(t, []any{1280, 800}, evaluate(t, w, `() => [innerWidth, innerHeight]`))
	require.Equal(t, []any{"en-US", "en"}, evaluate(t, w, `() => [...navigator.languages]`))
}

func TestCloseEndsTheWindow(t *testing.T) {
	h := openHost(t, testOptions(t))
	w := openWindow(t, h, "someone")
	require.NoError(t, w.Err())
	require.NoError(t, w.Close(t.Context()))
	requireDone(t, w, ErrWindowLost)
	require.ErrorIs(t, w.Check(t.Context()), ErrWindowLost)
	_, err := os.Stat(windowFile(h, w, ""))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
	_, err = h.WindowOf(t.Context(), "someone")
	require.ErrorIs(t, err, ErrWindowLost)
	require.NoError(t, w.Close(t.Context()), "closing again does nothing")
}
