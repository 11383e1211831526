// Package devenv runs the parts of Meterkey that live on one machine as child processes: Temporal's development server and
// our own programs.
package devenv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/meterkey/meterkey/sdk"
)

const (
	// temporalStartLimit bounds the wait for a server that is up but never becomes usable. It takes about one second, on a
	// busy machine many.
	temporalStartLimit = 5 * time.Minute
	// readyInterval is the pause between two looks at a starting server.
	readyInterval = 50 * time.Millisecond
	// readyCallLimit bounds each look, so that one lost answer does not use up the whole wait.
	readyCallLimit = 30 * time.Second

	// startAttempts bounds how often a server that lost a port is started anew.
	startAttempts = 3

	namespace = "default"
)

// errPortLost says that the server could not listen on a port that had just been free.
var errPortLost = errors.New("a port it was to listen on was taken")

// DynamicConfig returns the settings, KEY=VALUE with the value in JSON, that fit a server to data requests;
// deploy/temporal/dynamicconfig.yaml has the same and says what each is for.
func DynamicConfig() []string {
	return []string{
		"history.transferProcessorMaxPollRPS=5000",
		"history.timerProcessorMaxPollRPS=5000",
		"history.visibilityProcessorMaxPollRPS=5000",
		"matching.numTaskqueueReadPartitions=1",
		"matching.numTaskqueueWritePartitions=1",
		"matching.useNewMatcher=true",
		"matching.enableFairness=true",
		`history.workflowTaskRetryMaxInterval="2s"`,
		"system.enableActivityEagerExecution=true",
		"frontend.WorkerHeartbeatsEnabled=true",
		"frontend.ListWorkersEnabled=true",
	}
}

// TemporalOptions says how to run Temporal's development server.
type TemporalOptions struct {
	Binary string // the temporal command line tool; "" looks where FindTemporal does
	// Dir is the folder of the database file and of the server's log, temporal.log. There is no running without a file: a
	// database in memory is gone, namespace and all, as soon as the server's one connection to it breaks on a busy machine.
	Dir     string
	Address string // host:port of the frontend; port 0 takes a free one
	UIPort  int    // port of the Web UI, on the same host; 0 runs without it
	// Settings go before those of DynamicConfig, in the same form.
	Settings []string
}

// Temporal is a running development server.
type Temporal struct {
	process *Process
	address string
	uiURL   string
}

// StartTemporal starts Temporal's development server as a child of this process and returns once it answers and our
// search attributes are registered, which ctx bounds. An error shows what the server said last.
func StartTemporal(ctx context.Context, o TemporalOptions) (*Temporal, error) {
	binary, err := FindTemporal(o.Binary)
	if err != nil {
		return nil, err
	}
	// The server takes several free ports of its own choice besides ours. Between finding one free and listening on it,
	// another program can take it: a new attempt finds others.
	for attempt := 1; ; attempt++ {
		t, err := startTemporalOnce(ctx, binary, o)
		if !errors.Is(err, errPortLost) || attempt == startAttempts {
			return t, err
		}
	}
}

func startTemporalOnce(ctx context.Context, binary string, o TemporalOptions) (*Temporal, error) {
	var err error
	if o.Address, err = FreeAddress(o.Address); err != nil {
		return nil, fmt.Errorf("starting the temporal server: %w", err)
	}
	args, err := temporalArgs(o)
	if err != nil {
		return nil, err
	}
	process, err := Start(Command{Path: binary, Args: args, Log: filepath.Join(o.Dir, "temporal.log")})
	if err != nil {
		return nil, err
	}
	t := &Temporal{process: process, address: o.Address, uiURL: uiURL(o)}
	if err := t.waitReady(ctx); err != nil {
		err = fmt.Errorf("starting the temporal server: %w; it said last:\n%s", err, process.Tail())
		return nil, errors.Join(err, process.Kill())
	}
	return t, nil
}

// Address is the frontend's host:port, for Temporal clients.
func (t *Temporal) Address() string { return t.address }

// UIURL is the Web UI's address, "" when it runs without one.
func (t *Temporal) UIURL() string { return t.uiURL }

// PID is the server's process id.
func (t *Temporal) PID() int { return t.process.PID() }

// Tail is what the server said last.
func (t *Temporal) Tail() string { return t.process.Tail() }

// Done is closed when the server has ended, by Stop or by itself.
func (t *Temporal) Done() <-chan struct{} { return t.process.Done() }

// Stop ends the server, by force when ctx ends first. It is gone afterwards either way.
func (t *Temporal) Stop(ctx context.Context) error { return t.process.Stop(ctx) }

