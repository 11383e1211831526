package webhook

import (
	"crypto/rand"
	"errors"
	"strings"

	"github.com/meterkey/meterkey/internal/portalkey"
)

const (
	// purpose binds sealed secrets to what they are for.
	purpose = "webhook secret"
	// minSecret and maxSecret bound a secret that is given, in characters.
	minSecret = 16
	maxSecret = 200
)

// ErrSecret tells that a secret cannot be used; the error says what would be right.
var ErrSecret = errors.New("it must have 16 to 200 visible ASCII characters; leave it out to have one made")

// NewSecret is the secret of a webhook, the given one or a new one: to be shown once, and sealed, to be kept. ErrSecret.
func NewSecret(key *portalkey.Key, given string) (secret, sealed string, err error) {
	if given == "" {
		given = rand.Text()
	}
	if len(given) < minSecret || len(given) > maxSecret || strings.ContainsFunc(given, invisible) {
		return "", "", ErrSecret
	}
	return given, key.Seal(purpose, given), nil
}

func invisible(c rune) bool { return c <= ' ' || c > '~' }

// OpenSecret reads what NewSecret sealed.
func OpenSecret(key *portalkey.Key, sealed string) (string, error) { return key.Open(purpose, sealed) }
