package notices

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// outbox writes messages to files named after their notices: another attempt replaces the file.
type outbox struct{ folder string }

func (o outbox) deliver(_ context.Context, name string, m message) (Delivery, error) {
	if err := o.write(name+".eml", m); err != nil {
		return "", fmt.Errorf("writing to the outbox: %w", err)
	}
	return Saved, nil
}

func (o outbox) write(name string, m message) error {
	if err := os.MkdirAll(o.folder, 0o700); err != nil {
		return err
	}
	// A new file and a rename: whoever watches the folder never sees half a message.
	f, err := os.CreateTemp(o.folder, ".new-*")
	if err != nil {
		return err
	}
	_, err = m.WriteTo(f)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(o.folder, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
