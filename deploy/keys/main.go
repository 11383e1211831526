// Keys makes the secrets that a deployment needs and does not have yet: the workers' identity, the keys of portal and
// payloads, the databases' passwords. What is there already stays as it is, so it may run before every start.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/meterkey/meterkey/internal/atomicfile"
	"github.com/meterkey/meterkey/internal/cmdline"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sdk/payload"
)

const about = `Makes the secrets that are missing; run it as the user who shall own them. Keys are for their owner alone.
A database's password is readable to all who can see its folder, which is to be mounted where it is needed and nowhere else.`

// flags are the command line. A secret whose flag is absent is not made.
type flags struct {
	Identity    string            `type:"path" placeholder:"FILE" help:"The workers' age identity."`
	Recipient   string            `type:"path" placeholder:"FILE" help:"What is sealed to that identity: no secret, in a file of its own so that the identity's folder can be kept from others."`
	PortalKey   string            `type:"path" placeholder:"FILE" help:"The key of customers' links and of webhooks' secrets."`
	PayloadKeys string            `type:"path" placeholder:"FILE" help:"The keys that encrypt what Temporal stores."`
	Database    map[string]string `placeholder:"FOLDER=HOST:PORT:NAME:USER" help:"A database's password: the files password and pgpass in this folder."`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	var set flags
	if command, err := cmdline.Parse("keys", about, &set, args, stdout); command == nil {
		return err
	}
	return errors.Join(set.identity(), set.portalKey(), set.payloadKeys(), set.databases())
}

// identity publishes the recipient anew each time: after a rotation it is another one.
func (f flags) identity() error {
	if f.Identity == "" {
		return nil
	}
	identity, err := sealed.LoadOrCreate(f.Identity)
	if err != nil || f.Recipient == "" {
		return err
	}
	if published, err := sealed.ReadRecipient(f.Recipient); err == nil && published == identity.Recipient() {
		return nil
	}
	return atomicfile.Replace(f.Recipient, []byte(identity.Recipient()+"\n"), 0o644)
}

func (f flags) portalKey() error {
	if f.PortalKey == "" {
		return nil
	}
	_, err := portalkey.LoadOrCreate(f.PortalKey)
	return err
}

func (f flags) payloadKeys() error {
	if f.PayloadKeys == "" {
		return nil
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: see its documentation
	line := time.Now().UTC().Format("2006-01") + " " + base64.StdEncoding.EncodeToString(secret) + "\n"
	if err := atomicfile.Create(f.PayloadKeys, []byte(line), 0o600); err != nil {
		return err
	}
	_, err := payload.ReadKeys(f.PayloadKeys)
	return err
}

// databases writes each password twice: for the server, and as libpq's password file for its clients.
func (f flags) databases() error {
	for folder, entry := range f.Database {
		file := filepath.Join(folder, "password")
		if err := atomicfile.Create(file, []byte(rand.Text()), 0o444); err != nil {
			return err
		}
		password, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading a password: %w", err)
		}
		if err := atomicfile.Create(filepath.Join(folder, "pgpass"), []byte(entry+":"+string(password)+"\n"), 0o444); err != nil {
			return err
		}
	}
	return nil
}
