package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
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
	Position          int
	AccountNumber     string
	MeterNumber       string
	ServiceIdentifier string
	ServiceAddress    string
	// ServiceClass is electric, gas or water; empty if the site does not say.
	ServiceClass string
	Tariff       string
	Status       string
	IsArchived   bool
	IsTest       bool
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
	return Meter{}, errors.ErrUnsupported
}

// ListMeters lists meters, the latest authorized first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListMeters(ctx context.Context, f MeterFilter) (Page[Meter], error) {
	return Page[Meter]{}, errors.ErrUnsupported
}

// AllMeters reads an authorization's whole list in the order of the utility's site. ErrNotFound.
func (s *Store) AllMeters(ctx context.Context, requesterUID, authorizationUID string) ([]Meter, error) {
	return nil, errors.ErrUnsupported
}

// ArchiveMeter sets whether a meter is archived. ErrNotFound.
func (s *Store) ArchiveMeter(ctx context.Context, requesterUID, uid string, archived bool) (Meter, error) {
	return Meter{}, errors.ErrUnsupported
}
