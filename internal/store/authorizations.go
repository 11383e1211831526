package store

import (
	"context"
	"errors"
	"fmt"
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
	return one[Authorization](ctx, s.db, "reading authorization", owned(requesterUID, uid))
}

// ListAuthorizations lists authorizations, newest first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListAuthorizations(ctx context.Context, f AuthorizationFilter) (Page[Authorization], error) {
	const doing = "listing authorizations"
	if err := needRequester(doing, f.Requester); err != nil {
		return Page[Authorization]{}, err
	}
	return list[Authorization]{
		db: s.db, column: "created", last: owned(f.Requester, f.After), queries: []*bun.SelectQuery{s.authorizationQuery(f)},
	}.page(ctx, doing, f.After, f.Limit)
}

// UpdateAuthorization changes what the requester owns. ErrNotFound.
func (s *Store) UpdateAuthorization(ctx context.Context, requesterUID, uid string, change AuthorizationChange) (Authorization, error) {
	var a Authorization
	err := s.write(ctx, "changing authorization", func(ctx context.Context, tx bun.Tx) (err error) {
		if a, err = s.holdAuthorization(ctx, tx, requesterUID, uid); err != nil {
			return err
		}
		set(&a.Nickname, change.Nickname)
		set(&a.IsArchived, change.IsArchived)
		return save(ctx, tx, &a)
	})
	return a, err
}

// Revoke ends the authorization and deletes its meters; until a customer authorizes anew, projections add nothing to it.
// ErrNotFound; revoking again changes nothing. Publishes authorization_revoked.
func (s *Store) Revoke(ctx context.Context, requesterUID, uid string) (Authorization, Published, error) {
	var a Authorization
	var published Published
	err := s.write(ctx, "revoking authorization", func(ctx context.Context, tx bun.Tx) (err error) {
		published = Published{}
		if a, err = s.holdAuthorization(ctx, tx, requesterUID, uid); err != nil || a.Revoked != nil {
			return err
		}
		now := s.now()
		a.Revoked, a.MeterCount = &now, 0
		if err := save(ctx, tx, &a); err != nil {
			return err
		}
		if err := dropMeters(ctx, tx, a.UID); err != nil {
			return err
		}
		published, err = s.publish(ctx, tx, requesterUID, []Event{a.event(EventAuthorizationRevoked)})
		return err
	})
	return a, published, err
}

// DeleteTest deletes a practice authorization with its meters. ErrNotFound; ErrConflict for a real one.
func (s *Store) DeleteTest(ctx context.Context, requesterUID, uid string) error {
	return s.write(ctx, "deleting authorization", func(ctx context.Context, tx bun.Tx) error {
		a, err := s.holdAuthorization(ctx, tx, requesterUID, uid)
		if err != nil {
			return err
		}
		if !a.IsTest {
			return fmt.Errorf("%w: only practice authorizations can be deleted; revoke this one", ErrConflict)
		}
		_, err = tx.NewUpdate().Model((*Request)(nil)).Set("authorization_uid = ''").Where("authorization_uid = ?", uid).
			Where("deleted IS NULL").Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewDelete().Model(&a).WherePK().Exec(ctx)
		return err
	})
}

// expiresSoon is how long before its end an authorization is told to be expiring.
const expiresSoon = 24 * time.Hour

// ExpireAuthorizations marks those whose time has come, and tells of those that have less than a day left. Publishes
// authorization_expired and authorization_expiring_soon, each once.
func (s *Store) ExpireAuthorizations(ctx context.Context, now time.Time) (Published, error) {
	var all Published
	err := s.write(ctx, "expiring authorizations", func(ctx context.Context, tx bun.Tx) error {
		all = Published{}
		var ending []Authorization
		q := tx.NewSelect().Model(&ending).Where("is_expired = ?", false).Where("expires IS NOT NULL").
			Where("expires <= ?", now.Add(expiresSoon)).Where("(expires <= ? OR told_expiring = ?)", now, false).Order("expires", "uid")
		if err := s.locked(q).Scan(ctx); err != nil {
			return err
		}
		for i := range ending {
			published, err := s.expire(ctx, tx, &ending[i], now)
			if err != nil {
				return err
			}
			all.Events = append(all.Events, published.Events...)
			all.Deliveries = append(all.Deliveries, published.Deliveries...)
		}
		return nil
	})
	return all, err
}

// sortKey is where lists have it.
func (a Authorization) sortKey() (time.Time, string) { return a.Created, a.UID }

// event is something that happened to the authorization.
func (a Authorization) event(kind EventType) Event {
	return Event{Type: kind, AuthorizationUID: a.UID, FormUID: a.FormUID}
}

func (s *Store) authorizationQuery(f AuthorizationFilter) *bun.SelectQuery {
	q := s.db.NewSelect().Model((*Authorization)(nil)).Where("?TableAlias.requester_uid = ?", f.Requester)
	oneOf(q, "uid", f.UIDs)
	oneOf(q, "form_uid", f.Forms)
	oneOf(q, "template_uid", f.Templates)
	oneOf(q, "referral", f.Referrals)
	equal(q, "utility", f.Utility)
	flag(q, "is_archived", f.Archived)
	flag(q, "is_test", f.Test)
	flag(q, "is_expired", f.Expired)
	happened(q, "declined", f.Declined)
	happened(q, "revoked", f.Revoked)
	return q
}

// holdAuthorization reads an authorization that is about to be changed.
func (s *Store) holdAuthorization(ctx context.Context, tx bun.Tx, requesterUID, uid string) (Authorization, error) {
	return one[Authorization](ctx, tx, "reading authorization", func(q *bun.SelectQuery) *bun.SelectQuery {
		return s.locked(owned(requesterUID, uid)(q))
	})
}

// authorizationOf reads the one that the request led to, or is to renew.
func (s *Store) authorizationOf(ctx context.Context, tx bun.Tx, r Request) (a Authorization, there bool, err error) {
	if r.AuthorizationUID == "" {
		return Authorization{}, false, nil
	}
	a, err = s.holdAuthorization(ctx, tx, r.RequesterUID, r.AuthorizationUID)
	if errors.Is(err, ErrNotFound) {
		return Authorization{}, false, nil
	}
	return a, err == nil, err
}

// expire marks one whose end is near or has come.
func (s *Store) expire(ctx context.Context, tx bun.Tx, a *Authorization, now time.Time) (Published, error) {
	kind := EventAuthorizationExpiringSoon
	a.ToldExpiring = true
	if !a.Expires.After(now) {
		kind = EventAuthorizationExpired
		a.IsExpired = true
	}
	if err := save(ctx, tx, a); err != nil {
		return Published{}, err
	}
	if a.Revoked != nil {
		return Published{}, nil
	}
	return s.publish(ctx, tx, a.RequesterUID, []Event{a.event(kind)})
}
