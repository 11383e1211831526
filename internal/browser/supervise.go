package browser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	repairPause    = 200 * time.Millisecond
	repairPauseMax = 10 * time.Second
	pingTimeout    = 5 * time.Second
	pingsAtOnce    = 16 // so that sound pages do not keep each other from answering in time
)

// supervise keeps browser, connection and driver going until ctx ends.
func (h *Host) supervise(ctx context.Context) {
	for {
		conn, d := h.current()
		select {
		case <-conn.gone:
			h.log.Warn("connection to chromium is gone")
		case <-d.gone:
			h.log.Warn("playwright driver is gone")
		case <-ctx.Done():
			return
		}
		if !h.repairUntilDone(ctx) {
			return
		}
	}
}

// repairUntilDone tries with growing pauses; false means that ctx ended first.
func (h *Host) repairUntilDone(ctx context.Context) bool {
	for pause := repairPause; ; pause = min(2*pause, repairPauseMax) {
		err := h.repair(ctx)
		if err == nil {
			return true
		}
		h.log.Error("browser host is out of order", zap.Error(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}

func (h *Host) current() (*connection, *driver) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conn, h.driver
}

// repair replaces what is missing: the connection, and with it the browser if that has ended, and the driver.
func (h *Host) repair(ctx context.Context) error {
	conn, d := h.current()
	if conn == nil || conn.closed() {
		h.publish(nil, d)
		var err error
		if conn, err = h.attach(ctx); err != nil {
			return err
		}
		h.publish(conn, d)
	}
	if d != nil && !d.closed() && d.address == conn.address {
		return nil
	}
	h.publish(conn, nil)
	if d != nil {
		h.ended.Go(d.stop)
	}
	h.closeStuckWindows(ctx, conn)
	d, err := startDriver(ctx, h.options.Dir, conn.address, h.changed)
	if err != nil {
		return err
	}
	h.publish(conn, d)
	return nil
}

func (h *Host) publish(conn *connection, d *driver) {
	h.mu.Lock()
	h.conn, h.driver = conn, d
	h.mu.Unlock()
	h.changed.fire()
}

// attach connects to the browser, starting it if need be, and forgets the windows that are no more.
func (h *Host) attach(ctx context.Context) (*connection, error) {
	address, err := h.ensureBrowser(ctx)
	if err != nil {
		return nil, err
	}
	t := newTargets(h.changed)
	w, err := dialCDP(ctx, address, t.onEvent)
	if err != nil {
		return nil, err
	}
	conn := &connection{cdpConn: w, targets: t, address: address}
	err = t.discover(ctx, w)
	if err == nil {
		_, err = h.reconcile(ctx, conn)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return conn, nil
}

func (h *Host) ensureBrowser(ctx context.Context) (string, error) {
	lock, err := lockFile(ctx, h.chromium.file("browser.lock"), unix.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer closeLock(lock)
	address, err := h.chromium.find(ctx)
	if err != nil || address != "" {
		return address, err
	}
	h.loseAll(errors.New("the browser has ended"))
	if err := h.chromium.end(); err != nil {
		return "", err
	}
	return h.chromium.start(ctx)
}

// reconcile removes the records of windows that the browser does not have, and returns the contexts it has. Records are listed before
// contexts are: a record is written after its context was made, so one whose context is missing then was not just being made.
func (h *Host) reconcile(ctx context.Context, conn *connection) ([]string, error) {
	folders, err := h.folders()
	if err != nil {
		return nil, err
	}
	contexts, err := conn.contexts(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if slices.Contains(contexts, f.id()) {
			continue
		}
		h.lose(f.id(), errors.New("the browser does not have it"))
		if err := f.remove(); err != nil {
			return nil, fmt.Errorf("removing window record: %w", err)
		}
	}
	_, err = h.recount()
	return contexts, err
}

func (c *connection) contexts(ctx context.Context) ([]string, error) {
	var answer struct {
		IDs []string `json:"browserContextIds"`
	}
	err := c.call(ctx, "", "Target.getBrowserContexts", nil, &answer)
	return answer.IDs, err
}

// ping returns nil if the page answers, an error that is ErrTabHung if it does not in time.
func (c *connection) ping(ctx context.Context, targetID string) error {
	bound, cancel := context.WithTimeoutCause(ctx, pingTimeout, ErrTabHung)
	defer cancel()
	var attached struct {
		Session string `json:"sessionId"`
	}
	if err := c.call(bound, "", "Target.attachToTarget", map[string]any{"targetId": targetID, "flatten": true}, &attached); err != nil {
		return err
	}
	defer c.detach(ctx, attached.Session)
	err := c.call(bound, attached.Session, "Runtime.evaluate", map[string]any{"expression": "1"}, nil)
	var refusal *cdpError
	if errors.As(err, &refusal) {
		return nil // to refuse is to answer
	}
	return err
}

// detach ends a session. When it fails, so will the next call, and that one is looked at.
func (c *connection) detach(ctx context.Context, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	_ = c.call(ctx, "", "Target.detachFromTarget", map[string]any{"sessionId": session}, nil)
}

// closeStuckWindows closes the windows in which a page does not answer: a driver that connects waits for every page of the browser.
func (h *Host) closeStuckWindows(ctx context.Context, conn *connection) {
	var asked errgroup.Group
	asked.SetLimit(pingsAtOnce)
	for _, page := range conn.targets.pages("") {
		if _, err := h.folder(page.ContextID).read(); err != nil && h.chromium.foreign() {
			continue // somebody else's
		}
		asked.Go(func() error {
			if page.crashed || errors.Is(conn.ping(ctx, page.ID), ErrTabHung) {
				h.closeStuck(ctx, conn, page)
			}
			return nil
		})
	}
	_ = asked.Wait() // none of them returns an error
}

func (h *Host) closeStuck(ctx context.Context, conn *connection, page target) {
	reason := ErrTabHung
	if page.crashed {
		reason = ErrTabCrashed
	}
	h.log.Warn("closing a window that does not answer", zap.String("window", page.ContextID), zap.Error(reason))
	if w := h.known(page.ContextID); w != nil {
		w.finish(reason)
	}
	if err := h.dispose(ctx, conn, page.ContextID); err != nil {
		h.log.Error("closing a window failed", zap.String("window", page.ContextID), zap.Error(err))
	}
}

// followWindows ends the handles of windows that are gone and notes new pages, after every change.
func (h *Host) followWindows(ctx context.Context) {
	for ctx.Err() == nil {
		changed := h.changed.next()
		if conn, _ := h.current(); conn != nil {
			for _, w := range h.handles() {
				w.follow(conn)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
