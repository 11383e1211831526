package browser

import (
	"context"
	"fmt"
	"sync"
)

// capacity counts what is left of a host's capacity.
//
// A login first reserves a window, because a worker must know that it has room before it asks for work, and later opens its
// window, which is counted by itself. From then on the reservation stands for nothing and is said to be used. So what is
// free is the capacity less the open windows less the reservations not yet used. Only numbers are kept: the activity that
// gets the work has no handle on the reservation that let it in.
type capacity struct {
	total   int
	changed *broadcast

	mu       sync.Mutex
	open     int
	reserved int
	used     int
}

func (c *capacity) free() int {
	return c.total - c.open - max(0, c.reserved-c.used)
}

func (c *capacity) setOpen(n int) {
	c.mu.Lock()
	same := c.open == n
	c.open = n
	c.mu.Unlock()
	if !same {
		c.changed.fire()
	}
}

func (c *capacity) change(f func()) {
	c.mu.Lock()
	f()
	c.mu.Unlock()
	c.changed.fire()
}

func (c *capacity) tryReserve() (release func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.free() <= 0 {
		return nil, false
	}
	c.reserved++
	return sync.OnceFunc(func() { c.change(func() { c.reserved-- }) }), true
}

// Reserve waits until the browser is in order and a window is free, and keeps that window free for the caller until release
// is called. It is what a Temporal slot supplier calls before its worker asks for a login. The login itself calls
// [Host.UseReservation] once it has its window.
func (h *Host) Reserve(ctx context.Context) (release func(), err error) {
	err = h.changed.until(ctx, func() (bool, error) {
		var ok bool
		release, ok = h.TryReserve()
		return ok, h.disconnected()
	})
	if err != nil {
		return nil, fmt.Errorf("reserving a window: %w", err)
	}
	return release, nil
}

// TryReserve is Reserve without waiting.
func (h *Host) TryReserve() (release func(), ok bool) {
	if conn, d := h.current(); conn == nil || d == nil {
		return nil, false
	}
	return h.capacity.tryReserve()
}

// UseReservation says that the reservation by which the caller came in now has a window open, which is counted by itself. Call it
// after [Host.OpenWindow] or [Host.WindowOf] gave the window, and done before the reservation is released: when the login ends.
func (h *Host) UseReservation() (done func()) {
	h.capacity.change(func() { h.capacity.used++ })
	return sync.OnceFunc(func() { h.capacity.change(func() { h.capacity.used-- }) })
}
