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
	h := &Host{
		options: Options{Dir: dir}, chromium: &chromium{dir: dir},
		changed: newBroadcast(), windows: map[string]*Window{},
	}
	if _, err := os.Stat(h.chromium.file("users.lock")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return h.endBrowser(ctx)
}
