package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// dialogue is what a person does at a terminal, a line each:
//
//	expect TEXT   waits until the terminal shows the text, after what was expected before
//	ticks         waits until the terminal shows another time left than it did, after what was expected before
//	type TEXT     types it and presses Enter
//	write TEXT    types it
//	press KEY     presses ctrl-c, ctrl-d, ctrl-r, ctrl-u, backspace, tab, up or enter
//	size R C      as the first line: the terminal has R rows and C columns
//	meanwhile P   runs another program to its end, without a terminal: somebody else at work
type dialogue string

const dialoguePatience = 3 * time.Minute

// play runs the program on a pseudo-terminal and returns all that it showed. The error is the program's, or says what
// was waited for in vain.
func (d dialogue) play(cmd *exec.Cmd) (string, error) {
	master, err := onPTY(cmd, d.size())
	if err != nil {
		return "", err
	}
	s := &screen{changed: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.follow(master)
	}()
	played := d.lines(s, master, cmd)
	if played != nil {
		played = errors.Join(played, cmd.Process.Kill())
	}
	ended := waitFor(cmd)
	<-read
	return s.String(), errors.Join(played, ended, master.Close())
}

// onPTY starts the program on a pseudo-terminal of its own that keeps what it has not shown yet when Ctrl-C is pressed:
// by default that is thrown away, and with it, on a busy machine, the program's answer to the Ctrl-C.
func onPTY(cmd *exec.Cmd, size *pty.Winsize) (*os.File, error) {
	master, terminal, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = terminal.Close() }() // the program has its own
	stty := exec.CommandContext(context.Background(), "stty", "noflsh")
	stty.Stdin = terminal
	if err = errors.Join(pty.Setsize(master, size), stty.Run()); err == nil {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, master.Close())
	}
	return master, nil
}

// size is the terminal's at the beginning.
func (d dialogue) size() *pty.Winsize {
	size := &pty.Winsize{Rows: 50, Cols: 120}
	if rest, sized := strings.CutPrefix(string(d), "size "); sized {
		_, _ = fmt.Sscan(rest, &size.Rows, &size.Cols) // what cannot be read stays as usual
	}
	return size
}

// waitFor waits for a program that was told all it will be told.
func waitFor(cmd *exec.Cmd) error {
	ctx, cancel := context.WithTimeout(context.Background(), dialoguePatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // Wait tells
	defer stop()
	return cmd.Wait()
}

func (d dialogue) lines(s *screen, terminal *os.File, cmd *exec.Cmd) error {
	for line := range strings.Lines(string(d)) {
		verb, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch verb {
		case "", "size":
		case "meanwhile":
			err = meanwhile(cmd, strings.Fields(text))
		case "expect":
			err = s.expect(text)
		case "ticks":
			err = s.await("another time left", endOfTick)
		case "type":
			_, err = terminal.WriteString(text + "\r")
		case "write":
			_, err = terminal.WriteString(text)
		case "press":
			_, err = terminal.WriteString(keys[text])
		default:
			err = fmt.Errorf("no line of a dialogue: %s", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// meanwhile runs a program in the environment of the one on the terminal.
func meanwhile(beside *exec.Cmd, args []string) error {
	program, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialoguePatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Env, cmd.Dir = beside.Env, beside.Dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", args, err, said)
	}
	return nil
}

var keys = map[string]string{
	"ctrl-c": "\x03", "ctrl-d": "\x04", "ctrl-r": "\x12", "ctrl-u": "\x15", "up": "\x1b[A", "backspace": "\x7f", "tab": "\t", "enter": "\r",
}

// screen collects what a terminal shows.
type screen struct {
	mu      sync.Mutex
	shown   strings.Builder
	seen    int // up to where expect has looked
	ended   bool
	changed chan struct{}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// follow reads until the program has closed the terminal, which reads as an error.
func (s *screen) follow(terminal interface{ Read([]byte) (int, error) }) {
	buffer := make([]byte, 4096)
	for {
		n, err := terminal.Read(buffer)
		s.mu.Lock()
		s.shown.Write(buffer[:n])
		s.ended = err != nil
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// endOfTick is where a time left ends that differs from the first one shown, or -1.
func endOfTick(shown string) int {
	var first string
	for _, at := range timeLeft.FindAllStringIndex(shown, -1) {
		left := shown[at[0]:at[1]]
		if first != "" && left != first {
			return at[1]
		}
		first = left
	}
	return -1
}

func (s *screen) expect(text string) error {
	return s.await(strconv.Quote(text), func(shown string) int {
		if before, _, found := strings.Cut(shown, text); found {
			return len(before) + len(text)
		}
		return -1
	})
}

// await waits until end tells where something ends in what the terminal shows after what was expected before.
func (s *screen) await(what string, end func(shown string) int) error {
	deadline := time.After(dialoguePatience)
	for {
		found, ended := s.find(end)
		switch {
		case found:
			return nil
		case ended:
			return fmt.Errorf("the program ended before it showed %s", what)
		}
		select {
		case <-s.changed:
		case <-deadline:
			return fmt.Errorf("the terminal never showed %s", what)
		}
	}
}

func (s *screen) find(end func(shown string) int) (found, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := end(s.shown.String()[s.seen:])
	if at >= 0 {
		s.seen += at
	}
	return at >= 0, s.ended
}
