package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// AuthorizationStatus is UtilityAPI's word for how the last collection went.
type AuthorizationStatus string

// The statuses of an authorization.
const (
	Pending AuthorizationStatus = "pending"
	Updated AuthorizationStatus = "updated"
	Errored AuthorizationStatus = "errored"
)

// Authorization is a customer's consent, with what came of it. Its meters belong to it.
type Authorization struct {
	bun.BaseModel `bun:"table:authorizations,alias:authorization_"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	// FormUID is the latest request that led to it.
	FormUID       string
	TemplateUID   string
	Created       time.Time
	CustomerEmail string
	Utility       string
	// Consent is what the customer agreed to, nil if that is not known.
	Consent *Consent `bun:"type:text"`
	Scope   Scope    `bun:"type:text"`
	// Declined is when the customer said no.
	Declined *time.Time
	// Expires is nil for an authorization that lasts until it is revoked.
	Expires *time.Time
	// IsExpired and ToldExpiring are kept by ExpireAuthorizations.
	IsExpired    bool
	ToldExpiring bool
	Revoked      *time.Time
	IsArchived   bool
	IsTest       bool
	Nickname     string
	Notes        []Note `bun:"type:text"`
	Status       AuthorizationStatus
	// StatusMessage is for people.
	StatusMessage string
	StatusTS      time.Time `bun:"status_ts"`
	// Referral finds it again after the customer was sent back to the requester's site.
	Referral string
	// MeterCount is how many meters it has.
	MeterCount int
}

// Note says something about an authorization. Programs branch on Type, people read Msg.
type Note struct {
	Type string    `json:"type"`
	Msg  string    `json:"msg"`
	TS   time.Time `json:"ts"`
	// ETA is when something is expected (type retrying).
	ETA *time.Time `json:"eta,omitempty"`
}

// AuthorizationFilter narrows a list of authorizations; empty fields do not.
type AuthorizationFilter struct {
	// Requester must be given.
	Requester                                  string
	UIDs, Forms, Templates, Referrals          []string
	Utility                                    string
	Archived, Declined, Test, Revoked, Expired *bool
	// After is the Next of the page before; Limit 1 to 1000, 0 means 100.
	After string
	Limit int
}

// AuthorizationChange is what a requester may change; nil fields stay as they are.
type AuthorizationChange struct {
	Nickname   *string
	IsArchived *bool
}

// Authorization reads one. ErrNotFound.
func (s *Store) Authorization(ctx context.Context, requesterUID, uid string) (Authorization, error) {
	return Authorization{}, errors.ErrUnsupported
}

// ListAuthorizations lists authorizations, newest first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListAuthorizations(ctx context.Context, f AuthorizationFilter) (Page[Authorization], error) {
	return Page[Authorization]{}, errors.ErrUnsupported
}

// UpdateAuthorization changes what the requester owns. ErrNotFound.
func (s *Store) UpdateAuthorization(ctx context.Context, requesterUID, uid string, change AuthorizationChange) (Authorization, error) {
	return Authorization{}, errors.ErrUnsupported
}

// Revoke ends the authorization and deletes its meters; until a customer authorizes anew, projections add nothing to it.
// ErrNotFound; revoking again changes nothing. News: authorization_revoked.
func (s *Store) Revoke(ctx context.Context, requesterUID, uid string) (Authorization, News, error) {
	return Authorization{}, News{}, errors.ErrUnsupported
}

// DeleteTest deletes a practice authorization with its meters. ErrNotFound; ErrConflict for a real one.
func (s *Store) DeleteTest(ctx context.Context, requesterUID, uid string) error {
	return errors.ErrUnsupported
}

// ExpireAuthorizations marks those whose time has come, and tells of those that have less than a day left. News:
// authorization_expired and authorization_expiring_soon, each once.
func (s *Store) ExpireAuthorizations(ctx context.Context, now time.Time) (News, error) {
	return News{}, errors.ErrUnsupported
}
