package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/store"
)

const (
	// idempotencyHeader makes a create happen once.
	idempotencyHeader = "Idempotency-Key"
	maxIdempotencyKey = 255
)

// once makes an operation happen once for each Idempotency-Key: the same call gets the first one's answer again, for as
// long as the store keeps it.
func (a *API) once(op huma.Operation) huma.Operation {
	longest := maxIdempotencyKey
	op.Parameters = append(op.Parameters, &huma.Param{Name: idempotencyHeader, In: "header",
		Description: "Any text of at most 255 printable ASCII characters that is new for each create, such as a random UUID. Repeating " +
			"the call with the same key and body within 24 hours gets the first answer again and creates nothing.",
		Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest}})
	op.Middlewares = append(op.Middlewares, a.idempotent)
	return conflicting(op)
}

// idempotencyKeyOf is the key of the call that ctx belongs to, "" without one.
func idempotencyKeyOf(ctx context.Context) string {
	key, _ := ctx.Value(keyOfIdempotency).(string) // "" without one
	return key
}

func (a *API) idempotent(c huma.Context, next func(huma.Context)) {
	key := c.Header(idempotencyHeader)
	if key == "" {
		next(c)
		return
	}
	call := &keyedCall{humaContext: huma.WithValue(c, keyOfIdempotency, key)}
	if e := a.reserve(call, key); e != nil {
		call.replay(e.status, marshalError(e), e.headers)
		return
	}
	if !call.mine {
		a.replayFirst(call)
		return
	}
	defer a.settleKey(call, key)
	next(call)
}

// sealedAnswer is what stored answers are sealed for: one may hold a secret that is shown once.
const sealedAnswer = "idempotency answer"

// replayFirst gives the first call's answer again.
func (a *API) replayFirst(call *keyedCall) {
	body, err := a.Key.Open(sealedAnswer, string(call.found.Body))
	if err != nil {
		e := a.explain(call.Context(), fmt.Errorf("opening a stored answer: %w", err))
		call.replay(e.status, marshalError(e), nil)
		return
	}
	call.replay(call.found.Status, []byte(body), http.Header{"Idempotent-Replayed": {"true"}})
}

// reserve takes the key for this call, or finds the answer of an earlier one.
func (a *API) reserve(call *keyedCall, key string) *Error {
	if !validKey(key) {
		e := wrongField(idempotencyHeader, "must be at most %d printable ASCII characters", maxIdempotencyKey)
		e.status = http.StatusBadRequest
		return e
	}
	body, err := io.ReadAll(io.LimitReader(call.humaContext.BodyReader(), maxBody+1))
	if err != nil {
		return fail(http.StatusBadRequest, "the body cannot be read to its end")
	}
	call.body = body
	sum := sha256.Sum256(body)
	mine := store.Idempotency{RequesterUID: requesterOf(call.Context()), Key: key,
		Endpoint: call.Method() + " " + requestOf(call.Context()).URL.Path, RequestHash: hex.EncodeToString(sum[:])}
	call.found, call.mine, err = a.Store.ReserveKey(call.Context(), mine)
	switch {
	case err != nil:
		return a.explain(call.Context(), err)
	case call.mine:
		return nil
	case call.found.Endpoint != mine.Endpoint || call.found.RequestHash != mine.RequestHash:
		return fail(http.StatusUnprocessableEntity, "%s: this key was used for another call; take a new key for each create", idempotencyHeader)
	case call.found.Status == 0:
		e := fail(http.StatusConflict, "the first call with this %s is still being answered; repeat it in a second", idempotencyHeader)
		e.headers = http.Header{"Retry-After": {"1"}}
		return e
	}
	return nil
}

// settleKey keeps the answer of a call that created something. Any other gives its key back, so that it may be repeated.
func (a *API) settleKey(call *keyedCall, key string) {
	ctx := context.WithoutCancel(call.Context())
	var err error
	if call.status >= 200 && call.status < 300 {
		err = a.Store.AnswerKey(ctx, requesterOf(ctx), key, call.status, []byte(a.Key.Seal(sealedAnswer, call.answer.String())))
	} else {
		err = a.Store.ReleaseKey(ctx, requesterOf(ctx), key)
	}
	if err != nil { // the key stays reserved for a minute; the call itself has been answered
		a.Log.Error("idempotency key not settled", zap.String("request_id", requestID(ctx)), zap.Error(err))
	}
}

func validKey(key string) bool {
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(key) <= maxIdempotencyKey
}

// humaContext has another name so that it can be embedded: it has a method Context.
type humaContext = huma.Context

// keyedCall is a call whose body was read before and whose answer is kept.
type keyedCall struct {
	humaContext
	body   []byte
	found  store.Idempotency
	mine   bool
	status int
	answer bytes.Buffer
}

// BodyReader implements huma.Context.
func (k *keyedCall) BodyReader() io.Reader { return bytes.NewReader(k.body) }

// SetStatus implements huma.Context.
func (k *keyedCall) SetStatus(status int) {
	k.status = status
	k.humaContext.SetStatus(status)
}

// BodyWriter implements huma.Context.
func (k *keyedCall) BodyWriter() io.Writer {
	return io.MultiWriter(&k.answer, k.humaContext.BodyWriter())
}

// Unwrap lets the adapter reach its own context.
func (k *keyedCall) Unwrap() huma.Context { return k.humaContext }

// replay answers with what was made before.
func (k *keyedCall) replay(status int, body []byte, headers http.Header) {
	for name, values := range headers {
		for _, value := range values {
			k.AppendHeader(name, value)
		}
	}
	k.SetHeader("Content-Type", "application/json")
	k.humaContext.SetStatus(status)
	_, _ = k.humaContext.BodyWriter().Write(body) // the client has gone: nobody is left to tell
}
