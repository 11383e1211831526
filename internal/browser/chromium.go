package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

const (
	chromiumStartTimeout  = 3 * time.Minute
	chromiumAnswerTimeout = 15 * time.Second // for one that runs but is too busy to answer at once
	chromiumAnswerPause   = 100 * time.Millisecond
	chromiumEndTimeout    = 15 * time.Second
	processPoll           = 10 * time.Millisecond
)

// chromium finds, starts and ends the one Chromium that belongs to a host's folder, or finds one that somebody else runs.
// Its methods are called while browser.lock is held.
type chromium struct {
	dir        string
	executable string
	args       []string
	cdpURL     string
	log        *zap.Logger
	started    bool // the one that runs was started by this process
}

// running describes a Chromium process. The address contains a number drawn at its start, so it identifies
// that process; pid and start time do the same for a process that no longer answers.
type running struct {
	PID     int    `json:"pid"`
	Started string `json:"started"`
	Address string `json:"address"`
}

func (r running) alive() bool {
	started, ok := startOf(r.PID)
	return ok && started == r.Started
}

func (c *chromium) foreign() bool { return c.cdpURL != "" }

func (c *chromium) file(name string) string { return filepath.Join(c.dir, name) }

// find returns the WebSocket address of the running browser, or "" if none runs or the one that runs does not answer.
func (c *chromium) find(ctx context.Context) (string, error) {
	if c.foreign() {
		return browserAddress(ctx, httpAddress(c.cdpURL))
	}
	r, err := c.recall()
	if err != nil || !c.answers(ctx, r) {
		return "", errors.Join(err, ctx.Err())
	}
	return r.Address, nil
}

// answers gives a browser that runs time to say so: all its windows would be lost if it were given up too early.
func (c *chromium) answers(ctx context.Context, r running) bool {
	ctx, cancel := context.WithTimeout(ctx, chromiumAnswerTimeout)
	defer cancel()
	tick := time.NewTicker(chromiumAnswerPause)
	defer tick.Stop()
	for r.alive() {
		address, err := browserAddress(ctx, httpAddress(r.Address))
		if err == nil && address == r.Address {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.log.Warn("chromium does not answer", zap.Int("pid", r.PID), zap.Error(err))
			return false
		}
	}
	return false
}

// recall returns the zero value if no browser was started.
func (c *chromium) recall() (running, error) {
	var r running
	data, err := os.ReadFile(c.file("browser.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading browser.json: %w", err)
	}
	return r, nil
}

// start runs a new browser in a session of its own, where no signal meant for us reaches it, and returns its WebSocket address.
func (c *chromium) start(ctx context.Context) (string, error) {
	if c.foreign() {
		return "", fmt.Errorf("no browser answers at %s", c.cdpURL)
	}
	profile := c.file("profile")
	if err := os.RemoveAll(profile); err != nil {
		return "", fmt.Errorf("removing old profile: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, chromiumStartTimeout)
	defer cancel()
	r, ended, err := c.spawn(profile)
	if err != nil {
		return "", fmt.Errorf("starting chromium: %w", err)
	}
	if r.Address, err = c.awaitAddress(ctx, profile, ended); err == nil {
		err = c.remember(r)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("starting chromium: %w", err), kill(r))
	}
	c.started = true
	c.log.Info("chromium started", zap.Int("pid", r.PID), zap.String("executable", c.executable))
	return r.Address, nil
}

func (c *chromium) remember(r running) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Replace(c.file("browser.json"), append(data, '\n'), 0o600)
}

// spawn starts the process; ended is closed when it has ended and we are still there to see it.
func (c *chromium) spawn(profile string) (running, <-chan struct{}, error) {
	log, err := os.OpenFile(c.file("chromium.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return running{}, nil, err
	}
	cmd := exec.Command(c.executable, c.flags(profile)...) //nolint:noctx // it must outlive us
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, chromiumEnv(os.Environ()), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return running{}, nil, err
	}
	r := running{PID: cmd.Process.Pid}
	r.Started, _ = startOf(r.PID)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // only so that it does not stay as a zombie
	}()
	return r, ended, nil
}

