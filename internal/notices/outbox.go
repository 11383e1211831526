package notices

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meterkey/meterkey/internal/atomicfile"
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
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return err
	}
	return atomicfile.Replace(filepath.Join(o.folder, name), text.Bytes(), 0o600)
}
