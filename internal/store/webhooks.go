package store

import (
	"context"
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
	w.UID, w.Created = NewUID(), s.now()
	err := s.write(ctx, "adding webhook", func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, &w) })
	return w, err
}

// Webhook reads one. ErrNotFound.
func (s *Store) Webhook(ctx context.Context, requesterUID, uid string) (Webhook, error) {
	return one[Webhook](ctx, s.db, "reading webhook", owned(requesterUID, uid))
}

// Webhooks lists a requester's webhooks, newest first.
func (s *Store) Webhooks(ctx context.Context, requesterUID string) ([]Webhook, error) {
	var all []Webhook
	err := s.db.NewSelect().Model(&all).Where("requester_uid = ?", requesterUID).
		OrderBy("created", bun.OrderDesc).OrderBy("uid", bun.OrderDesc).Scan(ctx)
	return all, failed("listing webhooks", err)
}

// UpdateWebhook changes a webhook. ErrNotFound.
func (s *Store) UpdateWebhook(ctx context.Context, requesterUID, uid string, change WebhookChange) (Webhook, error) {
	var w Webhook
	err := s.write(ctx, "changing webhook", func(ctx context.Context, tx bun.Tx) (err error) {
		if w, err = one[Webhook](ctx, tx, "reading webhook", owned(requesterUID, uid)); err != nil {
			return err
		}
		set(&w.URL, change.URL)
		set(&w.SecretSealed, change.SecretSealed)
		set(&w.Enabled, change.Enabled)
		return save(ctx, tx, &w)
	})
	return w, err
}

// DeleteWebhook deletes a webhook with its deliveries. ErrNotFound.
func (s *Store) DeleteWebhook(ctx context.Context, requesterUID, uid string) error {
	return s.write(ctx, "deleting webhook", func(ctx context.Context, tx bun.Tx) error {
		return some(tx.NewDelete().Model((*Webhook)(nil)).Where("uid = ?", uid).Where("requester_uid = ?", requesterUID).Exec(ctx))
	})
}

// PingWebhook makes a ping event for this webhook alone, enabled or not. ErrNotFound. Publishes ping.
func (s *Store) PingWebhook(ctx context.Context, requesterUID, uid string) (Published, error) {
	var published Published
	err := s.write(ctx, "pinging webhook", func(ctx context.Context, tx bun.Tx) error {
		webhook, err := one[Webhook](ctx, tx, "reading webhook", owned(requesterUID, uid))
		if err != nil {
			return err
		}
		published, err = s.publishTo(ctx, tx, requesterUID, []Event{{Type: EventPing}}, []Webhook{webhook})
		return err
	})
	return published, err
}

// Delivery reads one with its Webhook, whoever it belongs to: for whoever posts it. ErrNotFound.
func (s *Store) Delivery(ctx context.Context, uid string) (Delivery, error) {
	return one[Delivery](ctx, s.db, "reading delivery", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Relation("Webhook").Where("?TableAlias.uid = ?", uid)
	})
}

// DeliveryEvents are the events of a delivery, in their order. ErrNotFound.
func (s *Store) DeliveryEvents(ctx context.Context, uid string) ([]Event, error) {
	d, err := s.Delivery(ctx, uid)
	if err != nil {
		return nil, err
	}
	var events []Event
	err = s.db.NewSelect().Model(&events).Where("batch_uid = ?", d.BatchUID).Order("ts", "uid").Scan(ctx)
	return events, failed("reading the delivery's events", err)
}

// Deliveries lists a webhook's latest deliveries, newest first, limit at most. An empty webhookUID: of all the
// requester's webhooks.
func (s *Store) Deliveries(ctx context.Context, requesterUID, webhookUID string, limit int) ([]Delivery, error) {
	var latest []Delivery
	q := s.db.NewSelect().Model(&latest).Relation("Webhook").Where("?TableAlias.requester_uid = ?", requesterUID)
	equal(q, "webhook_uid", webhookUID)
	err := q.OrderExpr("?TableAlias.created DESC").OrderExpr("?TableAlias.uid DESC").Limit(int64(limit)).Scan(ctx)
	return latest, failed("listing deliveries", err)
}

// DueDeliveries are pending deliveries created before the given time that nobody has started, oldest first, limit at
// most.
func (s *Store) DueDeliveries(ctx context.Context, before time.Time, limit int) ([]Delivery, error) {
	var due []Delivery
	err := s.db.NewSelect().Model(&due).Relation("Webhook").
		Where("?TableAlias.status = ?", DeliveryPending).Where("?TableAlias.started IS NULL").
		Where("?TableAlias.created < ?", before).OrderExpr("?TableAlias.created").Limit(int64(limit)).Scan(ctx)
	return due, failed("finding due deliveries", err)
}

// MarkStarted notes that the deliveries' workflows run.
func (s *Store) MarkStarted(ctx context.Context, uids ...string) error {
	return s.write(ctx, "noting that deliveries have started", func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Delivery)(nil)).Set("started = ?", s.now()).
			Where("uid IN (?)", bun.List(uids)).Where("started IS NULL").Exec(ctx)
		return err
	})
}

// FinishAttempt notes how a try went; with DeliveryDelivered the events count as delivered. DeliveryFailed says that there
// will be no more tries, and counts as none. What was delivered stays so, whatever an attempt that was slower says. ErrNotFound.
func (s *Store) FinishAttempt(ctx context.Context, uid string, a Attempt) error {
	return s.write(ctx, "noting a delivery's attempt", func(ctx context.Context, tx bun.Tx) error {
		d, err := one[Delivery](ctx, tx, "reading delivery", func(q *bun.SelectQuery) *bun.SelectQuery {
			return s.locked(q.Where("uid = ?", uid))
		})
		if err != nil || d.Status == DeliveryDelivered {
			return err
		}
		if a.Outcome != DeliveryFailed { // giving up is no attempt
			d.Attempts++
		}
		d.LastStatus, d.LastError, d.Status = a.Status, a.Error, a.Outcome
		if a.Outcome != DeliveryPending {
			now := s.now()
			d.Finished = &now
		}
		if err := save(ctx, tx, &d); err != nil || a.Outcome != DeliveryDelivered {
			return err
		}
		_, err = tx.NewUpdate().Model((*Event)(nil)).Set("is_delivered = ?", true).Where("batch_uid = ?", d.BatchUID).Exec(ctx)
		return err
	})
}

// Redeliver makes a new pending delivery of the same events to the same webhook. ErrNotFound.
func (s *Store) Redeliver(ctx context.Context, requesterUID, uid string) (Delivery, error) {
	var again Delivery
	err := s.write(ctx, "delivering again", func(ctx context.Context, tx bun.Tx) error {
		d, err := one[Delivery](ctx, tx, "reading delivery", func(q *bun.SelectQuery) *bun.SelectQuery {
			return owned(requesterUID, uid)(q.Relation("Webhook"))
		})
		if err != nil {
			return err
		}
		again = newDelivery(*d.Webhook, d.BatchUID, d.EventCount, s.now())
		return put(ctx, tx, &again)
	})
	return again, err
}

// newDelivery is yet to be posted.
func newDelivery(w Webhook, batchUID string, events int, now time.Time) Delivery {
	return Delivery{UID: NewUID(), RequesterUID: w.RequesterUID, WebhookUID: w.UID, BatchUID: batchUID,
		Status: DeliveryPending, EventCount: events, Created: now, Webhook: &w}
}

func uids(deliveries []Delivery) []string {
	all := make([]string, len(deliveries))
	for i, d := range deliveries {
		all[i] = d.UID
	}
	return all
}
