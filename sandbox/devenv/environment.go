package devenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/sandbox/practice"
)

const (
	// stopLimit bounds the end of each process of ours. A worker that still has windows open is not waited for: its browser
	// is ended right after it.
	stopLimit = 5 * time.Second
	// temporalStopLimit bounds the end of the server, which takes a second, on a busy machine many.
	temporalStopLimit = time.Minute
)

// Options say how to run Meterkey on one machine.
type Options struct {
	Bin      string // folder of the built programs
	Dir      string // folder of everything that the stack keeps
	Temporal TemporalOptions
	Practice practice.Options
	// Portal is the address that the portal listens on; a free one unless given.
	Portal string
	// Env is more environment for the workers, KEY=value.
	Env []string
}

// Environment is Meterkey on one machine: Temporal's development server, the practice utilities, workers with their browsers,
// and the portal.
type Environment struct {
	Temporal *Temporal
	Practice *practice.Server
	options  Options
	workers  []*Worker
	portals  []*Process
	// portalAddress is known before the portal runs: links in notices begin with it.
	portalAddress string
	temporal      client.Client
	client        *sdk.Client
}

// Worker is a worker process and its browser host's folder.
type Worker struct {
	*Process
	name, home string
}

// Up starts Temporal and the practice utilities; StartWorker adds workers, StartPortal the portal. Call Down in the end, after an error too.
func Up(ctx context.Context, o Options) (*Environment, error) {
	s := &Environment{options: o}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return s, fmt.Errorf("making the environment's folder: %w", err)
	}
	o.Temporal.Dir = o.Dir
	var err error
	if s.portalAddress, err = FreeAddress(o.Portal); err != nil {
		return s, fmt.Errorf("finding an address for the portal: %w", err)
	}
	if s.Practice, err = practice.Start(ctx, o.Practice); err != nil {
		return s, fmt.Errorf("starting the practice utilities: %w", err)
	}
	if s.Temporal, err = StartTemporal(ctx, o.Temporal); err != nil {
		return s, err
	}
	origins, err := yaml.Marshal(s.Practice.Origins())
	if err == nil {
		err = os.WriteFile(s.file("origins.yaml"), origins, 0o600)
	}
	if err != nil {
		return s, fmt.Errorf("writing the origins: %w", err)
	}
	return s, nil
}

func (s *Environment) file(name string) string { return filepath.Join(s.options.Dir, name) }

// Env is the environment in which workers and the starter find this stack.
func (s *Environment) Env() []string {
	return append([]string{
		"TEMPORAL_ADDRESS=" + s.Temporal.Address(), "TEMPORAL_NAMESPACE=" + namespace,
		"MK_HOME=" + s.options.Dir, "MK_ORIGINS=" + s.file("origins.yaml"), "MK_PRACTICE_URL=" + s.Practice.URL(),
		"MK_PORTAL_LISTEN=" + s.portalAddress, "MK_PORTAL_URL=" + s.PortalURL(), "MK_WEBHOOKS_PRIVATE=true", "MK_GALLERY=true",
		// A practising browser reaches nothing but this machine: all else goes to a proxy that is not there.
		"MK_CHROMIUM_ARGS=--proxy-server=127.0.0.1:9 --proxy-bypass-list=*.localhost;127.0.0.1",
	}, s.options.Env...)
}

// StartWorker starts a worker on the browser host of this name and returns once it is ready. Starting one again on the
// same name goes on with the same browser and windows.
func (s *Environment) StartWorker(ctx context.Context, name string) (*Worker, error) {
	w := &Worker{name: name, home: s.file("host-" + name)}
	var err error
	w.Process, err = Start(Command{Path: filepath.Join(s.options.Bin, "worker"),
		Env: append(s.Env(), "MK_HOST_DIR="+w.home), Log: s.file("worker-" + name + ".log")})
	if err != nil {
		return nil, err
	}
	s.workers = append(s.workers, w)
	if err := w.waitFor(ctx, "worker ready"); err != nil {
		return w, fmt.Errorf("starting worker %s: %w", name, err)
	}
	return w, nil
}

// waitFor waits for the line with which a process says that it is ready.
func (p *Process) waitFor(ctx context.Context, ready string) error {
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for !p.Said(ready) {
		select {
		case <-ticker.C:
		case <-p.Done():
			return fmt.Errorf("%s ended; it said last:\n%s", p.name, p.Tail())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; it said last:\n%s", p.name, ctx.Err(), p.Tail())
		}
	}
	return nil
}

