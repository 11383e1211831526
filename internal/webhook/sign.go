package webhook

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// Headers that carry the signature and the salt it was made with.
const (
	HeaderSignature = "X-UtilityAPI-Webhook-Signature"
	HeaderSalt      = "X-UtilityAPI-Webhook-Salt"
)

// Signature is the lower-case hex SHA-256 of secret, a dot, salt, a dot and the body's exact bytes.
func Signature(secret, salt string, body []byte) string {
	sum := sha256.Sum256(append([]byte(secret+"."+salt+"."), body...))
	return hex.EncodeToString(sum[:])
}

// Sign adds the signature to a request's headers, under a salt of its own.
func Sign(header http.Header, secret string, body []byte) {
	salt := rand.Text()
	header.Set(HeaderSalt, salt)
	header.Set(HeaderSignature, Signature(secret, salt, body))
}
