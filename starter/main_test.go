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

// stage is what the tests play on: a Temporal server with a worker that runs the real workflows against a scripted
// utility, and a server without workers.
type stage struct {
	dir       string
	address   string
	recipient string
	client    client.Client
	server    *devenv.Temporal
	idle      *devenv.Temporal // nobody works for this one
	mute      net.Listener     // takes connections and says nothing
	stop      func()
}

// theStage is set once, before the first test.
var theStage *stage

func TestMain(m *testing.M) {
	testscript.Main(onStage{m}, map[string]func(){"starter": main, "age": ageTool})
}

type onStage struct{ m *testing.M }

// Run sets the stage, runs the tests and clears it.
func (o onStage) Run() int {
	s, err := setStage()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the stage:", err)
		return 1
	}
	theStage = s
	if err := s.export(); err != nil {
		fmt.Fprintln(os.Stderr, "setting the stage:", err)
		return 1
	}
	code := o.m.Run()
	if err := s.clear(); err != nil {
		fmt.Fprintln(os.Stderr, "clearing the stage:", err)
		return 1
	}
	return code
}

func setStage() (s *stage, err error) {
	s = &stage{}
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

// export lets commands that run in this process find the stage.
func (s *stage) export() error {
	return errors.Join(os.Setenv("TEMPORAL_ADDRESS", s.address), os.Setenv("MK_RECIPIENT", s.recipient))
}

func (s *stage) clear() error {
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
