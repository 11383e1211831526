package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sdk"
)

// maxBody bounds a request's body, in bytes. The biggest known one is a list of 1,000 uids.
const maxBody = 128 << 10

// register adds an operation: it documents the errors that any operation may answer with, and puts the errors that the
// handler returns into our envelope.
func register[In, Out any](a *API, op huma.Operation, handle func(context.Context, *In) (*Out, error)) {
	op.MaxBodyBytes = maxBody
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests,
		http.StatusServiceUnavailable)
	if strings.Contains(op.Path, "{") {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
	if op.Method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.explain(ctx, err)
		}
		return out, nil
	})
}

// conflicting documents an operation that may not fit with how things stand.
func conflicting(op huma.Operation) huma.Operation {
	op.Errors = append(op.Errors, http.StatusConflict)
	return op
}

// explain turns any error into an answer. What is not the client's doing is logged, and told without its cause.
func (a *API) explain(ctx context.Context, err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
	case errors.Is(err, store.ErrNotFound):
		known = notFound("object")
	case errors.Is(err, sdk.ErrNoWorker):
		known = unavailable("no worker is answering; nothing is lost, ask again in a moment", err)
	default:
		known = internalError(requestID(ctx), err)
	}
	if known.status >= http.StatusInternalServerError {
		a.Log.Error("api request failed", zap.String("request_id", requestID(ctx)), zap.String("answer", known.Error()), zap.Error(known.cause))
	}
	return known
}

// unavailable asks the client to try again in a second.
func unavailable(description string, cause error) *Error {
	e := fail(http.StatusServiceUnavailable, "%s", description)
	e.cause, e.headers = cause, http.Header{"Retry-After": {"1"}}
	return e
}

// answer is an answer with a JSON body.
type answer[T any] struct{ Body T }

// ByUID is the input of operations on one object.
type ByUID struct {
	UID string `path:"uid" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"The object's uid."`
}

// Success is the answer where there is no object to answer with.
type Success struct {
	Success bool `json:"success"`
}
