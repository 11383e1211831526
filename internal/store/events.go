package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// EventType is what an event tells.
type EventType string

// The types of events.
const (
	EventPing                        EventType = "ping"
	EventFormCreated                 EventType = "form_created"
	EventAuthorizationCreated        EventType = "authorization_created"
	EventAuthorizationDeclined       EventType = "authorization_declined"
	EventAuthorizationRenewed        EventType = "authorization_renewed"
	EventAuthorizationUpdateStarted  EventType = "authorization_update_started"
	EventAuthorizationUpdateDelayed  EventType = "authorization_update_delayed"
	EventAuthorizationUpdateRetrying EventType = "authorization_update_retrying"
	EventAuthorizationUpdateProgress EventType = "authorization_update_progress"
	EventAuthorizationUpdateFinished EventType = "authorization_update_finished_successful"
	EventAuthorizationUpdateErrored  EventType = "authorization_update_finished_errored"
	EventAuthorizationExpiringSoon   EventType = "authorization_expiring_soon"
	EventAuthorizationExpired        EventType = "authorization_expired"
	EventAuthorizationRevoked        EventType = "authorization_revoked"
	EventMeterCreated                EventType = "meter_created"
)

// Event is something that happened, for the requester's systems.
type Event struct {
	bun.BaseModel `bun:"table:events,alias:event"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	Type         EventType
	// TS is when it was recorded. The events of one change are a microsecond apart, in their order.
	TS               time.Time `bun:"ts"`
	AuthorizationUID string
	MeterUID         string
	FormUID          string
	// BatchUID is shared by the events that are delivered together.
	BatchUID string
	// DeliveryTarget is the address of the webhook it goes to (the first, if there are several); empty without any.
	DeliveryTarget string
	// IsDelivered: a webhook took it, or it was marked so.
	IsDelivered bool
}

// EventFilter narrows a list of events; empty fields do not.
type EventFilter struct {
	// Requester must be given.
	Requester string
	Delivered *bool
	// After is the Next of the page before; Limit 1 to 1000, 0 means 100.
	After string
	Limit int
}

// Event reads one. ErrNotFound.
func (s *Store) Event(ctx context.Context, requesterUID, uid string) (Event, error) {
	return Event{}, errors.ErrUnsupported
}

// ListEvents lists events, newest first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListEvents(ctx context.Context, f EventFilter) (Page[Event], error) {
	return Page[Event]{}, errors.ErrUnsupported
}

// MarkDelivered sets by hand whether an event counts as delivered. ErrNotFound.
func (s *Store) MarkDelivered(ctx context.Context, requesterUID, uid string, delivered bool) (Event, error) {
	return Event{}, errors.ErrUnsupported
}
