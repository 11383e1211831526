package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Info describes an open window.
type Info struct {
	ID      string
	Owner   string
	Claimed bool // somebody needs it at this moment

	opened time.Duration
}

// Windows lists the host's windows, whichever process opened them, oldest first.
func (h *Host) Windows() []Info {
	folders, err := h.folders()
	if err != nil {
		h.log.Error("listing windows failed", zap.Error(err))
	}
	var found []Info
	for _, f := range folders {
		r, err := f.read()
		if errors.Is(err, fs.ErrNotExist) || r.Closed {
			continue
		}
		if err != nil {
			h.log.Error("window is left out", zap.String("window", f.id()), zap.Error(err))
			continue
		}
		found = append(found, Info{ID: r.ID, Owner: r.Owner, Claimed: f.claimed(), opened: r.Opened})
	}
	slices.SortFunc(found, func(a, b Info) int { return cmp.Compare(a.opened, b.opened) })
	return found
}

// OpenWindow opens an empty window that may live so long. The owner is any text by which [Host.WindowOf] finds the window again, and no
// secret. The error is ErrFull when the host has no room.
func (h *Host) OpenWindow(ctx context.Context, owner string, lifetime time.Duration) (*Window, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := h.ready(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening window: %w", err)
	}
	id, err := h.openContext(ctx, conn, owner, lifetime)
	if err != nil {
		return nil, fmt.Errorf("opening window: %w", err)
	}
	w, err := h.openPage(ctx, conn, id)
	if err != nil {
		return nil, fmt.Errorf("opening window: %w", errors.Join(err, h.CloseWindow(context.WithoutCancel(ctx), id)))
	}
	h.log.Info("window opened", zap.String("window", id), zap.String("owner", owner))
	return w, nil
}

// openContext makes a browser context and its record while no other process opens one, so that the capacity is kept.
func (h *Host) openContext(ctx context.Context, conn *connection, owner string, lifetime time.Duration) (string, error) {
	lock, err := lockFile(ctx, filepath.Join(h.options.Dir, "opening.lock"), unix.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer closeLock(lock)
	open, err := h.recount()
	if err != nil {
		return "", err
	}
	if open >= h.options.Capacity {
		return "", ErrFull
	}
	var made struct {
		ID string `json:"browserContextId"`
	}
	if err := conn.call(ctx, "", "Target.createBrowserContext", map[string]any{"disposeOnDetach": false}, &made); err != nil {
		return "", err
	}
	now := uptime()
	if err := h.folder(made.ID).create(record{ID: made.ID, Owner: owner, Opened: now, Expires: now + lifetime}); err != nil {
		return "", errors.Join(err, conn.dispose(context.WithoutCancel(ctx), made.ID))
	}
	_, err = h.recount()
	return made.ID, err
}

func (h *Host) openPage(ctx context.Context, conn *connection, id string) (*Window, error) {
	page := map[string]any{"url": "about:blank", "browserContextId": id, "width": 1280, "height": 800}
	if err := conn.call(ctx, "", "Target.createTarget", page, nil); err != nil {
		return nil, err
	}
	return h.handle(ctx, id)
}

// recount reads from the folder how many windows are open, those of other processes included.
func (h *Host) recount() (int, error) {
	folders, err := h.folders()
	if err != nil {
		return 0, err
	}
	h.capacity.setOpen(len(folders))
	return len(folders), nil
}

// Window returns an open window, whichever process opened it. The error is ErrWindowLost when the host has no such window, and
// ErrTabClosed or ErrTabCrashed when it has but nobody can work in it any more.
func (h *Host) Window(ctx context.Context, id string) (*Window, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := h.ready(ctx); err != nil {
		return nil, fmt.Errorf("looking for window %s: %w", id, err)
	}
	w, err := h.handle(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("looking for window %s: %w", id, err)
	}
	return w, nil
}

// WindowOf returns the window that was last opened for the owner. The error is as for [Host.Window].
func (h *Host) WindowOf(ctx context.Context, owner string) (*Window, error) {
	for _, info := range slices.Backward(h.Windows()) {
		if info.Owner == owner {
			return h.Window(ctx, info.ID)
		}
	}
	return nil, fmt.Errorf("looking for the window of %s: %w", owner, ErrWindowLost)
}

// CloseWindow closes a window, in whatever state it is, and removes its record. It is no error if there is no such window. It takes
// no longer than 10 seconds; a window that cannot be closed in that time is left to the sweeper.
func (h *Host) CloseWindow(ctx context.Context, id string) error {
	return h.closeWindow(ctx, id, errors.New("it was closed"))
}

func (h *Host) closeWindow(ctx context.Context, id string, reason error) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	// Whoever sees the pages go shall know that it was us.
	_, err := h.folder(id).update(func(r *record) error { r.Closed = true; return nil })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("closing window %s: %w", id, err)
	}
	h.lose(id, reason)
	conn, err := h.connected(ctx)
	if err == nil {
		err = h.dispose(ctx, conn, id)
	}
	if err != nil {
		return fmt.Errorf("closing window %s: %w", id, err)
	}
	h.log.Info("window closed", zap.String("window", id), zap.NamedError("reason", reason))
	return nil
}

