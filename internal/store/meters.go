package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// Meter is one line of an authorization's meter list. Its uid stays the same when the list is read again.
type Meter struct {
	bun.BaseModel `bun:"table:meters,alias:meter"`

	UID              string `bun:"uid,pk"`
	AuthorizationUID string
	RequesterUID     string
	Utility          string
	// Created is when it was first read. The meters of one list are a microsecond apart, so that newest first is the
	// order of the utility's site.
	Created time.Time
	// Position in the utility's list, from 0.
	Position int
	meterkey.Meter
	IsArchived bool
	IsTest     bool
}

// MeterFilter narrows a list of meters; empty fields do not.
type MeterFilter struct {
	// Requester must be given.
	Requester            string
	UIDs, Authorizations []string
	Utility              string
	Archived             *bool
	// After is the Next of the page before; Limit 1 to 1000, 0 means 100.
	After string
	Limit int
}

// Meter reads one. ErrNotFound.
func (s *Store) Meter(ctx context.Context, requesterUID, uid string) (Meter, error) {
	return one[Meter](ctx, s.db, "reading meter", owned(requesterUID, uid))
}

// ListMeters lists meters, the latest authorized first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListMeters(ctx context.Context, f MeterFilter) (Page[Meter], error) {
	const doing = "listing meters"
	if err := needRequester(doing, f.Requester); err != nil {
		return Page[Meter]{}, err
	}
	queries := []*bun.SelectQuery{s.meterQuery(f)}
	if len(f.UIDs) == 0 && len(f.Authorizations) > 0 {
		queries = nil
		for _, uid := range f.Authorizations {
			queries = append(queries, s.meterQuery(f).Where("?TableAlias.authorization_uid = ?", uid))
		}
	} else {
		oneOf(queries[0], "authorization_uid", f.Authorizations)
	}
	return list[Meter]{
		db: s.db, column: "created", last: owned(f.Requester, f.After), queries: queries,
	}.page(ctx, doing, f.After, f.Limit)
}

// AllMeters reads an authorization's whole list in the order of the utility's site. ErrNotFound.
func (s *Store) AllMeters(ctx context.Context, requesterUID, authorizationUID string) ([]Meter, error) {
	if _, err := s.Authorization(ctx, requesterUID, authorizationUID); err != nil {
		return nil, err
	}
	meters := []Meter{}
	err := s.db.NewSelect().Model(&meters).Where("authorization_uid = ?", authorizationUID).Order("position").Scan(ctx)
	return meters, failed("reading meters", err)
}

// ArchiveMeter sets whether a meter is archived. ErrNotFound.
func (s *Store) ArchiveMeter(ctx context.Context, requesterUID, uid string, archived bool) (Meter, error) {
	err := s.write(ctx, "archiving meter", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model((*Meter)(nil)).Set("is_archived = ?", archived).
			Where("uid = ?", uid).Where("requester_uid = ?", requesterUID).Exec(ctx))
	})
	if err != nil {
		return Meter{}, err
	}
	return s.Meter(ctx, requesterUID, uid)
}

// sortKey is where lists have it.
func (m Meter) sortKey() (time.Time, string) { return m.Created, m.UID }

func (s *Store) meterQuery(f MeterFilter) *bun.SelectQuery {
	q := s.db.NewSelect().Model((*Meter)(nil)).Where("?TableAlias.requester_uid = ?", f.Requester)
	oneOf(q, "uid", f.UIDs)
	equal(q, "utility", f.Utility)
	flag(q, "is_archived", f.Archived)
	return q
}

func dropMeters(ctx context.Context, tx bun.Tx, authorizationUID string) error {
	_, err := tx.NewDelete().Model((*Meter)(nil)).Where("authorization_uid = ?", authorizationUID).Exec(ctx)
	return err
}

// replaceMeters makes the authorization's meters those of the list, and returns the new ones. A meter that was there
// before keeps its uid, its time and whether it is archived.
func replaceMeters(ctx context.Context, tx bun.Tx, a Authorization, list []meterkey.Meter, now time.Time) ([]Meter, error) {
	var old []string
	if err := tx.NewSelect().Model((*Meter)(nil)).Column("uid").Where("authorization_uid = ?", a.UID).Scan(ctx, &old); err != nil {
		return nil, err
	}
	gone := make(map[string]bool, len(old))
	for _, uid := range old {
		gone[uid] = true
	}
	meters := metersOf(a, list, now)
	var fresh []Meter
	for _, meter := range meters {
		if !gone[meter.UID] {
			fresh = append(fresh, meter)
		}
		delete(gone, meter.UID)
	}
	old = slices.DeleteFunc(old, func(uid string) bool { return !gone[uid] })
	for batch := range slices.Chunk(old, maxBatch) {
		if _, err := tx.NewDelete().Model((*Meter)(nil)).Where("uid IN (?)", bun.List(batch)).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return fresh, insert(ctx, tx, meters, func(q *bun.InsertQuery) *bun.InsertQuery {
		return q.On("CONFLICT (uid) DO UPDATE").Set("position = EXCLUDED.position").Set("utility = EXCLUDED.utility").
			Set("service_address = EXCLUDED.service_address").Set("tariff = EXCLUDED.tariff").Set("status = EXCLUDED.status")
	})
}

// metersOf are the rows of a list.
func metersOf(a Authorization, list []meterkey.Meter, now time.Time) []Meter {
	meters := make([]Meter, len(list))
	alike := map[string]int{}
	for i, m := range list {
		key := strings.Join([]string{m.AccountNumber, m.MeterNumber, m.ServiceIdentifier, m.ServiceClass}, "\x00")
		alike[key]++
		meters[i] = Meter{
			UID: meterUID(a.UID, key, alike[key]), AuthorizationUID: a.UID, RequesterUID: a.RequesterUID, Utility: a.Utility,
			Created: now.Add(-time.Duration(i) * time.Microsecond), Position: i, Meter: m, IsTest: a.IsTest,
		}
	}
	return meters
}

// meterUID follows from what tells meters of one authorization apart, so that a meter keeps its uid whenever the list is
// read, even if it was not on it for a while. Lines that are alike are told apart by their order.
func meterUID(authorizationUID, key string, occurrence int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", authorizationUID, key, occurrence))
	return uidAlphabet.EncodeToString(sum[:10])
}
