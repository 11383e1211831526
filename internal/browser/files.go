package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const lockPoll = 5 * time.Millisecond

var errLocked = errors.New("file is locked")

// lockFile waits for a lock on a file, which must exist. Closing the file ends the lock, as does the end of the
// process. how is unix.LOCK_EX or unix.LOCK_SH.
func lockFile(ctx context.Context, path string, how int) (*os.File, error) {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		f, err := tryLockFile(path, how)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s: %w", filepath.Base(path), context.Cause(ctx))
		}
	}
}

// tryLockFile is lockFile without waiting: the error is errLocked when somebody else holds the lock.
func tryLockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	closeLock(f)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("locking %s: %w", filepath.Base(path), err)
}

// closeLock ends the lock.
func closeLock(f *os.File) {
	_ = f.Close() // nothing was written to it
}

// makeFiles creates those of the empty files that are missing.
func makeFiles(dir string, names ...string) error {
	for _, name := range names {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		closeLock(f)
	}
	return nil
}
