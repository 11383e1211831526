package browser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Window is this process's handle of a window. Its methods may be called from any goroutine, and stay valid while
// browser connection and Playwright driver come and go.
type Window struct {
	host   *Host
	id     string
	folder folder
	done   chan struct{}

	mu   sync.Mutex
	err  error
	last record          // as it was last read or written
	page playwright.Page // the page that was last found

	claiming sync.Mutex // not mu: it may be held while the sweeper, who needs mu, closes the window
	claims   int
	claim    *os.File
}

// ID is the window's name, the same in every process.
func (w *Window) ID() string { return w.id }

// Page is the page that the customer would look at: the newest open one, popups included. While the driver is being
// restarted it is the page last found, whose calls fail; ask again later.
func (w *Window) Page() playwright.Page {
	if found := w.find(); found != nil {
		return found
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.page
}

// find returns nil when the driver knows none of the window's pages.
func (w *Window) find() playwright.Page {
	conn, d := w.host.current()
	if conn == nil || d == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Backward(inOrder(w.last.Pages, conn.targets.pages(w.id))) {
		if page := d.page(id); page != nil {
			w.page = page
			return page
		}
	}
	return nil
}

// newest returns the target id of the page that the customer would look at, "" if there is none.
func (w *Window) newest(conn *connection) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	order := inOrder(w.last.Pages, conn.targets.pages(w.id))
	if len(order) == 0 {
		return ""
	}
	return order[len(order)-1]
}

// follow ends the handle if the window is gone, and notes its pages if they have changed.
func (w *Window) follow(conn *connection) {
	open := conn.targets.pages(w.id)
	if slices.ContainsFunc(open, func(t target) bool { return t.crashed }) {
		w.finish(ErrTabCrashed)
		return
	}
	if len(open) == 0 && !conn.closed() {
		w.finish(w.emptied())
		return
	}
	w.mu.Lock()
	noted := w.last.Pages
	w.mu.Unlock()
	if order := inOrder(noted, open); !slices.Equal(order, noted) {
		w.change(func(r *record) error { //nolint:errcheck // the order only matters to a later process
			r.Pages = inOrder(r.Pages, open)
			return nil
		})
	}
}

// emptied tells why a window has no page: somebody closed the last one, or one of us is closing the window.
func (w *Window) emptied() error {
	r, err := w.folder.read()
	if err == nil && !r.Closed {
		return ErrTabClosed
	}
	return fmt.Errorf("%w: it was closed", ErrWindowLost)
}

func (w *Window) finish(reason error) {
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return
	}
	w.err = fmt.Errorf("window %s: %w", w.id, reason)
	close(w.done)
	w.mu.Unlock()
	w.host.dropHandle(w.id)
	w.host.changed.fire()
}

// Done is closed as soon as the window is gone: closed, crashed, or lost together with the browser.
func (w *Window) Done() <-chan struct{} { return w.done }

// Err is nil until Done is closed and then says why: ErrTabClosed, ErrTabCrashed, ErrTabHung or ErrWindowLost.
func (w *Window) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close closes the window and removes its record; the error is as for [Host.CloseWindow]. Closing it again does nothing.
func (w *Window) Close(ctx context.Context) error {
	return w.host.CloseWindow(ctx, w.id)
}

// Claim keeps the sweeper off the window until release is called, or this process ends. Claims are counted.
func (w *Window) Claim() (release func()) {
	w.claiming.Lock()
	defer w.claiming.Unlock()
	w.claims++
	if w.claims == 1 {
		w.claim = w.takeClaim()
	}
	return sync.OnceFunc(w.releaseClaim)
}

// takeClaim waits only while the sweeper is about to close the window. It returns nil when the window is gone.
func (w *Window) takeClaim() *os.File {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	f, err := lockFile(ctx, w.folder.file("claim"), unix.LOCK_SH)
	if err == nil {
		err = w.folder.touch()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.host.log.Error("claiming a window failed", zap.String("window", w.id), zap.Error(err))
	}
	return f
}

func (w *Window) releaseClaim() {
	w.claiming.Lock()
	defer w.claiming.Unlock()
	w.claims--
	if w.claims > 0 || w.claim == nil {
		return
	}
	if err := w.folder.touch(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.host.log.Error("releasing a window failed", zap.String("window", w.id), zap.Error(err))
	}
	closeLock(w.claim)
	w.claim = nil
}

