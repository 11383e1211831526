package notices

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// rememberFor is longer than any notice is tried.
const rememberFor = 30 * 24 * time.Hour

// marks remembers the notices that the mail server took, as empty files: an attempt whose success was never heard of is
// not repeated on this machine. Elsewhere the Message-ID tells.
type marks struct{ folder string }

// open makes the folder and forgets what was marked before a time.
func (m marks) open(before time.Time) error {
	if err := os.MkdirAll(m.folder, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(m.folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(filepath.Join(m.folder, entry.Name()))
		}
		// Another process may have removed it first.
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (m marks) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.folder, name))
	return err == nil
}

func (m marks) add(name string) error {
	return os.WriteFile(filepath.Join(m.folder, name), nil, 0o600)
}
