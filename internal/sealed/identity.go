package sealed

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

// RecipientSuffix names the recipient file after the identity file that it belongs to.
const RecipientSuffix = ".pub"

// Identity opens what was sealed to the workers. It is safe for concurrent use.
type Identity struct {
	recipient string
	keys      []age.Identity
}

// LoadOrCreate reads the identity file, or creates it with one new identity when there is none; processes that do so at
// the same time agree on one. The file is in age-keygen's format and must be readable by its owner alone. Of several
// identities all open, and the first one's recipient is published in the file with RecipientSuffix beside it: to rotate,
// put a new identity first and remove the old one when nothing sealed to it is on its way any more.
func LoadOrCreate(file string) (*Identity, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := create(file); err != nil {
			return nil, fmt.Errorf("creating identity file: %w", err)
		}
	}
	identity, err := load(file)
	if err != nil {
		return nil, fmt.Errorf("reading identity file: %w", err)
	}
	if err := publish(file+RecipientSuffix, identity.recipient); err != nil {
		return nil, fmt.Errorf("writing recipient file: %w", err)
	}
	return identity, nil
}

// Recipient is what to seal to: "age1…".
func (i *Identity) Recipient() string { return i.recipient }

func create(file string) error {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	//nolint:gosec // starters of other users look up the recipient file in this folder
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().UTC().Format(time.RFC3339), key.Recipient(), key)
	return atomicfile.Create(file, []byte(text), 0o600)
}

func load(file string) (*Identity, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("others can read %s (mode %04o): run chmod 600 %s", file, mode, file)
	}
	keys, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	identity := &Identity{keys: keys}
	for _, key := range keys {
		x25519, ok := key.(*age.X25519Identity)
		if !ok {
			return nil, fmt.Errorf("%s: only X25519 identities are supported (AGE-SECRET-KEY-1…)", file)
		}
		identity.recipient = cmp.Or(identity.recipient, x25519.Recipient().String())
	}
	return identity, nil
}

// publish leaves a file that says so already untouched, so that workers may share a folder they cannot all write to.
func publish(file, recipient string) error {
	if published, err := readRecipientFile(file); err == nil && published == recipient {
		return nil
	}
	return atomicfile.Replace(file, []byte(recipient+"\n"), 0o644)
}

// ReadRecipient reads a recipient: either the recipient itself ("age1…") or the name of a file that holds it, such as the
// one that LoadOrCreate writes.
func ReadRecipient(valueOrFile string) (string, error) {
	value := strings.TrimSpace(valueOrFile)
	if strings.HasPrefix(value, "age1") {
		return parseRecipient(value)
	}
	recipient, err := readRecipientFile(value)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no recipient file %s: a worker writes it when it first starts: %w", value, err)
	}
	if err != nil {
		return "", fmt.Errorf("reading recipient file %s: %w", value, err)
	}
	return recipient, nil
}

func readRecipientFile(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		return parseRecipient(line)
	}
	return "", errors.New("it holds no recipient")
}

// parseRecipient repeats no text that does not begin like a recipient: it might be the identity, put there by mistake.
func parseRecipient(text string) (string, error) {
	if strings.HasPrefix(text, "AGE-SECRET-KEY-") {
		return "", errors.New("it holds an identity, which must stay with the workers; its recipient begins with age1")
	}
	if !strings.HasPrefix(text, "age1") {
		return "", errors.New("a recipient begins with age1")
	}
	recipient, err := age.ParseX25519Recipient(text)
	if err != nil {
		return "", err
	}
	return recipient.String(), nil
}