// Lock waits until nobody else, in this or another process, works in the window, and claims it as well. The lock ends with
// unlock or with the process. The error is that of the context, or why the window is gone.
func (w *Window) Lock(ctx context.Context) (unlock func(), err error) {
	file, err := lockFile(ctx, w.folder.file("work.lock"), unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("locking window %s: %w", w.id, orLost(err))
	}
	if err := w.Err(); err != nil {
		closeLock(file)
		return nil, err
	}
	return w.locked(file), nil
}

// TryLock is Lock without waiting.
func (w *Window) TryLock() (unlock func(), ok bool) {
	file, err := tryLockFile(w.folder.file("work.lock"), unix.LOCK_EX)
	if err != nil {
		return nil, false
	}
	return w.locked(file), true
}

func (w *Window) locked(file *os.File) (unlock func()) {
	release := w.Claim()
	return sync.OnceFunc(func() {
		closeLock(file)
		release()
	})
}

// orLost tells a window without a folder as what it is.
func orLost(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrWindowLost
	}
	return err
}

// BeginOnce notes durably that a step is about to be done. The error is ErrBegun when it was noted before, by whomever: the step may have
// been done and must not be repeated.
func (w *Window) BeginOnce(step string) error {
	err := w.change(func(r *record) error {
		if slices.Contains(r.Begun, step) {
			return ErrBegun
		}
		r.Begun = append(r.Begun, step)
		return nil
	})
	if err != nil {
		return fmt.Errorf("beginning %s: %w", step, err)
	}
	return nil
}

// Begun tells whether the step was begun: it may or may not have been done.
func (w *Window) Begun(step string) bool { return slices.Contains(w.record().Begun, step) }

// BegunWith tells whether any step was begun whose name starts like this.
func (w *Window) BegunWith(prefix string) bool {
	return slices.ContainsFunc(w.record().Begun, func(step string) bool { return strings.HasPrefix(step, prefix) })
}

// Note keeps a small fact with the window, durably. Never a secret.
func (w *Window) Note(key, value string) error {
	err := w.change(func(r *record) error {
		if r.Notes == nil {
			r.Notes = map[string]string{}
		}
		r.Notes[key] = value
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting %s: %w", key, err)
	}
	return nil
}

// Noted returns what was noted under the key, "" if nothing was.
func (w *Window) Noted(key string) string { return w.record().Notes[key] }

// Owner is the text given to [Host.OpenWindow].
func (w *Window) Owner() string { return w.record().Owner }

// Remaining is how long the window may still live; nothing or less when its time is over.
func (w *Window) Remaining() time.Duration { return w.record().Expires - uptime() }

// ExpireIn gives the window so long to live from now on, durably.
func (w *Window) ExpireIn(lifetime time.Duration) error {
	err := w.change(func(r *record) error {
		r.Expires = uptime() + lifetime
		return nil
	})
	if err != nil {
		return fmt.Errorf("setting expiry: %w", err)
	}
	return nil
}

// record reads the record, or, when the window is gone, returns what it last was.
func (w *Window) record() record {
	r, err := w.folder.read()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.last = r
	}
	return w.last
}

func (w *Window) change(f func(*record) error) error {
	if err := w.Err(); err != nil {
		return err
	}
	r, err := w.folder.update(f)
	if err != nil {
		return orLost(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = r
	return nil
}

// Check looks whether the window can be worked in. The error tells ErrTabClosed, ErrTabCrashed, ErrTabHung and ErrWindowLost apart; any
// other error means that it could not be found out.
func (w *Window) Check(ctx context.Context) error {
	err := w.check(ctx)
	if gone := w.Err(); gone != nil {
		return gone
	}
	if err != nil {
		return fmt.Errorf("checking window %s: %w", w.id, err)
	}
	return nil
}

func (w *Window) check(ctx context.Context) error {
	for w.Err() == nil {
		conn, err := w.host.ready(ctx)
		if err != nil {
			return err
		}
		w.follow(conn)
		page := w.newest(conn)
		err = conn.ping(ctx, page)
		w.follow(conn)
		var refusal *cdpError
		if !errors.As(err, &refusal) {
			return err
		}
		// The page has just gone, and the event that says so is under way.
		err = w.host.changed.until(ctx, func() (bool, error) { return conn.closed() || w.newest(conn) != page, w.Err() })
		if err != nil {
			return err
		}
	}
	return nil
}
