package browser

import (
	"context"
	"fmt"
	"sync"
)

// seats counts what is left of a host's capacity.
//
// A login first reserves a seat, because a worker must know that it has room before it asks for work, and later opens its
// window, which is counted by itself. From then on the reservation stands for nothing and is said to be used. So what is
// free is the capacity less the open windows less the reservations not yet used. Only numbers are kept: the activity that
// gets the work has no handle on the reservation that let it in.
type seats struct {
	capacity int
	changed  *signal

	mu       sync.Mutex
	open     int
	reserved int
	used     int
}

func (s *seats) free() int {
	return s.capacity - s.open - max(0, s.reserved-s.used)
}

func (s *seats) setOpen(n int) {
	s.mu.Lock()
	same := s.open == n
	s.open = n
	s.mu.Unlock()
	if !same {
		s.changed.fire()
	}
}

func (s *seats) change(f func()) {
	s.mu.Lock()
	f()
	s.mu.Unlock()
	s.changed.fire()
}

func (s *seats) tryReserve() (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free() <= 0 {
		return nil, false
	}
	s.reserved++
	return sync.OnceFunc(func() { s.change(func() { s.reserved-- }) }), true
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
	if l, d := h.current(); l == nil || d == nil {
		return nil, false
	}
	return h.seats.tryReserve()
}

// UseReservation says that the reservation by which the caller came in now has a window open, which is counted by itself. Call it
// after [Host.OpenWindow] or [Host.WindowOf] gave the window, and done before the reservation is released: when the login ends.
func (h *Host) UseReservation() (done func()) {
	h.seats.change(func() { h.seats.used++ })
	return sync.OnceFunc(func() { h.seats.change(func() { h.seats.used-- }) })
}
