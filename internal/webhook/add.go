package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
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

// Adder is the part of the store in which webhooks are registered.
type Adder interface {
	AddWebhook(ctx context.Context, w store.Webhook) (store.Webhook, error)
}

// Add registers a webhook of a requester's. An empty secret has one made. The secret is returned to be shown once; it is
// kept sealed. ErrRefused when the address may not be used, ErrSecret when the secret may not.
func Add(ctx context.Context, s Adder, key *portalkey.Key, g *Guard, requester, address, secret string) (store.Webhook, string, error) {
	if err := g.Check(ctx, address); err != nil {
		return store.Webhook{}, "", err
	}
	secret, sealed, err := NewSecret(key, secret)
	if err != nil {
		return store.Webhook{}, "", err
	}
	w, err := s.AddWebhook(ctx, store.Webhook{RequesterUID: requester, URL: address, SecretSealed: sealed, Enabled: true})
	if err != nil {
		return store.Webhook{}, "", fmt.Errorf("adding a webhook: %w", err)
	}
	return w, secret, nil
}

// NewSecret makes a secret, or takes the given one, and seals it. ErrSecret.
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
