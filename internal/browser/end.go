package browser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// End ends the browser that a host's folder names, with all its windows, without connecting to it: for whoever started
// the worker and clears up after it. ErrInUse when a worker still uses the host; no error when no browser runs.
func End(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("ending the browser: %w", err)
	}
	path := filepath.Join(dir, "users.lock")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	users, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("ending the browser: %w", err)
	}
	closeLock(users) // only its name is needed from here on
	h := &Host{options: Options{Dir: dir}, users: users, chromium: &chromium{dir: dir}, changed: newSignal(), windows: map[string]*Window{}}
	return h.endBrowser(ctx)
}
