package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// The live view is drawn by hand: the one library that would do it for us (bubbletea v1) asks every terminal for its
// colours when a program merely starts, which delays each command where the terminal does not answer, and leaves the
// answer among what is typed where it answers late.

// canvas redraws lines in place, below whatever the terminal shows.
type canvas struct {
	tty   *os.File
	shown []string // the lines drawn last
}

// draw puts the lines in place of the ones drawn before. Lines are wrapped to the terminal's width, so that nothing of a
// question or of the time left is lost; of too many, the last ones show.
func (c *canvas) draw(lines []string) error {
	width, height, err := term.GetSize(int(c.tty.Fd()))
	if err != nil {
		return fmt.Errorf("measuring the terminal: %w", err)
	}
	lines = strings.Split(ansi.Wrap(strings.Join(lines, "\n"), width, ""), "\n")
	if height > 1 {
		lines = lines[max(0, len(lines)-height+1):]
	}
	if slices.Equal(lines, c.shown) {
		return nil
	}
	var frame strings.Builder
	frame.WriteString("\x1b[?25l\r") // without a cursor
	if len(c.shown) > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA", len(c.shown))
	}
	for _, line := range lines {
		frame.WriteString("\x1b[K" + line + "\r\n") // cleared first: in a full line the cursor stands on the last character
	}
	frame.WriteString("\x1b[J") // nothing below
	c.shown = lines
	if _, err := io.WriteString(c.tty, frame.String()); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	return nil
}

// close shows the cursor again.
func (c *canvas) close() error {
	_, err := io.WriteString(c.tty, "\x1b[?25h")
	return err
}

// Keys that are not text. Those without a character of their own have negative numbers.
const (
	keyLeave     = 0x03 // Ctrl-C
	keyTab       = '\t'
	keyEnter     = '\r'
	keyResend    = 0x12 // Ctrl-R
	keyClear     = 0x15 // Ctrl-U
	keyEscape    = 0x1b
	keyBackspace = 0x7f
	keyUp        = -1
	keyDown      = -2
	keyOther     = -3
)

// readKeys reads what is typed at a terminal in raw mode. A terminal cannot be told to stop reading: the reader ends
// with the terminal.
func readKeys(ctx context.Context, tty io.Reader) <-chan rune {
	keys := make(chan rune)
	go func() {
		typed := bufio.NewReader(tty)
		for {
			key, err := readKey(typed)
			if err != nil {
				key = keyLeave // nobody is there any more
			}
			select {
			case keys <- key:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return keys
}

func readKey(typed *bufio.Reader) (rune, error) {
	key, _, err := typed.ReadRune()
	if err != nil || key != keyEscape || typed.Buffered() == 0 {
		return key, err
	}
	return readSequence(typed)
}

// readSequence reads what follows Escape: for the keys we know ESC [ and a letter, for others perhaps numbers before it.
func readSequence(typed *bufio.Reader) (rune, error) {
	opening, err := typed.ReadByte()
	if err != nil || opening != '[' && opening != 'O' {
		return keyOther, err
	}
	for {
		b, err := typed.ReadByte()
		switch {
		case err != nil:
			return keyOther, err
		case b == 'A' || b == 'Z': // Z is Shift-Tab
			return keyUp, nil
		case b == 'B':
			return keyDown, nil
		case b >= '@' && b <= '~':
			return keyOther, nil
		}
	}
}
