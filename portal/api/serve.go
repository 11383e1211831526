package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/google/uuid"
	"go.uber.org/zap"
)

// requestIDHeader names the request in the answer and in our log.
const requestIDHeader = "X-Request-Id"

type contextKey int

const (
	keyOfCaller contextKey = iota
	keyOfRequest
	keyOfIdempotency
)

// requestID is the id of the HTTP request that ctx belongs to.
func requestID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.Header.Get(requestIDHeader)
	}
	return ""
}

// requestOf is the HTTP request that ctx belongs to.
func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(keyOfRequest).(*http.Request) // nil without one
	return r
}

// guard names each request and answers in our envelope even when a handler panics.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := w.Header().Get(requestIDHeader)
		if id == "" {
			id = uuid.NewString()
		}
		r = r.Clone(r.Context())
		r.Header.Set(requestIDHeader, id)
		r = r.WithContext(context.WithValue(r.Context(), keyOfRequest, r))
		h := w.Header()
		h.Set(requestIDHeader, id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		watched := &watchedWriter{ResponseWriter: w}
		defer func() {
			if thrown := recover(); thrown != nil {
				a.rescue(watched, id, thrown)
			}
		}()
		next.ServeHTTP(watched, r)
	})
}

// rescue answers for a handler that panicked. When the answer has begun, the connection is cut, so that no client takes
// it for a whole one.
func (a *API) rescue(w *watchedWriter, id string, thrown any) {
	if thrown != http.ErrAbortHandler { //nolint:errorlint // it is compared by identity, as net/http does
		a.Log.Error("api panic", zap.String("request_id", id), zap.Any("panic", thrown), zap.ByteString("stack", debug.Stack()))
	}
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	writeError(w, internalError(id, nil))
}

// watchedWriter notes whether the answer has begun.
type watchedWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader implements http.ResponseWriter.
func (w *watchedWriter) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watchedWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// writeError answers with the envelope.
func writeError(w http.ResponseWriter, e *Error) {
	for name, values := range e.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(marshalError(e)) // the client has gone: nobody is left to tell
}

func marshalError(e *Error) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(e) // texts and maps of texts can always be encoded
	return body.Bytes()
}

// enveloped answers in our envelope where the mux has no handler: 404, or 405 with the methods that it has.
func enveloped(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &refusal{header: http.Header{}}
		handler.ServeHTTP(refusal, r)
		if refusal.status == http.StatusMethodNotAllowed {
			allowed := refusal.header.Get("Allow")
			e := fail(http.StatusMethodNotAllowed, "%s is not possible here; these are: %s", methodName(r.Method), allowed)
			e.headers = http.Header{"Allow": {allowed}}
			writeError(w, e)
			return
		}
		writeError(w, fail(http.StatusNotFound, "there is nothing at this address"))
	})
}

// methodName keeps a long invented method out of the answer.
func methodName(method string) string { return fmt.Sprintf("%.10s", method) }

// refusal takes what the mux says when it has no handler.
type refusal struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (r *refusal) Header() http.Header { return r.header }

// Write implements http.ResponseWriter.
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (r *refusal) WriteHeader(status int) { r.status = status }
