package store

import (
	"context"
	"errors"
	"time"

	"github.com/meterkey/meterkey/workflows"
)

// RequestFilter narrows a list of requests; empty fields do not.
type RequestFilter struct {
	// Requester must be given.
	Requester string
	UIDs      []string
	Template  string
	// Authorization: requests that led to it.
	Authorization string
	Statuses      []workflows.Status
	// Utility is compared with ChosenUtility.
	Utility   string
	WaitingOn workflows.WaitingOn
	// Search is the beginning of the request's uid, of the customer's e-mail address or its domain, or of a word of the
	// nickname or of the customer's name, in any case.
	Search         string
	Archived, Test *bool
	// From and To bound Created: From included, To not. Zero bounds do not.
	From, To time.Time
	// After is the Next of the page before.
	After string
	// Limit is how many at most: 1 to 1000; 0 means 100.
	Limit int
}

// ListRequests lists requests, newest first. ErrNotFound when After names no request, ErrInvalid without Requester.
func (s *Store) ListRequests(ctx context.Context, f RequestFilter) (Page[Request], error) {
	return Page[Request]{}, errors.ErrUnsupported
}
