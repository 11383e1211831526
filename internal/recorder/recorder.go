// Package recorder keeps data requests in the database and has their webhooks delivered.
package recorder

import (
	"context"
	"fmt"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/store"
)

// Recorder is the activities.Recorder of a worker with a database.
type Recorder struct {
	Store interface {
		Record(ctx context.Context, p meterkey.Projection) (store.Published, error)
	}
	Webhooks interface {
		Deliver(ctx context.Context, deliveries ...string)
	}
}

var _ activities.Recorder = Recorder{}

// Record keeps a projection and starts the deliveries of what it made known. What is recorded is not undone when they
// cannot be started: the portal's sweep does that later.
func (r Recorder) Record(ctx context.Context, p meterkey.Projection) error {
	published, err := r.Store.Record(ctx, p)
	if err != nil {
		return fmt.Errorf("projecting: %w", err)
	}
	r.Webhooks.Deliver(ctx, published.Deliveries...)
	return nil
}
