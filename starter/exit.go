package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

// Exit codes. docs/starter.md and --help explain them to users.
const (
	exitOK          = 0
	exitUnexpected  = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitNotNow      = 4
	exitUnreachable = 5
	exitEnded       = 6
	exitInterrupted = 130
)

// failure is an error that a person can act on: what is wrong in one line, what would be right, and the exit code.
type failure struct {
	code int
	what string // empty: everything has been said already
	hint string
}

func (f *failure) Error() string { return f.line() }

// line is the failure in one line, whatever the texts it was made of held.
func (f *failure) line() string {
	text := f.what
	if f.hint != "" {
		text += " (" + f.hint + ")"
	}
	return oneLine(text)
}

func badInput(what, hint string) error { return &failure{exitUsage, what, hint} }
func notNow(what, hint string) error   { return &failure{exitNotNow, what, hint} }

// explain finds the exit code and the words for any error.
func explain(ctx context.Context, err error) *failure {
	var known *failure
	var namespace *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return &failure{exitInterrupted, "stopped", ""}
	case errors.Is(err, meterkey.ErrInvalidRequest):
		return &failure{exitUsage, err.Error(), "starter start --help"}
	case errors.Is(err, sdk.ErrExists):
		return &failure{exitUsage, err.Error(), "choose another --id, or starter resend sends it again"}
	case errors.Is(err, sdk.ErrNotFound):
		return &failure{exitNotFound, err.Error(), "starter list shows those there are"}
	case errors.Is(err, sdk.ErrEnded):
		return &failure{exitNotNow, err.Error(), "starter resend revives it"}
	case errors.Is(err, sdk.ErrNotAwaited):
		return &failure{exitNotNow, err.Error(), "starter status tells where it stands"}
	case errors.Is(err, sdk.ErrNoWorker):
		return &failure{exitUnreachable, err.Error(), "the request itself is safe; is a worker running?"}
	case errors.As(err, &namespace):
		return &failure{exitUsage, err.Error(), "TEMPORAL_NAMESPACE names the namespace"}
	case unreachable(err):
		return &failure{exitUnreachable, fmt.Sprintf("Temporal does not answer: %s", err), "TEMPORAL_ADDRESS says where it is; --timeout how long to try"}
	default:
		return &failure{exitUnexpected, err.Error(), ""}
	}
}

// ended is the failure of a request that ended without connecting. What happened has been printed by then.
func ended(s meterkey.State) error {
	if !s.Status.Terminal() || s.Status == meterkey.Connected {
		return nil
	}
	what := fmt.Sprintf("%s ended %s", s.RequestID, s.Status)
	if s.Reason != "" {
		what += ": " + string(s.Reason)
	}
	return &failure{exitEnded, what, "starter resend " + s.RequestID + " revives it"}
}

// oneLine keeps a text on one line and free of anything that would move a terminal's cursor or change its colours:
// some of what is printed comes from utilities' pages.
func oneLine(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(clean), " ")
}
