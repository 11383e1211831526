package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// Idempotency is the answer that an idempotency key stands for.
type Idempotency struct {
	bun.BaseModel `bun:"table:idempotency,alias:idempotency_"`

	RequesterUID string `bun:"requester_uid,pk"`
	Key          string `bun:"key,pk"`
	// Endpoint and RequestHash tell a repeated call from a different one under the same key.
	Endpoint    string
	RequestHash string
	// Status and Body are the answer; Status is 0 while the first call is being worked on.
	Status  int
	Body    []byte
	Created time.Time
}

// ReserveKey takes the key for a call, or finds who has it: the returned row is the caller's own (mine) or an earlier
// one, whose answer is to be given again. A reservation without an answer is taken over after a minute.
func (s *Store) ReserveKey(ctx context.Context, i Idempotency) (found Idempotency, mine bool, err error) {
	return Idempotency{}, false, errors.ErrUnsupported
}

// AnswerKey keeps the answer of the call that reserved the key. ErrNotFound.
func (s *Store) AnswerKey(ctx context.Context, requesterUID, key string, status int, body []byte) error {
	return errors.ErrUnsupported
}

// ReleaseKey gives a reserved key back after a call that changed nothing.
func (s *Store) ReleaseKey(ctx context.Context, requesterUID, key string) error {
	return errors.ErrUnsupported
}

// ForgetKeys forgets keys created before the given time.
func (s *Store) ForgetKeys(ctx context.Context, before time.Time) error {
	return errors.ErrUnsupported
}
