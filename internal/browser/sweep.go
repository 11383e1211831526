package browser

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

const sweepEveryMax = 5 * time.Second

// sweeper closes the windows that nobody needs any more. Every process that has the host open has one; they do not disturb each other.
type sweeper struct {
	host *Host

	mu        sync.Mutex
	firstSeen map[string]time.Duration // the uptime at which this process first saw a context
}

func newSweeper(h *Host) *sweeper {
	return &sweeper{host: h, firstSeen: map[string]time.Duration{}}
}

func (s *sweeper) run(ctx context.Context) {
	tick := time.NewTicker(min(s.host.options.Unclaimed/4, sweepEveryMax))
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.host.log.Warn("sweeping windows failed", zap.Error(err))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *sweeper) sweep(ctx context.Context) error {
	bound, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := s.host.connected(bound)
	if err != nil {
		return err
	}
	contexts, err := s.host.reconcile(bound, conn)
	if err != nil {
		return err
	}
	s.forgetOthers(contexts)
	for _, id := range contexts {
		s.see(id)
		err = errors.Join(err, s.look(bound, conn, id))
	}
	return err
}

// look closes one window if it is time.
func (s *sweeper) look(ctx context.Context, conn *connection, id string) error {
	f := s.host.folder(id)
	r, err := f.read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.sweepOrphan(ctx, conn, id)
	case err != nil:
		return err
	case r.Closed:
		return s.host.closeWindow(ctx, id, errors.New("it was being closed"))
	case uptime()-r.Expires > s.host.options.Grace:
		return s.sweepExpired(ctx, f)
	case s.unclaimed(f):
		return s.sweepUnclaimed(ctx, f)
	}
	return nil
}

// sweepOrphan disposes of a context whose opener was killed before it could write a record. In a browser that is not ours it is
// somebody else's.
func (s *sweeper) sweepOrphan(ctx context.Context, conn *connection, id string) error {
	if s.host.chromium.foreign() || uptime()-s.seenSince(id) <= s.host.options.Unclaimed {
		return nil
	}
	s.host.log.Info("closing a window without a record", zap.String("window", id))
	return conn.dispose(ctx, id)
}

func (s *sweeper) sweepExpired(ctx context.Context, f folder) error {
	due := func() bool { return true }
	return s.closeIfFree(ctx, f, "work.lock", due, errors.New("it has expired"))
}

func (s *sweeper) sweepUnclaimed(ctx context.Context, f folder) error {
	due := func() bool { return s.unclaimed(f) }
	return s.closeIfFree(ctx, f, "claim", due, errors.New("nobody has claimed it"))
}

func (s *sweeper) unclaimed(f folder) bool {
	return uptime()-s.lastClaim(f) > s.host.options.Unclaimed
}

// closeIfFree closes a window that is still due, unless somebody holds the lock; nobody can take it meanwhile.
func (s *sweeper) closeIfFree(ctx context.Context, f folder, lock string, due func() bool, reason error) error {
	held, err := tryLockFile(f.file(lock), unix.LOCK_EX)
	if errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeLock(held)
	if !due() {
		return nil
	}
	return s.host.closeWindow(ctx, f.id(), reason)
}

// lastClaim is when the window was last seen to be claimed, or first seen at all by this process.
func (s *sweeper) lastClaim(f folder) time.Duration {
	return max(s.seenSince(f.id()), f.touched())
}

// see notes when a context was first seen.
func (s *sweeper) see(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.firstSeen[id]; !ok {
		s.firstSeen[id] = uptime()
	}
}

func (s *sweeper) seenSince(id string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.firstSeen[id]
}

func (s *sweeper) forgetOthers(contexts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.firstSeen {
		if !slices.Contains(contexts, id) {
			delete(s.firstSeen, id)
		}
	}
}
