package main

import (
	"strings"
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
	require.Equal(t, "\x1b[?25l\r\x1b[Kone\r\r\n\x1b[Ktwo\r\r\n\x1b[J"+
		"\x1b[?25l\r\x1b[2A\x1b[Kthree\r\r\n\x1b[J\x1b[?25h", shown)
}

func TestCanvasWrapsToTheTerminal(t *testing.T) {
	t.Parallel()
	shown := shownBy(t, 4, 6, []string{"gone", "first", "a long line"})
	require.Equal(t, "\x1b[?25l\r\x1b[Kfirst\r\r\n\x1b[Ka long\r\r\n\x1b[Kline\r\r\n\x1b[J\x1b[?25h", shown)
}

func TestCanvasGoesUpByWhatItWrapped(t *testing.T) {
	t.Parallel()
	shown := shownBy(t, 20, 6, []string{"a long line"}, []string{"end"})
	require.Contains(t, shown, "\x1b[2A\x1b[Kend\r\r\n\x1b[J", "all that was drawn is drawn over")
}

func TestCanvasWrapsWhatIsColouredAndWide(t *testing.T) {
	t.Parallel()
	p := &printer{colour: true}
	shown := shownBy(t, 20, 6, []string{p.in(yellow, "9:41 left"), "日本語版"})
	require.Contains(t, shown, "\x1b[K\x1b[33m9:41\r\r\n\x1b[Kleft\x1b[0m\r\r\n", "the colour ends where it did")
	require.Contains(t, shown, "\x1b[K日本語\r\r\n\x1b[K版")
}

func TestCanvasOnATerminalWithoutASizeLosesNothing(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]uint16{{0, 0}, {0, 40}, {1, 40}} {
		shown := shownBy(t, size[0], size[1], []string{"one", "two"}, []string{"three"})
		require.Contains(t, shown, "\x1b[Kone\r\r\n\x1b[Ktwo\r\r\n\x1b[J", size)
		require.Contains(t, shown, "\x1b[2A\x1b[Kthree\r\r\n\x1b[J", size)
	}
}

func TestCanvasOfOneColumnStaysInPlace(t *testing.T) {
	t.Parallel()
	shown := shownBy(t, 20, 1, []string{"abc", ""}, []string{"x"})
	require.Contains(t, shown, "\x1b[Ka\r\r\n\x1b[Kb\r\r\n\x1b[Kc\r\r\n\x1b[K\r\r\n\x1b[J")
	require.Contains(t, shown, "\x1b[4A\x1b[Kx\r\r\n\x1b[J", "it goes up by every line that it wrapped")
}

func TestCanvasOnATerminalThatWentAwayIsAnError(t *testing.T) {
	t.Parallel()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, master.Close())
	require.NoError(t, tty.Close())
	require.ErrorContains(t, (&canvas{tty: tty}).draw([]string{"one"}), "measuring the terminal: ")
	require.Error(t, (&canvas{tty: tty}).close())
}

func TestKeysEndWithTheirTerminal(t *testing.T) {
	t.Parallel()
	keys := readKeys(t.Context(), strings.NewReader("a\r"))
	require.Equal(t, []rune{'a', keyEnter, keyLeave}, []rune{<-keys, <-keys, <-keys}, "a terminal that is closed is a person who left")
}
