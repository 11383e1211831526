package store

import (
	"context"
	"errors"
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

// AddUser creates a user of u.RequesterUID with u.Email and u.Name. ErrConflict when the e-mail address is taken,
// ErrNotFound without such a requester, ErrInvalid for a password shorter than 10 characters.
func (s *Store) AddUser(ctx context.Context, u User, password string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// User reads one user. ErrNotFound.
func (s *Store) User(ctx context.Context, uid string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// Users lists a requester's users by e-mail address.
func (s *Store) Users(ctx context.Context, requesterUID string) ([]User, error) {
	return nil, errors.ErrUnsupported
}

// SetPassword changes the password of the user with this e-mail address and ends the user's sessions. ErrNotFound.
func (s *Store) SetPassword(ctx context.Context, email, password string) error {
	return errors.ErrUnsupported
}

// CheckPassword finds the user with this e-mail address and password. ErrWrongPassword, which takes as long for an
// unknown e-mail address as for a wrong password, and which also answers for a disabled requester's users.
func (s *Store) CheckPassword(ctx context.Context, email, password string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// StartSession signs a user in and returns the token for the user's cookie.
func (s *Store) StartSession(ctx context.Context, userUID string, lifetime time.Duration) (token string, err error) {
	return "", errors.ErrUnsupported
}

// SessionUser is whom the token signs in. ErrNotFound when there is no such session, it has expired, or the requester
// is disabled.
func (s *Store) SessionUser(ctx context.Context, token string) (User, error) {
	return User{}, errors.ErrUnsupported
}

// EndSession signs out. A session that is not there is no error.
func (s *Store) EndSession(ctx context.Context, token string) error {
	return errors.ErrUnsupported
}
