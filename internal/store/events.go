package store

import (
	"context"
	"slices"
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
	return one[Event](ctx, s.db, "reading event", owned(requesterUID, uid))
}

// ListEvents lists events, newest first. ErrNotFound when After names none, ErrInvalid without Requester.
func (s *Store) ListEvents(ctx context.Context, f EventFilter) (Page[Event], error) {
	const doing = "listing events"
	if err := needRequester(doing, f.Requester); err != nil {
		return Page[Event]{}, err
	}
	q := s.db.NewSelect().Model((*Event)(nil)).Where("requester_uid = ?", f.Requester)
	flag(q, "is_delivered", f.Delivered)
	return list[Event]{
		db: s.db, column: "ts", last: owned(f.Requester, f.After), queries: []*bun.SelectQuery{q},
	}.page(ctx, doing, f.After, f.Limit)
}

// MarkDelivered sets by hand whether an event counts as delivered. ErrNotFound.
func (s *Store) MarkDelivered(ctx context.Context, requesterUID, uid string, delivered bool) (Event, error) {
	err := s.write(ctx, "marking event", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewUpdate().Model((*Event)(nil)).Set("is_delivered = ?", delivered).
			Where("uid = ?", uid).Where("requester_uid = ?", requesterUID).Exec(ctx))
	})
	if err != nil {
		return Event{}, err
	}
	return s.Event(ctx, requesterUID, uid)
}

// sortKey is where lists have it.
func (e Event) sortKey() (time.Time, string) { return e.TS, e.UID }

// maxBatch is how many events one delivery carries at most.
const maxBatch = 1000

// publish adds the events of one change, and their deliveries to each of the requester's enabled webhooks.
func (s *Store) publish(ctx context.Context, tx bun.Tx, requesterUID string, events []Event) (Published, error) {
	var webhooks []Webhook
	err := tx.NewSelect().Model(&webhooks).Where("requester_uid = ?", requesterUID).Where("enabled = ?", true).
		Order("created", "uid").Scan(ctx)
	if err != nil {
		return Published{}, err
	}
	return s.publishTo(ctx, tx, requesterUID, events, webhooks)
}

func (s *Store) publishTo(ctx context.Context, tx bun.Tx, requesterUID string, events []Event, webhooks []Webhook) (Published, error) {
	now := s.now()
	target := ""
	if len(webhooks) > 0 {
		target = webhooks[0].URL
	}
	var deliveries []Delivery
	for batch := range slices.Chunk(events, maxBatch) {
		batchUID := NewUID()
		for i := range batch {
			e := &batch[i]
			e.UID, e.RequesterUID, e.TS, e.BatchUID, e.DeliveryTarget = NewUID(), requesterUID, now, batchUID, target
			now = now.Add(time.Microsecond)
		}
		for _, webhook := range webhooks {
			deliveries = append(deliveries, newDelivery(webhook, batchUID, len(batch), now))
		}
	}
	if err := insert(ctx, tx, events, nil); err != nil {
		return Published{}, err
	}
	return Published{Events: events, Deliveries: uids(deliveries)}, insert(ctx, tx, deliveries, nil)
}
