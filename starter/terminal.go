package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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

// terminal is the person in front of the terminal.
type terminal struct{ tty *os.File }

// errNothingTyped ends a question that was answered with nothing.
var errNothingTyped = badInput("nothing was typed", "type an answer and press Enter; Ctrl-C stops")

// openTerminal opens the terminal that standard input is, if it is one. Close it after use.
func openTerminal(stdin io.Reader) (*terminal, bool) {
	if _, ok := isTerminal(stdin); !ok {
		return nil, false
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, false
	}
	return &terminal{tty: tty}, true
}

func (t *terminal) close() error { return t.tty.Close() }

// say prints a line.
func (t *terminal) say(text string) error {
	_, err := fmt.Fprintln(t.tty, text)
	return err
}

// ask asks for a line that may be seen.
func (t *terminal) ask(ctx context.Context, prompt string) (string, error) {
	return t.question(ctx, prompt, func() (string, error) { return readLine(t.tty) })
}

// askHidden asks for a line that must not be seen.
func (t *terminal) askHidden(ctx context.Context, prompt string) (string, error) {
	return t.question(ctx, prompt, func() (string, error) {
		secret, err := term.ReadPassword(int(t.tty.Fd())) //nolint:gosec // file descriptors are small
		if _, lineErr := fmt.Fprintln(t.tty); err == nil {
			err = lineErr
		}
		return string(secret), err
	})
}

// question asks and waits for the answer or for ctx. A terminal cannot be told to stop reading, so the reader is left
// behind when ctx ends first, and the terminal put back as it was found.
func (t *terminal) question(ctx context.Context, prompt string, read func() (string, error)) (string, error) {
	fd := int(t.tty.Fd()) //nolint:gosec // file descriptors are small
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("reading the terminal's settings: %w", err)
	}
	if _, err := fmt.Fprint(t.tty, prompt+" "); err != nil {
		return "", fmt.Errorf("asking: %w", err)
	}
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
		return "", errors.Join(ctx.Err(), t.say(""), term.Restore(fd, before))
	}
}

func answered(text string, err error) (string, error) {
	text = strings.TrimRight(text, "\r\n")
	switch {
	case errors.Is(err, io.EOF) && text == "", err == nil && text == "":
		return "", errNothingTyped
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	return text, nil
}

// readLine reads one line byte by byte: what is typed ahead belongs to the next question.
func readLine(r io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		if n == 1 && one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[:n]...)
		if err != nil {
			return string(line), err
		}
	}
}

// stdinLimit bounds what is read from standard input: secrets are short.
const stdinLimit = 64 << 10

// stdinLines reads exactly n lines from standard input; want says what they are to be.
func stdinLines(stdin io.Reader, n int, want string) ([]string, error) {
	scanner := bufio.NewScanner(io.LimitReader(stdin, stdinLimit))
	var lines []string
	for scanner.Scan() {
		lines = append(lines, strings.TrimSuffix(scanner.Text(), "\r"))
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	for len(lines) > n && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) != n {
		return nil, badInput(fmt.Sprintf("standard input holds %s, not %d", count(len(lines), "line"), n), "give it "+want)
	}
	for i, line := range lines {
		if line == "" {
			return nil, badInput(fmt.Sprintf("line %d of standard input is empty", i+1), "give it "+want)
		}
	}
	return lines, nil
}
