package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const wireWriteTimeout = 10 * time.Second

var errWireClosed = errors.New("connection to the browser is closed")

// wire is a DevTools connection to a whole browser.
type wire struct {
	ws      *websocket.Conn
	onEvent func(method string, params json.RawMessage)
	gone    chan struct{}

	mu      sync.Mutex
	last    int64
	waiting map[int64]chan wireMessage
}

// wireMessage is an answer (ID is set) or an event (Method is set).
type wireMessage struct {
	ID     int64           `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *wireError      `json:"error"`
}

type wireRequest struct {
	ID      int64  `json:"id"`
	Session string `json:"sessionId,omitempty"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitempty"`
}

// wireError is the browser's refusal of a call.
type wireError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *wireError) Error() string { return e.Message }

// dialWire connects to the browser's WebSocket address. Events are handed to onEvent one after another, each before any answer
// that the browser sent after it; onEvent must not make calls.
func dialWire(ctx context.Context, address string, onEvent func(string, json.RawMessage)) (*wire, error) {
	ws, _, err := websocket.Dial(ctx, address, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("connecting to the browser: %w", err)
	}
	ws.SetReadLimit(-1)
	w := &wire{ws: ws, onEvent: onEvent, gone: make(chan struct{}), waiting: map[int64]chan wireMessage{}}
	go w.read() //nolint:gosec // the connection outlives the dialing
	return w, nil
}

func (w *wire) read() {
	defer close(w.gone)
	defer w.close()
	for {
		_, data, err := w.ws.Read(context.Background())
		if err != nil {
			return
		}
		var m wireMessage
		if json.Unmarshal(data, &m) != nil {
			return
		}
		w.dispatch(m)
	}
}

func (w *wire) dispatch(m wireMessage) {
	if m.Method != "" {
		w.onEvent(m.Method, m.Params)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if answer, ok := w.waiting[m.ID]; ok {
		answer <- m
		delete(w.waiting, m.ID)
	}
}

// call sends one command, to the browser or to a session attached to one of its targets, and decodes the answer into result unless that is nil.
func (w *wire) call(ctx context.Context, session, method string, params, result any) error {
	answer, err := w.exchange(ctx, session, method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", method, answer.Error)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("%s: decoding answer: %w", method, err)
	}
	return nil
}

func (w *wire) exchange(ctx context.Context, session, method string, params any) (wireMessage, error) {
	id, answer := w.expect()
	defer w.forget(id)
	if err := w.send(ctx, wireRequest{ID: id, Session: session, Method: method, Params: params}); err != nil {
		return wireMessage{}, err
	}
	select {
	case m := <-answer:
		return m, nil
	case <-w.gone:
		return wireMessage{}, errWireClosed
	case <-ctx.Done():
		return wireMessage{}, context.Cause(ctx)
	}
}

func (w *wire) expect() (int64, <-chan wireMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	answer := make(chan wireMessage, 1)
	w.waiting[w.last] = answer
	return w.last, answer
}

func (w *wire) forget(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, id)
}

// send writes with a bound of its own: a WebSocket whose write is interrupted is closed, and one caller's
// cancellation must not end the connection of all.
func (w *wire) send(ctx context.Context, request wireRequest) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wireWriteTimeout)
	defer cancel()
	return w.ws.Write(ctx, websocket.MessageText, data)
}

func (w *wire) closed() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// close may be called more than once; reading ends with it.
func (w *wire) close() {
	_ = w.ws.CloseNow() // it is closed either way
}