// dispose ends the browser context and removes the record.
func (h *Host) dispose(ctx context.Context, conn *connection, id string) error {
	if err := conn.dispose(ctx, id); err != nil {
		return err
	}
	if err := h.folder(id).remove(); err != nil {
		return err
	}
	_, err := h.recount()
	return err
}

// dispose returns nil when there is no such context.
func (c *connection) dispose(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	err := c.call(ctx, "", "Target.disposeBrowserContext", map[string]any{"browserContextId": id}, nil)
	var refusal *cdpError
	if errors.As(err, &refusal) && strings.Contains(refusal.Message, "Failed to find") {
		return nil
	}
	return err
}

// connected waits for the connection to the browser, ready for the driver as well.
func (h *Host) connected(ctx context.Context) (*connection, error) {
	var found *connection
	err := h.changed.until(ctx, func() (bool, error) {
		found, _ = h.current()
		return found != nil && !found.closed(), h.disconnected()
	})
	return found, err
}

func (h *Host) ready(ctx context.Context) (*connection, error) {
	var found *connection
	err := h.changed.until(ctx, func() (bool, error) {
		conn, d := h.current()
		found = conn
		return conn != nil && d != nil && !conn.closed() && !d.closed(), h.disconnected()
	})
	return found, err
}

// handle returns the one handle that this process has for a window, once the driver knows its page.
func (h *Host) handle(ctx context.Context, id string) (*Window, error) {
	f := h.folder(id)
	r, err := f.read()
	if errors.Is(err, fs.ErrNotExist) || r.Closed {
		return nil, ErrWindowLost
	}
	if err != nil {
		return nil, err
	}
	w := h.keep(&Window{host: h, id: id, folder: f, last: r, done: make(chan struct{})})
	h.sweeper.see(id)
	if conn, _ := h.current(); conn != nil {
		w.follow(conn)
	}
	err = h.changed.until(ctx, func() (bool, error) {
		return w.find() != nil, errors.Join(w.Err(), h.disconnected())
	})
	return w, err
}

// keep returns the handle that is there already, if one is.
func (h *Host) keep(w *Window) *Window {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.windows[w.id]; ok {
		return known
	}
	h.windows[w.id] = w
	return w
}

func (h *Host) known(id string) *Window {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.windows[id]
}

func (h *Host) handles() []*Window {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := make([]*Window, 0, len(h.windows))
	for _, w := range h.windows {
		found = append(found, w)
	}
	return found
}

func (h *Host) dropHandle(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.windows, id)
}

// lose ends this process's handle of a window, if it has one.
func (h *Host) lose(id string, reason error) {
	if w := h.known(id); w != nil {
		w.finish(fmt.Errorf("%w: %w", ErrWindowLost, reason))
	}
}

func (h *Host) loseAll(reason error) {
	for _, w := range h.handles() {
		h.lose(w.id, reason)
	}
}
