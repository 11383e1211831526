package imports

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/requests"
)

const (
	// batchRows is how many rows a batch has at most: a second's, by rowsPerSecond.
	batchRows = 20
	// rowsPerSecond bounds how fast one import is sent: each row is a workflow and a mail.
	rowsPerSecond = 20
	// rowTimeout bounds the sending of one row.
	rowTimeout = 10 * time.Second
)

// SendRows is the activity that sends the next rows. It may be repeated, and run twice at once: a row leads to the same
// request whoever sends it. Told to stop, it ends after the row that it is at.
func (s *Service) SendRows(ctx context.Context, in Input) (Counts, error) {
	requester, err := s.begin(ctx, in)
	if err != nil {
		return Counts{}, err
	}
	rows, err := s.store.ImportRows(ctx, in.ImportUID, 0, batchRows, store.ImportReady)
	if err != nil {
		return Counts{}, err
	}
	limiter := rate.NewLimiter(rowsPerSecond, 1)
	for _, row := range rows {
		if limiter.Wait(ctx) != nil {
			break
		}
		if err := s.sendRow(ctx, requester, row); err != nil {
			return Counts{}, fmt.Errorf("sending line %d: %w", row.Line, err)
		}
		activity.RecordHeartbeat(ctx)
	}
	return s.counts(context.WithoutCancel(ctx), in.ImportUID)
}

// begin notes that sending has begun, and reads whose import it is. One that is gone will not come back.
func (s *Service) begin(ctx context.Context, in Input) (store.Requester, error) {
	err := s.store.StartImport(ctx, in.Requester, in.ImportUID, in.AlsoOpen)
	if errors.Is(err, store.ErrNotFound) {
		return store.Requester{}, temporal.NewNonRetryableApplicationError("the import is gone", "gone", err)
	}
	if err != nil {
		return store.Requester{}, err
	}
	return s.store.Requester(ctx, in.Requester)
}

// sendRow sends one row and notes what became of it. An error is one that another row would meet too.
func (s *Service) sendRow(ctx context.Context, requester store.Requester, row store.ImportRow) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rowTimeout)
	defer cancel()
	row.Outcome = store.ImportSent
	stored, err := s.sender.Create(ctx, requester, store.Request{UID: RequestUID(row), CustomerEmail: row.Email,
		CustomerName: row.Name, Nickname: row.Nickname, Utility: row.Utility, Scope: requests.ScopeUntil(row.Expires)})
	if errors.Is(err, meterkey.ErrInvalidRequest) {
		row.Outcome, row.Problem = store.ImportFailed, err.Error()
		return s.store.FinishImportRow(ctx, row)
	}
	if err == nil {
		err = s.sender.Start(ctx, requester, stored)
	}
	if err != nil {
		return err
	}
	return s.store.FinishImportRow(ctx, row)
}

// RequestUID is the uid of the request that a row leads to: the same whenever and wherever it is sent, so that it is sent once.
func RequestUID(row store.ImportRow) string {
	sum := sha256.Sum256([]byte(row.ImportUID + ":" + strconv.Itoa(row.Line)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

func (s *Service) counts(ctx context.Context, importUID string) (Counts, error) {
	counts, err := s.store.ImportCounts(ctx, importUID)
	sent, failed := counts[store.ImportSent], counts[store.ImportFailed]
	return Counts{Rows: counts[store.ImportReady] + sent + failed, Sent: sent, Failed: failed}, err
}
