package devenv

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sdk/payload"
)

// SaveHistory writes the history of a workflow's latest run to a file, as gzipped JSON, for replay tests.
func SaveHistory(ctx context.Context, c client.Client, workflowID, file string) error {
	history, err := fetchHistory(ctx, c, workflowID)
	if err != nil {
		return err
	}
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
	if err != nil {
		return fmt.Errorf("encoding the history of %s: %w", workflowID, err)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("saving a history: %w", err)
	}
	packed := gzip.NewWriter(out)
	_, err = packed.Write(text)
	return errors.Join(err, packed.Close(), out.Close())
}

func fetchHistory(ctx context.Context, c client.Client, workflowID string) (*historypb.History, error) {
	history := &historypb.History{}
	events := c.GetWorkflowHistory(ctx, workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", workflowID, err)
		}
		history.Events = append(history.Events, event)
	}
	return history, nil
}

// ReadHistory reads what SaveHistory wrote.
func ReadHistory(file string) (*historypb.History, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading a history: %w", err)
	}
	defer in.Close() //nolint:errcheck // it was only read
	packed, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("reading the history %s: %w", file, err)
	}
	return client.HistoryFromJSON(packed, client.HistoryJSONOptions{})
}

// Replay replays a history with the workflows that register registers.
func Replay(history *historypb.History, register func(worker.WorkflowReplayer)) error {
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: payload.New(nil)})
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	register(replayer)
	return replayer.ReplayWorkflowHistory(logging.Temporal(zap.NewNop()), history)
}
