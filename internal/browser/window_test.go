package browser

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreIsolated(t *testing.T) {
	t.Parallel()
	url := serve(t, map[string]string{"/": "<title>home</title>"})
	h := sharedHost(t)
	one, other := openWindow(t, h, "one"), openWindow(t, h, "other")
	visit(t, one, url)
	visit(t, other, url)
	evaluate(t, one, `() => { document.cookie = "who=one"; localStorage.setItem("who", "one") }`)

	require.Equal(t, "who=one", evaluate(t, one, `() => document.cookie`))
	require.Equal(t, "one", evaluate(t, one, `() => localStorage.getItem("who")`))
	require.Empty(t, evaluate(t, other, `() => document.cookie`))
	require.Nil(t, evaluate(t, other, `() => localStorage.getItem("who")`))
}

func TestWindowLooksLikeADesktop(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "someone")
	require.Equal(t, []any{1280, 800}, evaluate(t, w, `() => [innerWidth, innerHeight]`))
	require.Equal(t, []any{"en-US", "en"}, evaluate(t, w, `() => [...navigator.languages]`))
}

func TestCloseEndsTheWindow(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	w := openWindow(t, h, "closer")
	require.NoError(t, w.Err())
	require.NoError(t, w.Close(t.Context()))
	requireDone(t, w, ErrWindowLost)
	require.ErrorIs(t, w.Check(t.Context()), ErrWindowLost)
	_, err := os.Stat(windowFile(h, w, ""))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = h.Window(t.Context(), w.ID())
	require.ErrorIs(t, err, ErrWindowLost)
	_, err = h.WindowOf(t.Context(), "closer")
	require.ErrorIs(t, err, ErrWindowLost)
	require.NoError(t, w.Close(t.Context()), "closing again does nothing")
}

func TestWindowOfIsTheNewest(t *testing.T) {
	t.Parallel()
	h := sharedHost(t)
	openWindow(t, h, "twice")
	newer := openWindow(t, h, "twice")
	found, err := h.WindowOf(t.Context(), "twice")
	require.NoError(t, err)
	require.Same(t, newer, found)
	require.Equal(t, "twice", found.Owner())
}
