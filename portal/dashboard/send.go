package dashboard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/sdk"
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

// send stores a new request and starts it. It may be repeated with the same uid: the customer is asked once.
func (h *dashboard) send(ctx context.Context, p person, r store.Request) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	sender := requests.Sender{Store: h.Store, Requests: h.Requests, Webhooks: h.Webhooks}
	stored, err := sender.Create(ctx, p.requester, r)
	if err != nil {
		return err
	}
	return temporalError(sender.Start(ctx, p.requester, stored))
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
