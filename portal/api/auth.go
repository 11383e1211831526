package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/httprate"

	"github.com/meterkey/meterkey/internal/store"
)

// requestsPerSecond is how many requests one key may make in a second.
const requestsPerSecond = 50

// caller is who makes a request.
type caller struct {
	requester store.Requester
	keyUID    string // of the API key
}

// callerOf is who makes the request that ctx belongs to. Every query is bound to this requester.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(keyOfCaller).(caller) // authenticate lets no request pass without one
	return c
}

// requesterOf is the uid of the requester who makes the request that ctx belongs to.
func requesterOf(ctx context.Context) string { return callerOf(ctx).requester.UID }

// authenticate lets requests with a valid key pass.
func (a *API) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := a.callerWith(r.Context(), keyIn(r))
		if err != nil {
			writeError(w, a.explain(r.Context(), err))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyOfCaller, c)))
	})
}

// callerWith is the caller who holds the key.
func (a *API) callerWith(ctx context.Context, key string) (caller, error) {
	if key == "" {
		return caller{}, unauthorized("send your API key as `Authorization: Bearer KEY` or as ?access_token=KEY")
	}
	found, err := a.Store.KeyOwner(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return caller{}, unauthorized("this API key is not valid: it is unknown, has expired or was revoked")
	}
	if err != nil {
		return caller{}, err
	}
	return caller{requester: *found.Requester, keyUID: found.UID}, nil
}

func unauthorized(description string) *Error {
	e := fail(http.StatusUnauthorized, "%s", description)
	e.headers = http.Header{"Www-Authenticate": {`Bearer realm="Meterkey API"`}}
	return e
}

// keyIn is the API key that a request carries, "" if it carries none. The header goes before the parameter.
func keyIn(r *http.Request) string {
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return r.URL.Query().Get("access_token")
}

// limitRate bounds how fast one key may ask this portal.
func limitRate(next http.Handler) http.Handler {
	byKey := func(r *http.Request) (string, error) { return callerOf(r.Context()).keyUID, nil }
	return httprate.LimitBy(requestsPerSecond, time.Second, byKey,
		httprate.WithLimitHandler(func(w http.ResponseWriter, _ *http.Request) {
			writeError(w, fail(http.StatusTooManyRequests, "at most %d requests a second with one key; wait as long as Retry-After says",
				requestsPerSecond))
		}))(next)
}
