package store

import (
	"context"
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

// reservationTimeout is when a reservation without an answer belongs to a call that will not come back.
const reservationTimeout = time.Minute

// ReserveKey takes the key for a call, or finds who has it: the returned row is the caller's own (mine) or an earlier
// one, whose answer is to be given again. A reservation without an answer is taken over after a minute.
func (s *Store) ReserveKey(ctx context.Context, i Idempotency) (found Idempotency, mine bool, err error) {
	i.Status, i.Body, i.Created = 0, nil, s.now()
	err = s.write(ctx, "reserving idempotency key", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Idempotency)(nil)).Where("requester_uid = ?", i.RequesterUID).Where("key = ?", i.Key).
			Where("status = 0").Where("created < ?", i.Created.Add(-reservationTimeout)).Exec(ctx)
		if err != nil {
			return err
		}
		result, err := tx.NewInsert().Model(&i).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		rows, err := result.RowsAffected()
		mine = rows > 0
		if err != nil || mine {
			found = i
			return err
		}
		found, err = one[Idempotency](ctx, tx, "reading the first answer", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("requester_uid = ?", i.RequesterUID).Where("key = ?", i.Key)
		})
		return err
	})
	return found, mine, err
}

// AnswerKey keeps the answer of the call that reserved the key. ErrNotFound.
func (s *Store) AnswerKey(ctx context.Context, requesterUID, key string, status int, body []byte) error {
	return s.write(ctx, "keeping the answer", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model((*Idempotency)(nil)).Set("status = ?", status).Set("body = ?", body).
			Where("requester_uid = ?", requesterUID).Where("key = ?", key).Exec(ctx))
	})
}

// ReleaseKey gives a reserved key back after a call that changed nothing.
func (s *Store) ReleaseKey(ctx context.Context, requesterUID, key string) error {
	return s.write(ctx, "releasing idempotency key", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Idempotency)(nil)).Where("requester_uid = ?", requesterUID).Where("key = ?", key).
			Where("status = 0").Exec(ctx)
		return err
	})
}
