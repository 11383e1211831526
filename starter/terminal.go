package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// How the command line talks with people. Every command keeps these rules:
//
//   - A question is asked only where standard input is a terminal, and on the terminal itself (/dev/tty), so that
//     standard output and standard error can go anywhere. Elsewhere the answer is read from standard input and nothing
//     is asked.
//   - Passwords, codes and security answers are never echoed, never taken from arguments or the environment and never
//     printed, not even in an error. User names are echoed: people need to see what they typed.
//   - A question says what happens with the answer, and which answers are possible.
//   - What a command was asked for goes to standard output; progress and remarks go to standard error, and progress only
//     where that is a terminal.
//   - A mistake takes one line that says what is wrong and, in brackets, what would be right.
//   - Colours and moving parts appear on a terminal only. Texts that come from elsewhere are stripped of control
//     characters first.

// terminal is the person in front of the terminal. It is in raw mode from openTerminal to close, so that nothing is ever
// echoed but what ask shows, not even what is typed ahead of a question.
type terminal struct {
	tty    *os.File
	before *term.State
	lines  *term.Terminal
}

// Answers that are none.
var (
	errNothingTyped = badInput("nothing was typed", "type an answer and press Enter; Ctrl-C stops")
	errStopped      = &failure{exitInterrupted, "stopped; nothing was sent", ""}
	errNoTerminal   = errors.New("standard input is no terminal")
)

// person opens the terminal that standard input is; ok tells whether it is one.
func (a *app) person() (t *terminal, ok bool, err error) {
	if !isTerminal(a.stdin) {
		return nil, false, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, true, fmt.Errorf("opening the terminal: %w", err)
	}
	fd := int(tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return nil, true, fmt.Errorf("silencing the terminal: %w", errors.Join(err, tty.Close()))
	}
	lines := term.NewTerminal(tty, "")
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		err = lines.SetSize(width, height)
		if err != nil {
			return nil, true, errors.Join(err, term.Restore(fd, before), tty.Close())
		}
	}
	return &terminal{tty, before, lines}, true, nil
}

func (t *terminal) close() error {
	return errors.Join(term.Restore(int(t.tty.Fd()), t.before), t.tty.Close())
}

// say prints lines.
func (t *terminal) say(lines ...string) error {
	_, err := io.WriteString(t.lines, strings.Join(lines, "\n")+"\n")
	return err
}

// ask asks for a line that may be seen.
func (t *terminal) ask(ctx context.Context, prompt string) (string, error) {
	t.lines.SetPrompt(prompt + " ")
	return question(ctx, t.lines.ReadLine)
}

// askHidden asks for a line that must not be seen.
func (t *terminal) askHidden(ctx context.Context, prompt string) (string, error) {
	return question(ctx, func() (string, error) { return t.lines.ReadPassword(prompt + " ") })
}

// question waits for the answer or for ctx. A terminal cannot be told to stop reading: when ctx ends first, the reader is
// left behind.
func question(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return answered(a.text, a.err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func answered(text string, err error) (string, error) {
	switch {
	case errors.Is(err, io.EOF): // Ctrl-C, or Ctrl-D on an empty line
		return "", errStopped
	case err != nil:
		return "", fmt.Errorf("reading the answer: %w", err)
	case strings.TrimSpace(text) == "":
		return "", errNothingTyped
	}
	return text, nil
}

// stdinLimit bounds what is read from standard input: secrets are short.
const stdinLimit = 64 << 10

// stdinLines reads exactly n lines from standard input; want says what they are to be.
func stdinLines(stdin io.Reader, n int, want string) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(stdin, stdinLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	if len(text) > stdinLimit {
		return nil, badInput("standard input holds more than 64 KiB", "give it "+want)
	}
	var lines []string
	for line := range strings.Lines(strings.TrimPrefix(string(text), byteOrderMark)) {
		lines = append(lines, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
	}
	for len(lines) > n && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) != n {
		return nil, badInput(fmt.Sprintf("standard input holds %s, not %d", count(len(lines), "line"), n), "give it "+want)
	}
	for i, line := range lines {
		if wrong := unfit(line); wrong != "" {
			return nil, badInput(fmt.Sprintf("line %d of standard input %s", i+1, wrong), "give it "+want)
		}
	}
	return lines, nil
}

// byteOrderMark is what some programs begin a text with, and nobody types.
const byteOrderMark = "\ufeff"

// unfit says why a line can be no answer, empty if it can. What is not told here would cost a try at the utility.
func unfit(line string) string {
	switch {
	case strings.TrimSpace(line) == "":
		return "is empty"
	case !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl):
		return "is no text in UTF-8 that could be typed"
	default:
		return ""
	}
}
