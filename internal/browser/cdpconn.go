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

const cdpWriteTimeout = 10 * time.Second

var errCDPClosed = errors.New("connection to the browser is closed")

// cdpConn is a DevTools connection to a whole browser.
type cdpConn struct {
	ws      *websocket.Conn
	onEvent func(method string, params json.RawMessage)
	gone    chan struct{}

	mu      sync.Mutex
	last    int64
	waiting map[int64]chan cdpMessage
}

// cdpMessage is an answer (ID is set) or an event (Method is set).
type cdpMessage struct {
	ID     int64           `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *cdpError       `json:"error"`
}

type cdpRequest struct {
	ID      int64  `json:"id"`
	Session string `json:"sessionId,omitempty"`
	Method  string `json:"method"`
	Params  any    `json:"params,omitempty"`
}

// cdpError is the browser's refusal of a call.
type cdpError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *cdpError) Error() string { return e.Message }

// dialCDP connects to the browser's WebSocket address. Events are handed to onEvent one after another, each before any answer
// that the browser sent after it; onEvent must not make calls.
func dialCDP(ctx context.Context, address string, onEvent func(string, json.RawMessage)) (*cdpConn, error) {
	ws, _, err := websocket.Dial(ctx, address, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("connecting to the browser: %w", err)
	}
	ws.SetReadLimit(-1)
	c := &cdpConn{ws: ws, onEvent: onEvent, gone: make(chan struct{}), waiting: map[int64]chan cdpMessage{}}
	go c.read() //nolint:gosec // the connection outlives the dialing
	return c, nil
}

func (c *cdpConn) read() {
	defer close(c.gone)
	defer c.close()
	for {
		_, data, err := c.ws.Read(context.Background())
		if err != nil {
			return
		}
		var m cdpMessage
		if json.Unmarshal(data, &m) != nil {
			return
		}
		c.dispatch(m)
	}
}

func (c *cdpConn) dispatch(m cdpMessage) {
	if m.Method != "" {
		c.onEvent(m.Method, m.Params)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, ok := c.waiting[m.ID]; ok {
		answer <- m
		delete(c.waiting, m.ID)
	}
}

// call sends one command, to the browser or to a session attached to one of its targets, and decodes the answer into result unless that is nil.
func (c *cdpConn) call(ctx context.Context, session, method string, params, result any) error {
	answer, err := c.exchange(ctx, session, method, params)
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

func (c *cdpConn) exchange(ctx context.Context, session, method string, params any) (cdpMessage, error) {
	id, answer := c.expect()
	defer c.forget(id)
	if err := c.send(ctx, cdpRequest{ID: id, Session: session, Method: method, Params: params}); err != nil {
		return cdpMessage{}, err
	}
	select {
	case m := <-answer:
		return m, nil
	case <-c.gone:
		return cdpMessage{}, errCDPClosed
	case <-ctx.Done():
		return cdpMessage{}, context.Cause(ctx)
	}
}

func (c *cdpConn) expect() (int64, <-chan cdpMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	answer := make(chan cdpMessage, 1)
	c.waiting[c.last] = answer
	return c.last, answer
}

func (c *cdpConn) forget(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// send writes with a bound of its own: a WebSocket whose write is interrupted is closed, and one caller's
// cancellation must not end the connection of all.
func (c *cdpConn) send(ctx context.Context, request cdpRequest) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cdpWriteTimeout)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, data)
}

func (c *cdpConn) closed() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// close may be called more than once; reading ends with it.
func (c *cdpConn) close() {
	_ = c.ws.CloseNow() // it is closed either way
}
