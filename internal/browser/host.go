package browser

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

const (
	defaultUnclaimed = 2 * time.Minute
	defaultGrace     = 30 * time.Second
	openTimeout      = 60 * time.Second // for a window to be opened or found, browser and driver being restarted meanwhile
	closeTimeout     = 10 * time.Second
)

// Options says which host to open and how. Dir and Capacity are required.
type Options struct {
	// Dir is the host's folder; it is created, readable by its owner alone.
	Dir string
	// Executable is the Chromium binary; "" means FindChromium.
	Executable string
	// Args are further Chromium flags.
	Args []string
	// CDPURL is the address (http://host:port) of a browser that somebody else runs; "" means one of our own.
	CDPURL string
	// Capacity is how many windows may be open at once, above 0.
	Capacity int
	// Unclaimed is how long a window may go unclaimed before it is swept; 0 means 2 minutes.
	Unclaimed time.Duration
	// Grace is how long after its expiry a window that nobody works in is closed; 0 means 30 seconds.
	Grace time.Duration
	// Log is told of what happens to the browser and its windows; nil means nobody is.
	Log *zap.Logger
}

// Host is this process's connection to one browser and its windows. Its methods may be called from any goroutine.
type Host struct {
	options  Options
	id       string
	log      *zap.Logger
	chromium *chromium
	users    *os.File
	changed  *broadcast
	capacity capacity
	sweeper  *sweeper
	cancel   context.CancelFunc
	ended    sync.WaitGroup

	mu      sync.Mutex
	conn    *connection
	driver  *driver
	windows map[string]*Window
	closed  bool
}

// connection is a DevTools connection together with what its events have told.
type connection struct {
	*cdpConn
	targets *targets
	address string
}

// Open connects to the host's running browser, or starts one that outlives this process. The context bounds the opening alone.
func Open(ctx context.Context, o Options) (*Host, error) {
	if o.Dir == "" || o.Capacity <= 0 {
		return nil, errors.New("opening browser host: folder and capacity are required")
	}
	h, err := newHost(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opening browser host: %w", err)
	}
	if err := h.repair(ctx); err != nil {
		return nil, fmt.Errorf("opening browser host: %w", errors.Join(err, h.abandon(ctx)))
	}
	background, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.ended.Go(func() { h.supervise(background) })
	h.ended.Go(func() { h.followWindows(background) })
	h.ended.Go(func() { h.sweeper.run(background) })
	return h, nil
}

// abandon undoes an opening that failed: a browser that was only just started is of no use to anybody.
func (h *Host) abandon(ctx context.Context) error {
	h.drop()
	closeLock(h.users)
	if !h.chromium.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := h.endBrowser(ctx); !errors.Is(err, ErrInUse) {
		return err
	}
	return nil
}

func newHost(ctx context.Context, o Options) (*Host, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "windows"), 0o700); err != nil {
		return nil, err
	}
	if err := makeFiles(o.Dir, "users.lock", "browser.lock", "opening.lock"); err != nil {
		return nil, err
	}
	users, err := lockFile(ctx, filepath.Join(o.Dir, "users.lock"), unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	id, err := hostID(ctx, o.Dir)
	if err != nil {
		closeLock(users)
		return nil, err
	}
	log := o.Log.With(zap.String("host", id))
	h := &Host{
		options: o, id: id, log: log, users: users, changed: newBroadcast(), windows: map[string]*Window{},
		chromium: &chromium{dir: o.Dir, executable: o.Executable, args: o.Args, cdpURL: o.CDPURL, log: log},
	}
	h.capacity.total, h.capacity.changed = o.Capacity, h.changed
	h.sweeper = newSweeper(h)
	return h, nil
}

