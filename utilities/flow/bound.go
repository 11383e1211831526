package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/playwright-community/playwright-go"
)

// errUnresponsive is a call that did not return in time.
var errUnresponsive = errors.New("the page does not answer")

// errDriver is a call that panicked.
var errDriver = errors.New("the browser driver failed")

// within runs a call that takes no context and gives up on it when ctx ends or limit is over. A call given up on may still
// return later; its result is dropped.
func within[T any](ctx context.Context, limit time.Duration, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			// The driver's binding panics over what it did not expect. That is one run's trouble, not the process's; what it
			// panicked with is not repeated, for it may hold what was being typed.
			if recover() != nil {
				r.err = errDriver
			}
			done <- r
		}()
		r.value, r.err = call()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var none T
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-timer.C:
		return none, errUnresponsive
	}
}

// uninterrupted runs a call that types or presses. It is not given up on when ctx ends: it would go on, into whatever whoever comes next
// does in the same window.
func uninterrupted[T any](ctx context.Context, limit time.Duration, call func() (T, error)) (T, error) {
	value, err := within(context.WithoutCancel(ctx), limit, call)
	if err == nil {
		err = ctx.Err()
	}
	return value, err
}

// scrub turns a driver's error into one that can be shown: its first line without the secrets, for the driver repeats the
// arguments of a failed call, typed texts among them.
func scrub(doing string, err error, secrets ...string) error {
	switch {
	case err == nil:
		return nil
	case isGone(err):
		return fmt.Errorf("%s: %w", doing, ErrPageGone)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errUnresponsive), errors.Is(err, ErrPageGone):
		return fmt.Errorf("%s: %w", doing, err)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	for _, secret := range secrets {
		if secret != "" {
			line = strings.ReplaceAll(line, secret, redacted)
		}
	}
	return fmt.Errorf("%s: %s", doing, line)
}

func isGone(err error) bool {
	text := err.Error()
	return errors.Is(err, playwright.ErrTargetClosed) || strings.Contains(text, "Target crashed") ||
		strings.Contains(text, "has been closed") || strings.Contains(text, "Page closed")
}

// isTransient tells an error that the page's next moment mends: a look interrupted by the page going elsewhere.
func isTransient(err error) bool {
	if errors.Is(err, errUnresponsive) || errors.Is(err, playwright.ErrTimeout) {
		return true
	}
	text := err.Error()
	for _, part := range []string{"Execution context was destroyed", "Cannot find context", "Frame was detached", "frame got detached",
		"navigat", "Unable to adopt element", "Inspected target navigated"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