func (c *chromium) flags(profile string) []string {
	flags := Flags(profile, 0)
	if os.Geteuid() == 0 {
		flags = append(flags, "--no-sandbox")
	}
	return append(flags, c.args...)
}

// Flags are those that Chromium is to be started with, also by whoever runs one for [Options.CDPURL]: headless, its folder
// profile, its DevTools on this port of loopback, 0 for a free one.
func Flags(profile string, port int) []string {
	return []string{
		"--headless",
		"--remote-debugging-port=" + strconv.Itoa(port),
		"--remote-debugging-address=127.0.0.1",
		"--user-data-dir=" + profile,
		"--window-size=1280,800",
		"--lang=en-US",
		"--accept-lang=en-US,en",
		"--no-first-run",
		"--no-default-browser-check",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
		"--disable-quic",
		"--disable-breakpad",
		"--disable-dev-shm-usage",
		"--disable-backgrounding-occluded-windows",
		"--disable-renderer-backgrounding",
		"--mute-audio",
		"--password-store=basic",
		"--use-mock-keychain",
	}
}

// chromiumEnv keeps what a browser needs of the environment. Ours may name keys and addresses that are no business of
// a program that runs other people's code.
func chromiumEnv(environ []string) []string {
	keep := []string{"HOME", "PATH", "TMPDIR", "TZ", "USER", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_RUNTIME_DIR"}
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !slices.Contains(keep, name)
	})
}

// awaitAddress waits for the file in which Chromium writes its port and the path of its WebSocket address.
func (c *chromium) awaitAddress(ctx context.Context, profile string, ended <-chan struct{}) (string, error) {
	tick := time.NewTicker(processPoll)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
		if port, path, ok := strings.Cut(string(data), "\n"); err == nil && ok && path != "" {
			return "ws://127.0.0.1:" + port + strings.TrimSpace(path), nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return "", fmt.Errorf("%s ended at once: %s", c.executable, c.stderrTail())
		case <-ctx.Done():
			return "", fmt.Errorf("%s opened no port: %w: %s", c.executable, context.Cause(ctx), c.stderrTail())
		}
	}
}

// stderrTail is the end of what the browser wrote to its standard error.
func (c *chromium) stderrTail() string {
	data, err := os.ReadFile(c.file("chromium.log"))
	if err != nil {
		return err.Error()
	}
	const enough = 600
	return string(bytes.TrimSpace(data[max(0, len(data)-enough):]))
}

// end ends the browser that was started last, if it still runs, and all its children.
func (c *chromium) end() error {
	r, err := c.recall()
	if err != nil {
		return err
	}
	if err := kill(r); err != nil {
		return fmt.Errorf("ending chromium: %w", err)
	}
	if err := os.Remove(c.file("browser.json")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// kill ends a browser's process group: politely first, so that it can clean up after itself.
func kill(r running) error {
	if !r.alive() {
		return nil
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.Kill(-r.PID, sig); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("signal to process group %d: %w", r.PID, err)
		}
		if gone(r, chromiumEndTimeout) && sig == unix.SIGKILL {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", r.PID)
}

func gone(r running, within time.Duration) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(processPoll)
	defer tick.Stop()
	for r.alive() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// browserAddress asks a browser's HTTP address for its WebSocket address.
func browserAddress(ctx context.Context, base string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/json/version", http.NoBody)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the browser is ours
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the browser for its address: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var version struct {
		Address string `json:"webSocketDebuggerUrl"`
	}
	if err := json.NewDecoder(response.Body).Decode(&version); err != nil {
		return "", fmt.Errorf("asking the browser for its address: %w", err)
	}
	if version.Address == "" {
		return "", errors.New("asking the browser for its address: it names none")
	}
	return version.Address, nil
}

// httpAddress turns ws://host:port/… into http://host:port, and wss into https.
func httpAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	scheme := "http"
	if u.Scheme == "wss" || u.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + u.Host
}
