package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/playwright-community/playwright-go"
	"golang.org/x/sys/unix"
)

// driverDir is a folder of one Playwright driver's own. It stands in for the installed driver, which it has keep its temporary files here:
// what a driver leaves that is killed would stay in the system's folder for such files for ever.
type driverDir struct {
	path string
	lock *os.File
}

// driverScript stands where Playwright's own program is looked for.
const driverScript = `process.env.TMPDIR = __dirname
require('./installed/cli.js')
`

// newDriverDir makes a folder below the host's, and removes those of drivers whose worker has ended.
func newDriverDir(ctx context.Context, host string) (*driverDir, error) {
	lock, err := lockFile(ctx, filepath.Join(host, "browser.lock"), unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer closeLock(lock)
	parent := filepath.Join(host, "drivers")
	if err := errors.Join(os.MkdirAll(parent, 0o700), sweepDriverDirs(parent)); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, err
	}
	if err := fillDriverDir(path); err != nil {
		return nil, err
	}
	held, err := tryLockFile(filepath.Join(path, "lock"), unix.LOCK_EX)
	return &driverDir{path: path, lock: held}, err
}

func sweepDriverDirs(parent string) error {
	entries, err := os.ReadDir(parent)
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		held, lockErr := tryLockFile(filepath.Join(path, "lock"), unix.LOCK_EX)
		if errors.Is(lockErr, errLocked) {
			continue
		}
		if lockErr == nil {
			closeLock(held)
		}
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// fillDriverDir lays the folder out as Playwright expects one: node, and package/cli.js.
func fillDriverDir(path string) error {
	driver, err := playwright.NewDriver()
	if err != nil {
		return fmt.Errorf("looking for the driver: %w", err)
	}
	command := driver.Command().Args // node and its script
	node, nodeErr := filepath.Abs(command[0])
	installed, scriptErr := filepath.Abs(filepath.Dir(command[1]))
	program := filepath.Join(path, "package")
	return errors.Join(nodeErr, scriptErr,
		makeFiles(path, "lock"),
		os.Symlink(node, filepath.Join(path, "node")),
		os.Mkdir(program, 0o700),
		os.Symlink(installed, filepath.Join(program, "installed")),
		os.WriteFile(filepath.Join(program, "cli.js"), []byte(driverScript), 0o600))
}

// remove is for when the driver has ended.
func (d *driverDir) remove() {
	_ = os.RemoveAll(d.path) // what is left is swept when the next driver starts
	closeLock(d.lock)
}
