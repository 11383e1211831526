package payload

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Keys encrypt and decrypt payloads: the first one encrypts, all decrypt. To rotate, put a new key first, in the file of
// every process, and keep the old one for as long as Temporal keeps histories. One key is good for 2^32 payloads, about
// a hundred million requests.
type Keys []Key

// Key is one AES-256 key.
type Key struct {
	ID   string
	aead cipher.AEAD
}

// keySize is AES-256's.
const keySize = 32

// NewKey makes a key of 32 bytes under an id without spaces.
func NewKey(id string, secret []byte) (Key, error) {
	if id == "" || strings.ContainsAny(id, " \t\r\n") {
		return Key{}, errors.New("a key id is one word")
	}
	if len(secret) != keySize {
		return Key{}, fmt.Errorf("key %s has %d bytes, not %d", id, len(secret), keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", id, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", id, err)
	}
	return Key{ID: id, aead: aead}, nil
}

// ReadKeys reads a key file, which its owner alone may read: a line for each key with its id and 32 bytes in base64.
// Empty lines and lines that begin with # do not count. An empty file name means no keys.
func ReadKeys(file string) (Keys, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading payload keys: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading payload keys: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("reading payload keys: others can read %s (mode %04o): run chmod 600 %s", file, mode, file)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading payload keys: %w", err)
	}
	keys, err := parseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("reading payload keys: %s %w", file, err)
	}
	return keys, nil
}

func parseKeys(text string) (Keys, error) {
	var keys Keys
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if _, err := keys.find(key.ID); err == nil {
			return nil, fmt.Errorf("line %d: key id %s stands there twice", number, key.ID)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("holds no key")
	}
	return keys, nil
}

func parseKey(line string) (Key, error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return Key{}, errors.New("a line is a key id and 32 bytes in base64")
	}
	secret, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return Key{}, fmt.Errorf("key %s is not base64", fields[0])
	}
	return NewKey(fields[0], secret)
}

func (k Keys) find(id string) (Key, error) {
	for _, key := range k {
		if key.ID == id {
			return key, nil
		}
	}
	return Key{}, fmt.Errorf("no key with id %q is configured (MK_PAYLOAD_KEYS)", id)
}
