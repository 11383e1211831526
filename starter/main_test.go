package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// fixture is what the tests share: a Temporal server with a worker that runs the real workflows against a scripted
// utility, and a server without workers.
type fixture struct {
	dir       string
	address   string
	recipient string
	client    client.Client
	server    *devenv.Temporal
	idle      *devenv.Temporal // nobody works for this one
	mute      net.Listener     // takes connections and says nothing
	stop      func()
}

// shared is set once, before the first test.
var shared *fixture

func TestMain(m *testing.M) {
	testscript.Main(withFixture{m}, map[string]func(){"starter": main, "age": ageTool})
}

type withFixture struct{ m *testing.M }

// Run sets the fixture up, runs the tests and clears it.
func (o withFixture) Run() int {
	s, err := newFixture()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		return 1
	}
	shared = s
	if err := s.export(); err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		return 1
	}
	code := o.m.Run()
	if err := s.clear(); err != nil {
		fmt.Fprintln(os.Stderr, "clearing the tests up:", err)
		return 1
	}
	return code
}

func newFixture() (s *fixture, err error) {
	s = &fixture{}
	if s.dir, err = os.MkdirTemp("", "starter-test-"); err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.clear())
		}
	}()
	identity, err := sealed.LoadOrCreate(filepath.Join(s.dir, "identity.txt"))
	if err != nil {
		return s, err
	}
	s.recipient = identity.Recipient()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if s.server, err = devenv.StartTemporal(ctx, devenv.TemporalOptions{Dir: filepath.Join(s.dir, "temporal")}); err != nil {
		return s, err
	}
	if s.idle, err = devenv.StartTemporal(ctx, devenv.TemporalOptions{Dir: filepath.Join(s.dir, "idle")}); err != nil {
		return s, err
	}
	if s.mute, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return s, err
	}
	s.address = s.server.Address()
	if s.client, err = dial(s.address); err != nil {
		return s, err
	}
	s.stop, err = startScripted(s.client, identity)
	return s, err
}

// export lets commands that run in this process find the fixture.
func (s *fixture) export() error {
	return errors.Join(os.Setenv("TEMPORAL_ADDRESS", s.address), os.Setenv("MK_RECIPIENT", s.recipient))
}

func (s *fixture) clear() error {
	if s.stop != nil {
		s.stop()
	}
	if s.client != nil {
		s.client.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var stopped error
	if s.mute != nil {
		stopped = errors.Join(stopped, s.mute.Close())
	}
	for _, server := range []*devenv.Temporal{s.server, s.idle} {
		if server != nil {
			stopped = errors.Join(stopped, server.Stop(ctx))
		}
	}
	return errors.Join(stopped, os.RemoveAll(s.dir))
}