// Client is a typed client of this stack.
func (s *Environment) Client(ctx context.Context) (*sdk.Client, error) {
	if s.client != nil {
		return s.client, nil
	}
	settings, err := config.Load(environment(s.Env()))
	if err != nil {
		return nil, fmt.Errorf("reading the environment's settings: %w", err)
	}
	recipient, err := settings.Recipient()
	if err != nil {
		return nil, err
	}
	temporal, converter, err := settings.TemporalClient(ctx, zap.NewNop())
	if err != nil {
		return nil, err
	}
	s.temporal = temporal
	s.client = sdk.New(temporal, recipient, converter)
	return s.client, nil
}

// Recipient is what logins and codes are sealed to.
func (s *Environment) Recipient() (string, error) {
	settings, err := config.Load(environment(s.Env()))
	if err != nil {
		return "", fmt.Errorf("reading the environment's settings: %w", err)
	}
	return settings.Recipient()
}

// environment lets settings be read from a list of KEY=value, the last one of a name first.
type environment []string

// Environ is the list.
func (e environment) Environ() []string { return e }

// LookupEnv finds a value.
func (e environment) LookupEnv(name string) (string, bool) {
	for _, pair := range slices.Backward(e) {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value, true
		}
	}
	return "", false
}

var _ envconfig.EnvLookup = environment{}

// Down ends everything that the stack started, the browsers included. It goes on past errors.
func (s *Environment) Down(ctx context.Context) error {
	if s.temporal != nil {
		s.temporal.Close()
	}
	var failed []error
	processes := slices.Clone(s.portals)
	for _, w := range s.workers {
		processes = append(processes, w.Process)
	}
	for _, p := range processes {
		bounded, cancel := context.WithTimeout(ctx, stopLimit)
		if err := p.Stop(bounded); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			failed = append(failed, err)
		}
		cancel()
	}
	for _, w := range s.workers { // after all of them: two may share a host
		failed = append(failed, browser.End(ctx, w.home))
	}
	if s.Temporal != nil {
		bounded, cancel := context.WithTimeout(ctx, temporalStopLimit)
		failed = append(failed, s.Temporal.Stop(bounded))
		cancel()
	}
	if s.Practice != nil {
		if err := s.Practice.Close(ctx); !errors.Is(err, http.ErrServerClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// ReplaceWorker kills a worker as a crash would and starts another on the same browser host.
func (s *Environment) ReplaceWorker(ctx context.Context, name string) error {
	for i, w := range s.workers {
		if w.name != name {
			continue
		}
		if err := w.Kill(); err != nil {
			return err
		}
		if _, err := s.StartWorker(ctx, name); err != nil {
			return err // the old one stays listed, so that its browser is ended in the end
		}
		s.workers = slices.Delete(s.workers, i, i+1)
		return nil
	}
	return fmt.Errorf("replacing worker %s: there is none", name)
}

// SaveHistory writes the history of a data request's latest run to a file; see the function of this name.
func (s *Environment) SaveHistory(ctx context.Context, requestID, file string) error {
	return SaveHistory(ctx, s.temporal, meterkey.WorkflowID(requestID), file)
}

// Events counts the events of that history by their types.
func (s *Environment) Events(ctx context.Context, requestID string) (map[enumspb.EventType]int, error) {
	history, err := fetchHistory(ctx, s.temporal, meterkey.WorkflowID(requestID))
	counts := map[enumspb.EventType]int{}
	for _, event := range history.GetEvents() {
		counts[event.GetEventType()]++
	}
	return counts, err
}

// Run waits for the end of a data request's latest run and reads its result.
func (s *Environment) Run(ctx context.Context, requestID string, result *meterkey.Result) error {
	if err := s.temporal.GetWorkflow(ctx, meterkey.WorkflowID(requestID), "").Get(ctx, result); err != nil {
		return fmt.Errorf("waiting for the end of %s: %w", requestID, err)
	}
	return nil
}

// Worker is the worker of this name, nil when there is none.
func (s *Environment) Worker(name string) *Worker {
	for _, w := range s.workers {
		if w.name == name {
			return w
		}
	}
	return nil
}

// KillBrowser ends a worker's browser behind its back, as a crash would.
func (s *Environment) KillBrowser(name string) error {
	text, err := os.ReadFile(filepath.Join(s.file("host-"+name), "browser.json"))
	if err != nil {
		return fmt.Errorf("finding the browser of worker %s: %w", name, err)
	}
	var running struct{ PID int }
	if err := json.Unmarshal(text, &running); err != nil || running.PID <= 1 {
		return fmt.Errorf("finding the browser of worker %s: %q is no record of one: %w", name, text, err)
	}
	if err := syscall.Kill(-running.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the browser of worker %s: %w", name, err)
	}
	return nil
}
