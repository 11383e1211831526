// Package postgrestest runs real PostgreSQL servers for tests, with the programs that MK_POSTGRES names.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startLimit = 5 * time.Minute // it takes a second or two; this ends a wait for one that hangs
	startPoll  = 20 * time.Millisecond

	// tied runs the server in its arguments for as long as its input 3 is open, whatever becomes of us who hold the other end.
	tied = `"$@" 3<&- & server=$!; (cat <&3; kill -INT $server) & wait $server`
)

// Options say what a server is like.
type Options struct {
	Initdb   []string  // flags of initdb, without the folder
	Password io.Reader // what initdb reads from its standard input, for --pwfile=/dev/stdin
	Postgres []string  // flags of postgres, without the folder
}

// Server is a running PostgreSQL with a cluster of its own.
type Server struct {
	Dir string // its folder, in which its socket is

	tie   io.Closer     // the server ends when this is closed
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; readable once ended is closed
}

// Start makes a cluster in a new temporary folder and returns when its server takes connections.
func Start(o Options) (*Server, error) {
	programs := os.Getenv("MK_POSTGRES")
	if programs == "" {
		return nil, errors.New("MK_POSTGRES does not name PostgreSQL's folder of programs: run `make setup`, then `. .tools/env`")
	}
	dir, err := os.MkdirTemp("", "mk-pg-")
	if err != nil {
		return nil, fmt.Errorf("making the cluster's folder: %w", err)
	}
	s := &Server{Dir: dir}
	if err := s.start(programs, o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) start(programs string, o Options) error {
	who, programs, err := s.user(programs)
	if err != nil {
		return err
	}
	initdb := exec.CommandContext(context.Background(), filepath.Join(programs, "initdb"), append(o.Initdb, "-D", s.data(), "--no-sync")...)
	initdb.Dir, initdb.SysProcAttr, initdb.Stdin = s.Dir, who, o.Password
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("making a cluster: %w: %s", err, out)
	}
	server := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", tied, "sh", filepath.Join(programs, "postgres"),
		"-D", s.data(), "-k", s.Dir, "-c", "fsync=off"}, o.Postgres...)...)
	server.Dir, server.SysProcAttr = s.Dir, who
	if err := s.run(server); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	return s.ready()
}

// user is whom the server runs as, and the programs for that user: ourselves with the ones named; or nobody if we are root,
// whom PostgreSQL refuses, with copies in the server's folder where nobody may not go, such as below /root.
func (s *Server) user(programs string) (*syscall.SysProcAttr, string, error) {
	if os.Geteuid() != 0 {
		return nil, programs, nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return nil, "", fmt.Errorf("looking for a user who is not root: %w", err)
	}
	who := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	try := exec.CommandContext(context.Background(), filepath.Join(programs, "postgres"), "--version")
	try.Dir, try.SysProcAttr = "/", who
	if errors.Is(try.Run(), fs.ErrPermission) {
		copied := filepath.Join(s.Dir, "programs")
		if err := os.CopyFS(copied, os.DirFS(filepath.Dir(programs))); err != nil {
			return nil, "", fmt.Errorf("copying PostgreSQL's programs: %w", err)
		}
		programs = filepath.Join(copied, filepath.Base(programs))
	}
	return who, programs, filepath.WalkDir(s.Dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(uid), int(gid)))
	})
}

func nobody() (uid, gid uint32, err error) {
	found, err := user.Lookup("nobody")
	if err != nil {
		return 0, 0, err
	}
	u, uidErr := strconv.ParseUint(found.Uid, 10, 32)
	g, gidErr := strconv.ParseUint(found.Gid, 10, 32)
	return uint32(u), uint32(g), errors.Join(uidErr, gidErr)
}

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

func (s *Server) run(server *exec.Cmd) error {
	held, tie, err := os.Pipe()
	if err != nil {
		return err
	}
	s.tie = tie
	log, err := os.Create(filepath.Join(s.Dir, "log"))
	if err != nil {
		return errors.Join(err, held.Close())
	}
	server.ExtraFiles, server.Stdout, server.Stderr = []*os.File{held}, log, log
	if err := errors.Join(server.Start(), held.Close(), log.Close()); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		s.err = server.Wait()
		close(s.ended)
	}()
	return nil
}

// ready waits until the server takes connections, which is what it writes into its file of the process then.
func (s *Server) ready() error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	every := time.NewTicker(startPoll)
	defer every.Stop()
	for {
		process, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		if err == nil && strings.HasSuffix(strings.TrimSpace(string(process)), "\nready") {
			return nil
		}
		select {
		case <-every.C:
		case <-s.ended:
			return fmt.Errorf("PostgreSQL ended at once: %s", s.Log())
		case <-limit.C:
			return fmt.Errorf("PostgreSQL takes no connections: %s", s.Log())
		}
	}
}

// Log is what the server has said.
func (s *Server) Log() string {
	said, err := os.ReadFile(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(said)
}

// Stop ends the server, if it runs, and removes its folder. The error says how it ended, if not well.
func (s *Server) Stop() error {
	var errs []error
	if s.tie != nil {
		errs = append(errs, s.tie.Close())
	}
	if s.ended != nil {
		<-s.ended
		errs = append(errs, s.err)
	}
	return errors.Join(append(errs, os.RemoveAll(s.Dir))...)
}
