package meterkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Sealed is a secret that only a worker can open: base64 (standard alphabet, padded) of an age file in its binary
// format, encrypted to the workers' X25519 recipient.
type Sealed string

// ageIntro opens every binary age file (age-encryption.org/v1, "Header").
const ageIntro = "age-encryption.org/v1\n"

// Seal seals a text to a recipient ("age1…"). It fails only for a recipient that is not one.
func Seal(recipient, text string) (Sealed, error) {
	to, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return "", fmt.Errorf("reading the recipient: %w", err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return Sealed(base64.StdEncoding.EncodeToString(out.Bytes())), nil
}

// SealCredentials seals a login as the JSON document that Login expects.
func SealCredentials(recipient string, c Credentials) (Sealed, error) {
	type plain Credentials // without the methods that hide what is in it
	text, err := json.Marshal(plain(c))
	if err != nil {
		return "", fmt.Errorf("encoding credentials: %w", err)
	}
	return Seal(recipient, string(text))
}

// Check tells what is wrong with the outside of a sealed text. It cannot tell whether a worker can open it.
func (s Sealed) Check() error {
	if s == "" {
		return fmt.Errorf("nothing sealed in it")
	}
	raw, err := base64.StdEncoding.DecodeString(string(s))
	if err != nil {
		return fmt.Errorf("the sealed text is not base64")
	}
	if !bytes.HasPrefix(raw, []byte(ageIntro)) {
		return fmt.Errorf("the sealed text is not a binary age file")
	}
	return nil
}

// Credentials is a customer's login. SealCredentials alone writes it down; every other way of printing it prints a placeholder.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

const redacted = "[redacted]"

// String hides the login.
func (Credentials) String() string { return redacted }

// GoString hides the login from %#v.
func (Credentials) GoString() string { return redacted }

// MarshalJSON hides the login from JSON, and so from logs.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
