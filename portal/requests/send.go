// Package requests sends the data requests that a requester's people make, one by one or many at once.
package requests

import (
	"context"
	"errors"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// Sender sends data requests. Both of its steps may be repeated with the same uid, whatever became of the first try: the
// customer is asked once. It is safe for concurrent use.
type Sender struct {
	Store    *store.Store
	Requests *sdk.Client
	Webhooks interface {
		// Deliver starts deliveries. One that cannot be started now is started later.
		Deliver(ctx context.Context, deliveries ...string)
	}
}

// Create stores a new request of the requester's. meterkey.ErrInvalidRequest if it could never be started;
// store.ErrNotFound if its uid is another requester's.
func (s Sender) Create(ctx context.Context, requester store.Requester, r store.Request) (store.Request, error) {
	r.RequesterUID, r.IsTest = requester.UID, r.Utility == utilities.Demo
	// What would never start is not to stay in the list.
	if err := WorkflowInput(requester, r).Validate(); err != nil {
		return r, err
	}
	stored, news, err := s.Store.CreateRequest(ctx, r)
	if errors.Is(err, store.ErrConflict) {
		return s.Store.Request(ctx, requester.UID, r.UID)
	}
	if err == nil {
		s.Webhooks.Deliver(ctx, news.Deliveries...)
	}
	return stored, err
}

// Start starts the workflow of a stored request, unless it has been started.
func (s Sender) Start(ctx context.Context, requester store.Requester, stored store.Request) error {
	err := s.Requests.Start(ctx, WorkflowInput(requester, stored))
	if errors.Is(err, sdk.ErrExists) {
		return nil
	}
	return err
}

// WorkflowInput is what a stored request's workflow is started with.
func WorkflowInput(requester store.Requester, r store.Request) meterkey.Request {
	return meterkey.Request{RequestID: r.UID, Requester: requester.UID, RequesterName: requester.Name,
		RequesterEmail: requester.Email, CustomerEmail: r.CustomerEmail, Utility: r.Utility, Test: r.IsTest}
}

// ScopeUntil bounds a permission by its last day, as in 2027-12-31 and in UTC; no day means until it is revoked.
func ScopeUntil(lastDay string) store.Scope {
	day, err := time.Parse(time.DateOnly, lastDay)
	if err != nil {
		return store.Scope{Expires: "until_revoked"}
	}
	return store.Scope{Expires: day.AddDate(0, 0, 1).Add(-time.Second).Format(time.RFC3339)}
}
