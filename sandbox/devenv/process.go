package devenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// tailBytes is how much of a log an error message shows.
const tailBytes = 2000

// Command says how to start a program.
type Command struct {
	Path string   // the executable
	Args []string // arguments, without the program's name
	Env  []string // KEY=value pairs on top of this process's environment
	Log  string   // file to which standard output and standard error are appended
}

// Process is a running child. It leads a process group of its own, so a Ctrl-C on the terminal reaches it only through
// us, and on Linux it is killed when we die.
type Process struct {
	name     string
	log      string
	logStart int64
	cmd      *exec.Cmd
	done     chan struct{}
	err      error // how it ended; readable once done is closed
}

// Start starts the command and returns at once. The process runs until it ends by itself or is stopped or killed.
func Start(c Command) (*Process, error) {
	name := filepath.Base(c.Path)
	out, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	defer func() { _ = out.Close() }() // the child holds its own copy; nothing of ours is unwritten
	start, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}

	// Stop and Kill end it: no context of the caller lives as long as the process does.
	cmd := exec.CommandContext(context.Background(), c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttributes()

	p := &Process{name: name, log: c.Log, logStart: start, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// run keeps one operating system thread for as long as the child lives: Linux kills the child when the thread that
// started it ends, which may be long before this process does.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID is the process's id, which is also its group's.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the process to end. It returns nil for exit status 0, an *exec.ExitError for any other end, and the
// context's error if that comes first.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("waiting for %s: %w", p.name, ctx.Err())
	}
}

// Kill ends the process as a crash would, with SIGKILL and without its children, and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Stop asks the process to end with SIGTERM and waits. When ctx ends first, the whole group is killed and Stop says so
// in its error. Either way the process is gone afterwards.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := syscall.Kill(-p.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	<-p.done
	return fmt.Errorf("stopping %s: it did not end in time and was killed: %w", p.name, ctx.Err())
}

// Tail returns the last lines that the process has written to its log, up to 2,000 bytes.
func (p *Process) Tail() string {
	file, err := os.Open(p.log)
	if err != nil {
		return fmt.Sprintf("(its log cannot be read: %v)", err)
	}
	defer func() { _ = file.Close() }() // only read from
	info, err := file.Stat()
	if err != nil {
		return fmt.Sprintf("(its log cannot be read: %v)", err)
	}
	from := max(p.logStart, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return fmt.Sprintf("(its log cannot be read: %v)", err)
	}
	return string(text)
}

// signal sends sig to the process; one that has already ended needs no signal.
func (p *Process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("sending %s to %s: %w", sig, p.name, err)
	}
	return nil
}

// Said tells whether the process has written this text to its log.
func (p *Process) Said(text string) bool {
	log, err := os.ReadFile(p.log)
	return err == nil && int64(len(log)) >= p.logStart && strings.Contains(string(log[p.logStart:]), text)
}