// complete fills in the defaults.
func (o Options) complete() (Options, error) {
	var err error
	if o.Unclaimed == 0 {
		o.Unclaimed = defaultUnclaimed
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Executable == "" && o.CDPURL == "" {
		if o.Executable, err = FindChromium(); err != nil {
			return o, err
		}
	}
	o.Dir, err = filepath.Abs(o.Dir)
	return o, err
}

// hostID reads the host's name, or draws one if it has none yet.
func hostID(ctx context.Context, dir string) (string, error) {
	lock, err := lockFile(ctx, filepath.Join(dir, "browser.lock"), unix.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer closeLock(lock)
	path := filepath.Join(dir, "id")
	if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	id := strings.ToLower(rand.Text()[:12])
	return id, atomicfile.Replace(path, []byte(id+"\n"), 0o600)
}

// ID is the host's name. It stays the same however often the host is opened and its browser started.
func (h *Host) ID() string { return h.id }

// Capacity is how many windows may be open at once.
func (h *Host) Capacity() int { return h.options.Capacity }

// Disconnect ends this process's connection and its Playwright driver. The browser and its windows live on.
func (h *Host) Disconnect() error {
	h.mu.Lock()
	was := h.closed
	h.closed = true
	h.mu.Unlock()
	if was {
		return nil
	}
	h.cancel()
	h.changed.fire()
	h.ended.Wait()
	closeLock(h.users)
	h.drop()
	return nil
}

// drop lets go of the connection and the driver.
func (h *Host) drop() {
	h.mu.Lock()
	conn, d := h.conn, h.driver
	h.conn, h.driver = nil, nil
	h.mu.Unlock()
	if d != nil {
		d.stop()
	}
	if conn != nil {
		conn.close()
	}
}

// Shutdown closes the host's windows and ends its browser. A browser that another process uses too is only disconnected from, with
// ErrInUse; of one that somebody else runs ([Options.CDPURL]) only the windows are closed. A browser that does not end when asked to is
// killed after some seconds.
func (h *Host) Shutdown(ctx context.Context) error {
	if h.disconnected() != nil {
		return nil
	}
	if h.chromium.foreign() {
		return errors.Join(h.closeAll(ctx), h.Disconnect())
	}
	if err := h.Disconnect(); err != nil {
		return err
	}
	return h.endBrowser(ctx)
}

func (h *Host) endBrowser(ctx context.Context) error {
	lock, err := lockFile(ctx, h.chromium.file("browser.lock"), unix.LOCK_EX)
	if err != nil {
		return fmt.Errorf("shutting browser host down: %w", err)
	}
	defer closeLock(lock)
	users, err := tryLockFile(h.chromium.file("users.lock"), unix.LOCK_EX)
	if errors.Is(err, errLocked) {
		return fmt.Errorf("shutting browser host down: %w", ErrInUse)
	}
	if err != nil {
		return fmt.Errorf("shutting browser host down: %w", err)
	}
	defer closeLock(users)
	if err := h.chromium.end(); err != nil {
		return fmt.Errorf("shutting browser host down: %w", err)
	}
	h.loseAll(errors.New("the host was shut down"))
	return h.forgetAll()
}

// forgetAll removes the records of a browser that has ended.
func (h *Host) forgetAll() error {
	folders, err := h.folders()
	for _, f := range folders {
		err = errors.Join(err, f.remove())
	}
	return err
}

func (h *Host) closeAll(ctx context.Context) error {
	folders, err := h.folders()
	for _, f := range folders {
		err = errors.Join(err, h.CloseWindow(ctx, f.id()))
	}
	return err
}

func (h *Host) disconnected() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrDisconnected
	}
	return nil
}

// folder returns a window's folder, whether there is such a window or not. An id that is no plain name is no window's: it must not
// lead to another folder.
func (h *Host) folder(id string) folder {
	if id == "." || id != filepath.Base(id) || !filepath.IsLocal(id) {
		id = "none"
	}
	return folder(filepath.Join(h.options.Dir, "windows", id))
}

// folders lists the windows that have a record.
func (h *Host) folders() ([]folder, error) {
	entries, err := os.ReadDir(filepath.Join(h.options.Dir, "windows"))
	if err != nil {
		return nil, fmt.Errorf("listing windows: %w", err)
	}
	found := make([]folder, 0, len(entries))
	for _, e := range entries {
		found = append(found, h.folder(e.Name()))
	}
	return found, nil
}
