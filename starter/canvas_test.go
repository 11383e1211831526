package main

import (
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// shownBy draws frames on a pseudo-terminal of a size and returns all that reached it.
func shownBy(t *testing.T, rows, columns uint16, frames ...[]string) string {
	t.Helper()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(tty, &pty.Winsize{Rows: rows, Cols: columns}))
	s := &screen{changed: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.follow(master)
	}()
	c := &canvas{tty: tty}
	for _, lines := range frames {
		require.NoError(t, c.draw(lines))
	}
	require.NoError(t, c.close())
	require.NoError(t, s.expect("\x1b[?25h"))
	require.NoError(t, tty.Close())
	<-read
	require.NoError(t, master.Close())
	return s.String()
}

func TestCanvasRedrawsInPlace(t *testing.T) {
	t.Parallel()
	shown := shownBy(t, 20, 40, []string{"one", "two"}, []string{"one", "two"}, []string{"three"})
	require.Equal(t, "\x1b[?25l\rone\x1b[K\r\r\ntwo\x1b[K\r\r\n\x1b[J"+
		"\x1b[?25l\r\x1b[2Athree\x1b[K\r\r\n\x1b[J\x1b[?25h", shown)
}

func TestCanvasCutsToTheTerminal(t *testing.T) {
	t.Parallel()
	shown := shownBy(t, 3, 6, []string{"gone", "first", "a long line"})
	require.NotContains(t, shown, "gone")
	require.Contains(t, shown, "first\x1b[K")
	require.Contains(t, shown, "a lon…\x1b[K")
}
