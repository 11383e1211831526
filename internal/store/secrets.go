package store

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What hashing a password costs: the least that OWASP advises for argon2id, some 20 ms and 19 MiB.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16

	minPassword = 10
	maxPassword = 1000
)

// argonFormat is the customary way to write an argon2id hash: parameters, salt, hash.
const argonFormat = "$argon2id$v=19$m=%d,t=%d,p=%d$"

func hashPassword(password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", fmt.Errorf("%w: a password has %d to %d characters", ErrInvalid, minPassword, maxPassword)
	}
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails: it ends the process instead
	hash := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf(argonFormat, argonMemory, argonTime, argonThreads) +
		base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(hash), nil
}

// samePassword tells whether the hash is the password's. It takes as long for no hash as for another password's.
func samePassword(stored, password string) bool {
	p, ok := parseHash(stored)
	if len(password) > maxPassword {
		password, ok = "", false
	}
	hash := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, argonKey)
	return subtle.ConstantTimeCompare(hash, p.hash) == 1 && ok
}

// parsedHash is a stored hash's parts; it keeps the parameters it was made with when ours change.
type parsedHash struct {
	memory, time uint32
	threads      uint8
	salt, hash   []byte
}

// parseHash reads a stored hash; of one that cannot be read it makes parts that fit no password.
func parseHash(stored string) (parsedHash, bool) {
	none := parsedHash{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), nil}
	fields := strings.Split(stored, "$")
	if len(fields) != 6 {
		return none, false
	}
	p := parsedHash{}
	settings := strings.Join(fields[:4], "$") + "$"
	if _, err := fmt.Sscanf(settings, argonFormat, &p.memory, &p.time, &p.threads); err != nil || p.time == 0 || p.threads == 0 {
		return none, false
	}
	var badSalt, badHash error
	p.salt, badSalt = base64.RawStdEncoding.DecodeString(fields[4])
	p.hash, badHash = base64.RawStdEncoding.DecodeString(fields[5])
	return p, badSalt == nil && badHash == nil && len(p.hash) == argonKey
}

// hashToken is what is stored of a random token, which is too long to be guessed from its hash.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
