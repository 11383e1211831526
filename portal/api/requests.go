package api

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

const (
	// stateLimit bounds how long an answer waits for what the workflow knows; the database's last word is used then.
	stateLimit = 2 * time.Second
	// settleLimit bounds how long an answer waits for the workflow to take in what was sent to it.
	settleLimit = 5 * time.Second
)

// workflowRequest is what a request's workflow is started with.
func workflowRequest(requester store.Requester, row store.Request) meterkey.Request {
	return meterkey.Request{RequestID: row.UID, Requester: requester.UID, RequesterName: requester.Name,
		RequesterEmail: requester.Email, CustomerEmail: row.CustomerEmail, Utility: row.Utility, Test: row.IsTest}
}

// begun tells whether a request's workflow is known to have run.
func begun(row store.Request) bool { return !row.LinkedAt.IsZero() }

// live tells whether a request goes on. One that was deleted is the zero Request, and does not.
func live(row store.Request) bool { return begun(row) && !row.Status.Terminal() }

// start starts a stored request's workflow. That it runs already is what was wanted: start may be repeated.
func (a *API) start(ctx context.Context, row store.Request) error {
	err := a.Requests.Start(ctx, workflowRequest(callerOf(ctx).requester, row))
	if err == nil || errors.Is(err, sdk.ErrExists) {
		return nil
	}
	return unavailable("form "+row.UID+" is stored but could not be sent; repeat the call with the same Idempotency-Key, or get the form: "+
		"either sends it", err)
}

// resend sends a request to the customer again, under a new link, and revives it if it has ended. It answers with what
// is known once the workflow has done so.
func (a *API) resend(ctx context.Context, row store.Request) (store.Request, error) {
	if err := a.Requests.Resend(ctx, workflowRequest(callerOf(ctx).requester, row)); err != nil {
		return row, unavailable("the form could not be sent; repeat the call in a moment", err)
	}
	return a.settled(ctx, row, func(s meterkey.State) bool { return s.LinkedAt.After(row.LinkedAt) }), nil
}

// cancel calls a request off, unless it has ended or never began.
func (a *API) cancel(ctx context.Context, uid string) error {
	err := a.Requests.Cancel(ctx, uid)
	if err == nil || errors.Is(err, sdk.ErrEnded) || errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	return unavailable("the request could not be called off; repeat the call in a moment", err)
}

// fresh is the request with what its workflow says of it now, if it goes on and a worker answers.
func (a *API) fresh(ctx context.Context, row store.Request) store.Request {
	if row.Status.Terminal() {
		return row
	}
	ctx, cancel := context.WithTimeout(ctx, stateLimit)
	defer cancel()
	state, err := a.Requests.State(ctx, row.UID)
	if err != nil {
		a.Log.Debug("answered from the database", zap.String("request_id", row.UID), zap.Error(err))
		return row
	}
	return row.WithState(state)
}

// settled is the request once its workflow satisfies done, or as it was last seen when that takes too long.
func (a *API) settled(ctx context.Context, row store.Request, done func(meterkey.State) bool) store.Request {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	state, err := a.Requests.Wait(ctx, row.UID, done)
	if err != nil {
		a.Log.Debug("answered before the workflow did", zap.String("request_id", row.UID), zap.Error(err))
	}
	return row.WithState(state)
}
