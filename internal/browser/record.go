package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

const recordLockTimeout = 5 * time.Second

// record is what is known of a window apart from what is in the browser. It never holds secrets. Its times are of [uptime].
type record struct {
	ID      string            `json:"id"`
	Owner   string            `json:"owner"`
	Opened  time.Duration     `json:"opened"`
	Expires time.Duration     `json:"expires"`
	Closed  bool              `json:"closed,omitempty"` // it is being closed
	Pages   []string          `json:"pages,omitempty"`
	Begun   []string          `json:"begun,omitempty"`
	Notes   map[string]string `json:"notes,omitempty"`
}

// folder is one window's folder.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), name) }

func (f folder) id() string { return filepath.Base(string(f)) }

// create makes the folder together with its first record. A window counts as claimed when it is opened.
func (f folder) create(r record) error {
	if err := os.Mkdir(string(f), 0o700); err != nil {
		return err
	}
	return errors.Join(makeFiles(string(f), "record.lock", "work.lock", "claim"), f.touch(), f.write(r))
}

func (f folder) write(r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Replace(f.file("record.json"), append(data, '\n'), 0o600)
}

// read returns an error that is fs.ErrNotExist when there is no such window.
func (f folder) read() (record, error) {
	var r record
	data, err := os.ReadFile(f.file("record.json"))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading window record: %w", err)
	}
	return r, nil
}

// update rewrites the record, one writer at a time among all processes, unless change fails.
func (f folder) update(change func(*record) error) (record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), recordLockTimeout)
	defer cancel()
	lock, err := lockFile(ctx, f.file("record.lock"), unix.LOCK_EX)
	if err != nil {
		return record{}, err
	}
	defer closeLock(lock)
	r, err := f.read()
	if err != nil {
		return record{}, err
	}
	if err := change(&r); err != nil {
		return record{}, err
	}
	return r, f.write(r)
}

// remove deletes the folder; it is no error when there is none.
func (f folder) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), recordLockTimeout)
	defer cancel()
	lock, err := lockFile(ctx, f.file("record.lock"), unix.LOCK_EX)
	if err == nil {
		defer closeLock(lock)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(string(f))
}

// touch notes that the window is claimed now: the file's time counts from the machine's start.
func (f folder) touch() error {
	now := time.Unix(0, int64(uptime()))
	return os.Chtimes(f.file("claim"), now, now)
}

// claimed tells whether anybody holds a claim at this moment.
func (f folder) claimed() bool {
	held, err := tryLockFile(f.file("claim"), unix.LOCK_EX)
	if err == nil {
		closeLock(held)
	}
	return errors.Is(err, errLocked)
}

// touched returns the [uptime] at which the window was last claimed, or else opened, as far as the folder tells.
func (f folder) touched() time.Duration {
	info, err := os.Stat(f.file("claim"))
	if err != nil {
		return 0
	}
	return time.Duration(info.ModTime().UnixNano())
}
