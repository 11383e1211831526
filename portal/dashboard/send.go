package dashboard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// temporalTimeout is how long a person waits for Temporal before being told that it does not answer.
const temporalTimeout = 10 * time.Second

// errTemporalAway tells that Temporal does not do what it was asked.
var errTemporalAway = errors.New("temporal does not answer")

// temporalError tells errors of Temporal's own from those that say something about the request.
func temporalError(err error) error {
	if err == nil || errors.Is(err, sdk.ErrEnded) || errors.Is(err, sdk.ErrNotFound) || errors.Is(err, meterkey.ErrInvalidRequest) {
		return err
	}
	return fmt.Errorf("%w: %w", errTemporalAway, err)
}

// send stores a new request and starts it. It may be repeated with the same uid, whatever became of the first try: the customer is
// asked once.
func (h *dashboard) send(ctx context.Context, p person, r store.Request) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	r.RequesterUID, r.IsTest = p.requester.UID, r.Utility == utilities.Demo
	// What would never start is not to stay in the list.
	if err := started(p, r).Validate(); err != nil {
		return err
	}
	stored, news, err := h.Store.CreateRequest(ctx, r)
	if errors.Is(err, store.ErrConflict) {
		stored, err = h.Store.Request(ctx, p.requester.UID, r.UID) // not found if it is another requester's
	}
	if err != nil {
		return err
	}
	h.Webhooks.Deliver(ctx, news.Deliveries...)
	if err := h.Requests.Start(ctx, started(p, stored)); !errors.Is(err, sdk.ErrExists) {
		return temporalError(err)
	}
	return nil
}

// started is what a stored request's workflow is started with.
func started(p person, r store.Request) meterkey.Request {
	return meterkey.Request{RequestID: r.UID, Requester: p.requester.UID, RequesterName: p.requester.Name,
		RequesterEmail: p.requester.Email, CustomerEmail: r.CustomerEmail, Utility: r.Utility, Test: r.IsTest}
}

// findUtility is the id of the utility that somebody wrote; nothing stands for the customer's choice. The error says
// what would be right.
func (h *dashboard) findUtility(written string) (string, error) {
	if written == "" {
		return "", nil
	}
	u, err := h.Utilities.Find(written)
	if err != nil {
		return "", fmt.Errorf("%w (or leave it empty: the customer chooses)", err)
	}
	return u.ID, nil
}
