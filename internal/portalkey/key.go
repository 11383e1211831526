// Package portalkey is the portal's secret: one key from which customers' links are made, and with which the secrets that the
// database has to keep are sealed.
//
// Links need no table: a link names its request and the moment it was first sent, under a message authentication code.
// Workers make them for notices and portals check them, so both read the same key file.
package portalkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/meterkey/meterkey/internal/atomicfile"
)

// Size is how many bytes a key has.
const Size = 32

// macSize is how many bytes of the code a link carries: 128 bits cannot be guessed.
const macSize = 16

// ErrNotOurs tells that something was not sealed with this key for this purpose, or was changed since.
var ErrNotOurs = errors.New("it was not sealed with this key for this purpose")

// Key is the portal's key. It is safe for concurrent use.
type Key struct {
	links   []byte
	secrets cipher.AEAD
}

// LoadOrCreate reads the key file, or creates it with a new key when there is none; processes that do so at the same time
// agree on one. The file holds one line, 32 bytes in base64, and must be readable by its owner alone, or by its group where
// worker and portal run as different users.
func LoadOrCreate(file string) (*Key, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := create(file); err != nil {
			return nil, fmt.Errorf("creating the portal's key file: %w", err)
		}
	}
	key, err := load(file)
	if err != nil {
		return nil, fmt.Errorf("reading the portal's key file: %w", err)
	}
	return key, nil
}

// New is the key made of these bytes.
func New(secret []byte) (*Key, error) {
	if len(secret) != Size {
		return nil, fmt.Errorf("a key has %d bytes, this one %d", Size, len(secret))
	}
	links, err := hkdf.Key(sha256.New, secret, nil, "meterkey links", Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the links' key: %w", err)
	}
	sealing, err := hkdf.Key(sha256.New, secret, nil, "meterkey secrets", Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the secrets' key: %w", err)
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, fmt.Errorf("deriving the secrets' key: %w", err)
	}
	secrets, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("deriving the secrets' key: %w", err)
	}
	return &Key{links: links, secrets: secrets}, nil
}

func create(file string) error {
	//nolint:gosec // the folder is shared with what others may read; the file itself is not
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	secret := make([]byte, Size)
	_, _ = rand.Read(secret) // never fails: see its documentation
	return atomicfile.Create(file, []byte(base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600)
}

func load(file string) (*Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o037 != 0 {
		return nil, fmt.Errorf("%s is open to others (%#o): chmod 600 %s", file, mode, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != Size {
		return nil, fmt.Errorf("%s must hold %d bytes in base64: make one with `openssl rand -base64 %d`", file, Size, Size)
	}
	return New(secret)
}

// LinkToken names a request and the moment its link was first sent (State.LinkedAt), so that nobody else can make it. It is
// safe in URLs.
func (k *Key) LinkToken(requestID string, linkedAt time.Time) string {
	named := requestID + "." + strconv.FormatInt(linkedAt.UnixMicro(), 36)
	return named + "." + base64.RawURLEncoding.EncodeToString(k.mac(named))
}

// Link is the address of the customer's page: where the portal is reached, and the token.
func (k *Key) Link(portalURL, requestID string, linkedAt time.Time) string {
	return strings.TrimSuffix(portalURL, "/") + "/r/" + k.LinkToken(requestID, linkedAt)
}

// ReadLinkToken tells which link a token is, in microseconds. Ok means that the token was made with this key; whether the link
// still counts is for the request's state to say.
func (k *Key) ReadLinkToken(token string) (requestID string, linkedAt time.Time, ok bool) {
	named, code, _ := cutLast(token)
	requestID, stamp, found := cutLast(named)
	mac, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if !found || err != nil || !hmac.Equal(mac, k.mac(named)) {
		return "", time.Time{}, false
	}
	micros, err := strconv.ParseInt(stamp, 36, 64)
	return requestID, time.UnixMicro(micros).UTC(), err == nil
}

func (k *Key) mac(text string) []byte {
	h := hmac.New(sha256.New, k.links)
	h.Write([]byte(text))
	return h.Sum(nil)[:macSize]
}

func cutLast(text string) (before, after string, found bool) {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// Seal makes a secret fit to be kept: base64 of AES-256-GCM, bound to its purpose.
func (k *Key) Seal(purpose, plain string) string {
	//nolint:gosec // this mode makes a random nonce of its own for each message
	return base64.StdEncoding.EncodeToString(k.secrets.Seal(nil, nil, []byte(plain), []byte(purpose)))
}

// Open reads what Seal made for the same purpose; ErrNotOurs for anything else.
func (k *Key) Open(purpose, sealed string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("opening a sealed secret: %w", ErrNotOurs)
	}
	plain, err := k.secrets.Open(nil, nil, text, []byte(purpose))
	if err != nil {
		return "", fmt.Errorf("opening a sealed secret: %w", ErrNotOurs)
	}
	return string(plain), nil
}
