package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

func TestExplainFindsTheExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		code int
		line string
	}{
		{badInput("no code", "type one"), exitUsage, "no code (type one)"},
		{fmt.Errorf("sending: %w", notNow("ended", "")), exitNotNow, "ended"},
		{fmt.Errorf("%w: requester is missing", meterkey.ErrInvalidRequest), exitUsage, "invalid request: requester is missing (starter start --help)"},
		{sdk.ErrExists, exitUsage, "resend"},
		{sdk.ErrNotFound, exitNotFound, "starter list"},
		{sdk.ErrEnded, exitNotNow, "revives"},
		{fmt.Errorf("submitting: %w: it is for challenge c-1", sdk.ErrNotAwaited), exitNotNow, "it is for challenge c-1 (starter status"},
		{sdk.ErrNoWorker, exitUnreachable, "is a worker running?"},
		{serviceerror.NewNamespaceNotFound("elsewhere"), exitUsage, "TEMPORAL_NAMESPACE"},
		{serviceerror.NewUnavailable("no route"), exitUnreachable, "Temporal does not answer: no route"},
		{context.DeadlineExceeded, exitUnreachable, "--timeout"},
		{errors.New("one\ntwo"), exitUnexpected, "one two"},
	} {
		f := explain(t.Context(), c.err)
		require.Equal(t, c.code, f.code, c.err)
		require.Contains(t, f.line(), c.line)
		require.NotContains(t, f.line(), "\n")
	}
}

func TestExplainSaysStoppedWhenStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, &failure{exitInterrupted, "stopped", ""}, explain(ctx, context.Canceled))
	require.Equal(t, exitInterrupted, explain(ctx, leftAlone("r-1")).code)
}

func TestEndedIsAFailureUnlessConnected(t *testing.T) {
	t.Parallel()
	for _, s := range meterkey.Statuses() {
		err := ended(meterkey.State{RequestID: "r-1", Status: s, Reason: meterkey.NoMeters})
		if !s.Terminal() || s == meterkey.Connected {
			require.NoError(t, err, s)
			continue
		}
		require.Equal(t, exitEnded, explain(t.Context(), err).code)
		require.EqualError(t, err, "r-1 ended "+string(s)+": no_meters (starter resend r-1 revives it)")
	}
}

func TestOneLineStripsWhatWouldMoveTheCursor(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b [31mc é 日本", oneLine(" a\tb\x1b[31mc\r\n\u009bé  日本\x7f"))
}

// brokenPipe is a reader of ours that went away.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	var side bytes.Buffer
	code := run(t.Context(), []string{"utilities"}, strings.NewReader(""), brokenPipe{}, &side)
	require.Equal(t, exitUnexpected, code)
	require.Equal(t, "starter: broken pipe\n", side.String())
}
