package customer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

// touch notes whether the customer is here, away or gone, as the page's script tells.
func (h *Handler) touch(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	id, _, ok := h.Key.ReadLinkToken(r.PathValue("token"))
	err := store.ErrNotFound
	if ok {
		err = h.Store.TouchPresence(r.Context(), id, r.PostFormValue("tab"), store.PresenceState(r.PostFormValue("state")), time.Now())
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, "no such link", http.StatusNotFound)
	case errors.Is(err, store.ErrInvalid):
		http.Error(w, "tab or state is not as the page sends it", http.StatusUnprocessableEntity)
	default:
		h.Log.Error("customer's presence", zap.String("request_id", id), zap.Error(err))
		http.Error(w, "that could not be noted", http.StatusInternalServerError)
	}
}

// Sweep tells the workflows of customers who have left for good, as of now, so that their browser windows are freed. The
// portal calls it every few seconds; several portals may.
func (h *Handler) Sweep(ctx context.Context, now time.Time) error {
	leavers, err := h.Store.Leavers(ctx, now)
	if err != nil {
		return fmt.Errorf("looking for customers who left: %w", err)
	}
	var failed []error
	for _, id := range leavers {
		failed = append(failed, h.tellLeft(ctx, id))
	}
	return errors.Join(failed...)
}

func (h *Handler) tellLeft(ctx context.Context, id string) error {
	err := h.Requests.Leave(ctx, id)
	if err != nil && !errors.Is(err, sdk.ErrEnded) && !errors.Is(err, sdk.ErrNotFound) {
		return err
	}
	h.Log.Info("customer left", zap.String("request_id", id))
	return h.Store.ForgetPresences(ctx, id)
}
