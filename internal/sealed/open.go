package sealed

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/meterkey/meterkey"
)

// maxSealed bounds a sealed text, in bytes of base64; no login or code comes near it.
const maxSealed = 64 << 10

// Errors that callers tell apart. They come wrapped: use errors.Is.
var (
	// ErrNotForUs: it was sealed to another recipient.
	ErrNotForUs = errors.New("sealed to another recipient than this worker's")
	// ErrUnreadable: it is not a sealed text, was damaged on its way, or does not hold what was expected.
	ErrUnreadable = errors.New("the sealed text cannot be read")
)

// Open opens a sealed text. ErrNotForUs and ErrUnreadable tell why it cannot.
func (i *Identity) Open(s meterkey.Sealed) ([]byte, error) {
	if len(s) > maxSealed {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrUnreadable, maxSealed)
	}
	raw, err := base64.StdEncoding.DecodeString(string(s))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64", ErrUnreadable)
	}
	plain, err := age.Decrypt(bytes.NewReader(raw), i.keys...)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, fmt.Errorf("opening a sealed text: %w", ErrNotForUs)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a binary age file", ErrUnreadable)
	}
	// An age file holds fewer bytes than it is long, so the bound above is one for this too.
	text, err := io.ReadAll(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: it was damaged on its way", ErrUnreadable)
	}
	return text, nil
}

// OpenCredentials opens a sealed login: a JSON document with exactly a username and a password, both not empty.
func (i *Identity) OpenCredentials(s meterkey.Sealed) (meterkey.Credentials, error) {
	var login meterkey.Credentials
	text, err := i.Open(s)
	if err != nil {
		return login, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&login)
	if _, rest := decoder.Token(); err != nil || !errors.Is(rest, io.EOF) {
		// The decoder's own errors quote what they read, so they go no further.
		return meterkey.Credentials{}, fmt.Errorf(`%w: a login is {"username": …, "password": …}`, ErrUnreadable)
	}
	if login.Username == "" || login.Password == "" {
		return meterkey.Credentials{}, fmt.Errorf("%w: the login lacks its user name or password", ErrUnreadable)
	}
	return login, nil
}
