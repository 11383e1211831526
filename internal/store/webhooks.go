package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// Webhook is an address that a requester's events are posted to.
type Webhook struct {
	bun.BaseModel `bun:"table:webhooks,alias:webhook"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	URL          string `bun:"url"`
	// SecretSealed is the signing secret as the caller sealed it.
	SecretSealed string `json:"-"`
	Enabled      bool
	Created      time.Time
}

// WebhookChange is what may be changed of a webhook; nil fields stay as they are.
type WebhookChange struct {
	URL, SecretSealed *string
	Enabled           *bool
}

// DeliveryStatus is how a delivery went.
type DeliveryStatus string

// The statuses of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryFailed    DeliveryStatus = "failed"
)

// Delivery is one body to be posted to one webhook: the events of its batch.
type Delivery struct {
	bun.BaseModel `bun:"table:deliveries,alias:delivery"`

	UID          string `bun:"uid,pk"`
	RequesterUID string
	WebhookUID   string
	BatchUID     string
	Status       DeliveryStatus
	// EventCount is how many events it carries, at most 1000.
	EventCount int
	// Attempts is how often it was posted.
	Attempts int
	// LastStatus is the last answer's HTTP status, 0 without an answer; LastError what went wrong, for people.
	LastStatus int
	LastError  string
	Created    time.Time
	// Started is when its workflow was started, Finished when it was delivered or given up.
	Started, Finished *time.Time

	// Webhook is there wherever a Delivery is read.
	Webhook *Webhook `bun:"rel:belongs-to,join:webhook_uid=uid"`
}

// Attempt is one try to post a delivery.
type Attempt struct {
	// Status is the answer's HTTP status, 0 without an answer.
	Status int
	// Error says what went wrong; empty when it went well.
	Error string
	// Outcome is DeliveryPending while it is to be tried again.
	Outcome DeliveryStatus
}

// AddWebhook stores a webhook of w.RequesterUID with its URL, SecretSealed and Enabled. ErrNotFound without such a
// requester.
func (s *Store) AddWebhook(ctx context.Context, w Webhook) (Webhook, error) {
	return Webhook{}, errors.ErrUnsupported
}

// Webhook reads one. ErrNotFound.
func (s *Store) Webhook(ctx context.Context, requesterUID, uid string) (Webhook, error) {
	return Webhook{}, errors.ErrUnsupported
}

// Webhooks lists a requester's webhooks, newest first.
func (s *Store) Webhooks(ctx context.Context, requesterUID string) ([]Webhook, error) {
	return nil, errors.ErrUnsupported
}

// UpdateWebhook changes a webhook. ErrNotFound.
func (s *Store) UpdateWebhook(ctx context.Context, requesterUID, uid string, change WebhookChange) (Webhook, error) {
	return Webhook{}, errors.ErrUnsupported
}

// DeleteWebhook deletes a webhook with its deliveries. ErrNotFound.
func (s *Store) DeleteWebhook(ctx context.Context, requesterUID, uid string) error {
	return errors.ErrUnsupported
}

// PingWebhook makes a ping event for this webhook alone, enabled or not. ErrNotFound. News: ping.
func (s *Store) PingWebhook(ctx context.Context, requesterUID, uid string) (News, error) {
	return News{}, errors.ErrUnsupported
}

// Delivery reads one with its Webhook, whoever it belongs to: for whoever posts it. ErrNotFound.
func (s *Store) Delivery(ctx context.Context, uid string) (Delivery, error) {
	return Delivery{}, errors.ErrUnsupported
}

// DeliveryEvents are the events of a delivery, in their order. ErrNotFound.
func (s *Store) DeliveryEvents(ctx context.Context, uid string) ([]Event, error) {
	return nil, errors.ErrUnsupported
}

// Deliveries lists a webhook's latest deliveries, newest first, limit at most. An empty webhookUID: of all the
// requester's webhooks.
func (s *Store) Deliveries(ctx context.Context, requesterUID, webhookUID string, limit int) ([]Delivery, error) {
	return nil, errors.ErrUnsupported
}

// DueDeliveries are pending deliveries created before the given time that nobody has started, oldest first, limit at
// most.
func (s *Store) DueDeliveries(ctx context.Context, before time.Time, limit int) ([]Delivery, error) {
	return nil, errors.ErrUnsupported
}

// MarkStarted notes that the deliveries' workflows run.
func (s *Store) MarkStarted(ctx context.Context, uids ...string) error {
	return errors.ErrUnsupported
}

// FinishAttempt notes how a try went; with DeliveryDelivered the events count as delivered. ErrNotFound.
func (s *Store) FinishAttempt(ctx context.Context, uid string, a Attempt) error {
	return errors.ErrUnsupported
}

// Redeliver makes a new pending delivery of the same events to the same webhook. ErrNotFound.
func (s *Store) Redeliver(ctx context.Context, requesterUID, uid string) (Delivery, error) {
	return Delivery{}, errors.ErrUnsupported
}
