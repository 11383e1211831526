// Package store keeps what outlives Temporal's retention and what lists need: requesters with their people and keys,
// data requests as last projected by their workflow, authorizations, meters, events and webhook deliveries. It runs on
// SQLite (one file, shared by several processes) and on PostgreSQL, with the same behaviour.
//
// The workflow is the only source of truth for a request's status: Record projects it, and nothing else writes it.
// All times are UTC with microseconds. No secret is held in the clear: keys and session tokens are stored as hashes,
// passwords with argon2id, webhook secrets as the caller sealed them.
package store

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Errors that callers tell apart. They come wrapped: use errors.Is.
var (
	// ErrNotFound: there is no such thing, or it belongs to another requester.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it exists already, or its present state does not allow this.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: a field is missing or not of its form; the error names it.
	ErrInvalid = errors.New("invalid")
	// ErrWrongPassword: no user has this e-mail address and password.
	ErrWrongPassword = errors.New("wrong e-mail address or password")
)

// Options say which database to open.
type Options struct {
	// URL of a PostgreSQL database, "postgres://user:password@host/name". Empty: the SQLite file.
	URL string
	// File is the SQLite file; it is created when it does not exist. Its folder must exist.
	File string
	// NoMigrate leaves the tables as they are.
	NoMigrate bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store is the database. It is safe for concurrent use, also by several processes at once.
type Store struct {
	db      *bun.DB
	clock   func() time.Time
	file    string        // SQLite's
	writing chan struct{} // SQLite has one writer at a time: waiting here is fairer than at the file
}

// Published is what a change made known: its events, and the webhook deliveries that carry them.
type Published struct {
	Events []Event
	// Deliveries are uids of pending deliveries. Whoever made the change starts them; the sweep of DueDeliveries
	// finds those that were forgotten.
	Deliveries []string
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// Next is the After of the following page; empty on the last page.
	Next string
}

var uidAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewUID makes a uid: 16 random lower-case letters and digits.
func NewUID() string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the process instead
	return uidAlphabet.EncodeToString(random[:])
}

// randomToken is a secret of 256 bits, as letters and digits.
func randomToken() string { return strings.ToLower(rand.Text() + rand.Text()) }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

// Close ends all connections.
func (s *Store) Close() error { return s.db.Close() }
