package browser

import (
	"context"
	"fmt"
)

// Do runs f and waits for it until ctx ends. It is meant for Playwright's calls, which take no context. A call that
// is still running when ctx ends is abandoned: it may yet take effect, and what it returns is lost. A panic inside f
// is returned as an error.
func Do(ctx context.Context, f func() error) error {
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, f() }, nil)
	return err
}

type outcome[T any] struct {
	value T
	err   error
}

// await is Do for calls that return a value. A value that arrives too late is given to discard, if there is one.
func await[T any](ctx context.Context, f func() (T, error), discard func(T)) (T, error) {
	arrived := make(chan outcome[T])
	abandoned := make(chan struct{})
	go func() {
		value, err := guarded(f)
		select {
		case arrived <- outcome[T]{value, err}:
		case <-abandoned:
			if err == nil && discard != nil {
				discard(value)
			}
		}
	}()
	select {
	case o := <-arrived:
		return o.value, o.err
	case <-ctx.Done():
		close(abandoned)
		var none T
		return none, fmt.Errorf("abandoned: %w", context.Cause(ctx))
	}
}

// guarded calls f and returns a panic as an error: f runs in a goroutine of ours, where nobody else could recover it.
func guarded[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in browser call: %v", r)
		}
	}()
	return f()
}