// FindTemporal returns the path of the temporal command line tool: the one named, else the one MK_TEMPORAL names, else
// the one `make setup` built into .tools/bin of the project around the working directory, else the one on the PATH.
// The built one goes before the PATH's, which may be one as released: its database can break for good when a call gives up.
func FindTemporal(named string) (string, error) {
	for _, path := range []string{named, os.Getenv("MK_TEMPORAL")} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("finding the temporal tool: %w", err)
		}
		return path, nil
	}
	if path, ok := builtTemporal(); ok {
		return path, nil
	}
	path, err := exec.LookPath("temporal")
	if err != nil {
		return "", fmt.Errorf("finding the temporal tool: neither MK_TEMPORAL nor .tools/bin nor the PATH has it; run `make setup`")
	}
	return path, nil
}

// builtTemporal looks for .tools/bin/temporal in the working directory and every folder above it.
func builtTemporal() (string, bool) {
	dir, err := os.Getwd()
	for err == nil {
		path := filepath.Join(dir, ".tools", "bin", "temporal")
		if _, statErr := os.Stat(path); statErr == nil {
			return path, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return "", false
}

// FreeAddress returns host:port of an address that nothing listens on: the one asked for, which is an error if it is
// taken, or for port 0 a free one. "" stands for 127.0.0.1:0.
func FreeAddress(address string) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", fmt.Errorf("trying address %s: %w", address, err)
	}
	free := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", fmt.Errorf("trying address %s: %w", address, err)
	}
	return free, nil
}

// temporalArgs returns the arguments of `temporal` and makes the database's folder.
func temporalArgs(o TemporalOptions) ([]string, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("reading the temporal server's address: %w", err)
	}
	args := []string{"server", "start-dev", "--ip", host, "--port", port, "--log-format", "json", "--log-level", "warn"}
	if o.UIPort == 0 {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(o.UIPort))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the temporal server's folder: %w", err)
	}
	args = append(args, "--db-filename", filepath.Join(o.Dir, "temporal.db"))
	for _, pragma := range pragmas() {
		args = append(args, "--sqlite-pragma", pragma)
	}
	for _, name := range sdk.SearchAttributes() {
		args = append(args, "--search-attribute", name+"=Keyword")
	}
	for _, setting := range slices.Concat(DynamicConfig(), []string{cachedSearchAttributes}, o.Settings) {
		args = append(args, "--dynamic-config-value", setting)
	}
	return args, nil
}

// cachedSearchAttributes gives the development server what any other server has by default: search attributes from its
// cache. The command line tool has it read them from the database for every call that names one, for three seconds at most,
// and a read that takes longer makes it say that its namespace is not there, at which workers end. A program that adds a
// search attribute while the server runs sees it some seconds later; ours are there before it starts.
const cachedSearchAttributes = "system.forceSearchAttributesCacheRefreshOnRead=false"

// pragmas are how the development server writes its database: without waiting for the disk. Each transaction of the server
// waits for two or three syncs otherwise, all on one connection. What this gives up is what was written in the seconds
// before the power went out, and the windows of those seconds are gone with it.
func pragmas() []string { return []string{"journal_mode=wal", "synchronous=off"} }

// uiURL returns the address of the Web UI that temporalArgs asks for.
func uiURL(o TemporalOptions) string {
	if o.UIPort == 0 {
		return ""
	}
	host, _, _ := net.SplitHostPort(o.Address) // temporalArgs has read it before
	return "http://" + net.JoinHostPort(host, strconv.Itoa(o.UIPort))
}

// waitReady returns when the server is usable; it gives up when the server has ended or time is up.
func (t *Temporal) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, temporalStartLimit)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{
		HostPort: t.address, Namespace: namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	defer c.Close()
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for {
		err := ready(ctx, c)
		if err == nil {
			return nil
		}
		select {
		case <-t.Done():
			return t.earlyEnd()
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", err)
		case <-tick.C:
		}
	}
}

// earlyEnd says why the server ended before it was ready.
func (t *Temporal) earlyEnd() error {
	if t.process.Said(syscall.EADDRINUSE.Error()) {
		return errPortLost
	}
	return fmt.Errorf("it ended by itself with %s", t.process.cmd.ProcessState)
}

// ready returns nil when the frontend answers and knows our search attributes.
func ready(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, readyCallLimit)
	defer cancel()
	if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("checking its health: %w", err)
	}
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("listing its search attributes: %w", err)
	}
	missing := slices.DeleteFunc(sdk.SearchAttributes(), func(name string) bool {
		_, ok := known.GetCustomAttributes()[name]
		return ok
	})
	if len(missing) > 0 {
		return fmt.Errorf("search attributes %v are not registered yet", missing)
	}
	return nil
}
