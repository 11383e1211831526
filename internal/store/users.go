package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// User is one of a requester's people, who signs in to the dashboard.
type User struct {
	bun.BaseModel `bun:"table:users,alias:user_"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	// Email is unique and lower-case.
	Email        string
	Name         string
	PasswordHash string `json:"-"`
	Created      time.Time
}

// session is a user's signing-in, by the hash of its token.
type session struct {
	bun.BaseModel `bun:"table:sessions,alias:session"`

	TokenHash string `bun:"token_hash,pk"`
	UserUID   string
	Created   time.Time
	Expires   time.Time
}

// AddUser creates a user of u.RequesterUID with u.Email and u.Name. ErrConflict when the e-mail address is taken,
// ErrNotFound without such a requester, ErrInvalid for a password shorter than 10 characters.
func (s *Store) AddUser(ctx context.Context, u User, password string) (User, error) {
	hash, err := hashPassword(password)
	if err != nil {
		return User{}, fmt.Errorf("adding user: %w", err)
	}
	if !strings.Contains(u.Email, "@") {
		return User{}, fmt.Errorf("adding user: %w: email is not an e-mail address", ErrInvalid)
	}
	u.UID, u.Email, u.PasswordHash, u.Created = NewUID(), lowerEmail(u.Email), hash, s.now()
	err = s.write(ctx, "adding user", func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, &u) })
	return u, err
}

// User reads one user. ErrNotFound.
func (s *Store) User(ctx context.Context, uid string) (User, error) {
	return one[User](ctx, s.db, "reading user", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("uid = ?", uid) })
}

// Users lists a requester's users by e-mail address.
func (s *Store) Users(ctx context.Context, requesterUID string) ([]User, error) {
	var all []User
	err := s.db.NewSelect().Model(&all).Where("requester_uid = ?", requesterUID).Order("email").Scan(ctx)
	return all, failed("listing users", err)
}

// SetPassword changes the password of the user with this e-mail address and ends the user's sessions. ErrNotFound.
func (s *Store) SetPassword(ctx context.Context, email, password string) error {
	hash, err := hashPassword(password)
	if err != nil {
		return fmt.Errorf("setting password: %w", err)
	}
	return s.write(ctx, "setting password", func(ctx context.Context, tx bun.Tx) error {
		user, err := one[User](ctx, tx, "finding user", withEmail(email))
		if err != nil {
			return err
		}
		user.PasswordHash = hash
		if err := save(ctx, tx, &user); err != nil {
			return err
		}
		_, err = tx.NewDelete().Model((*session)(nil)).Where("user_uid = ?", user.UID).Exec(ctx)
		return err
	})
}

// CheckPassword finds the user with this e-mail address and password. ErrWrongPassword, which takes as long for an
// unknown e-mail address as for a wrong password, and which also answers for a disabled requester's users.
func (s *Store) CheckPassword(ctx context.Context, email, password string) (User, error) {
	user, err := one[User](ctx, s.db, "checking password", func(q *bun.SelectQuery) *bun.SelectQuery {
		return withEmail(email)(enabled(q))
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	if !samePassword(user.PasswordHash, password) {
		return User{}, ErrWrongPassword
	}
	return user, nil
}

// StartSession signs a user in and returns the token for the user's cookie.
func (s *Store) StartSession(ctx context.Context, userUID string, lifetime time.Duration) (token string, err error) {
	token = randomToken()
	row := session{TokenHash: hashToken(token), UserUID: userUID, Created: s.now(), Expires: s.now().Add(lifetime)}
	err = s.write(ctx, "starting session", func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, &row) })
	return token, err
}

// SessionUser is whom the token signs in. ErrNotFound when there is no such session, it has expired, or the requester
// is disabled.
func (s *Store) SessionUser(ctx context.Context, token string) (User, error) {
	return one[User](ctx, s.db, "reading session", func(q *bun.SelectQuery) *bun.SelectQuery {
		return enabled(q).Join("JOIN sessions AS session ON session.user_uid = ?TableAlias.uid").
			Where("session.token_hash = ?", hashToken(token)).Where("session.expires > ?", s.now())
	})
}

// EndSession signs out. A session that is not there is no error.
func (s *Store) EndSession(ctx context.Context, token string) error {
	return s.write(ctx, "ending session", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*session)(nil)).Where("token_hash = ?", hashToken(token)).Exec(ctx)
		return err
	})
}

func lowerEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func withEmail(email string) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("?TableAlias.email = ?", lowerEmail(email)) }
}

// enabled narrows a query to rows of requesters who are not disabled.
func enabled(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Join("JOIN requesters AS requester ON requester.uid = ?TableAlias.requester_uid").
		Where("requester.disabled = ?", false)
}
