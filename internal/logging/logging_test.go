package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestJSONLine(t *testing.T) {
	var out bytes.Buffer
	logger, err := New(&out, "info", Auto)
	require.NoError(t, err)
	logger.Debug("not shown")
	logger.Info("window opened", zap.String("request", "r-1"), zap.Duration("after", 1500*time.Millisecond))
	var line map[string]string
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "a buffer is no terminal: exactly one JSON line")
	at, err := time.Parse(time.RFC3339Nano, line["time"])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	delete(line, "time")
	require.Equal(t, map[string]string{"level": "info", "msg": "window opened", "request": "r-1", "after": "1.5s"}, line)
}

func TestConsoleLine(t *testing.T) {
	var out bytes.Buffer
	logger, err := New(&out, "debug", Console)
	require.NoError(t, err)
	logger.Debug("window opened", zap.String("request", "r-1"))
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{3}\t\S*DEBUG\S*\twindow opened\t{"request": "r-1"}\n$`, out.String())
}

func TestAutoIsConsoleOnATerminal(t *testing.T) {
	terminal, screen, err := pty.Open()
	require.NoError(t, err)
	require.Equal(t, Console, formatFor(screen))
	require.NoError(t, screen.Close())
	require.NoError(t, terminal.Close())
	file, err := os.CreateTemp(t.TempDir(), "log")
	require.NoError(t, err)
	require.NotEqual(t, Console, formatFor(file))
	require.NoError(t, file.Close())
}

func TestNewRejects(t *testing.T) {
	_, err := New(os.Stderr, "loud", JSON)
	require.ErrorContains(t, err, "log level")
	_, err = New(os.Stderr, "info", "xml")
	require.EqualError(t, err, `log format: "xml" is none of auto, console, json`)
}

// awkward is an error that formats itself with more than its text, as errors with stack traces do.
type awkward struct{}

func (*awkward) Error() string { return "awkward" }
func (*awkward) Format(s fmt.State, _ rune) {
	_, _ = s.Write([]byte("awkward")) // a fmt.State takes everything
	if s.Flag('+') {
		_, _ = s.Write([]byte(" at line 1")) // likewise
	}
}

// brittle is an error that cannot be asked for its text through a nil pointer.
type brittle struct{ text string }

func (b *brittle) Error() string { return b.text }

func TestTemporalBridge(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	bridge := Temporal(zap.New(core))
	for level, write := range map[zapcore.Level]func(string, ...any){
		zapcore.DebugLevel: bridge.Debug, zapcore.InfoLevel: bridge.Info, zapcore.WarnLevel: bridge.Warn, zapcore.ErrorLevel: bridge.Error,
	} {
		write("said", "Attempt", 2)
		got := lines.TakeAll()
		require.Len(t, got, 1)
		require.Equal(t, level, got[0].Level)
		require.Equal(t, map[string]any{"Attempt": int64(2)}, got[0].ContextMap())
	}
}

func TestTemporalFields(t *testing.T) {
	var nothing *brittle
	cases := []struct {
		name    string
		keyvals []any
		want    map[string]any
	}{
		{"none", nil, map[string]any{}},
		{"an error is its text", []any{"Error", errors.New("boom")}, map[string]any{"Error": "boom"}},
		{"and no more than that", []any{"Error", &awkward{}}, map[string]any{"Error": "awkward"}},
		{"nil errors", []any{"Error", error(nil), "Cause", nothing}, map[string]any{"Error": nil, "Cause": "<nil>"}},
		{"a key that is no string", []any{7, "seven"}, map[string]any{"7": "seven"}},
		{"a key without a value", []any{"A", "b", "C"}, map[string]any{"A": "b", "unpaired": "C"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			core, lines := observer.New(zapcore.DebugLevel)
			Temporal(zap.New(core)).Info("said", c.keyvals...)
			require.Equal(t, c.want, lines.All()[0].ContextMap())
		})
	}
}

func TestTemporalWith(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	base := Temporal(zap.New(core))
	child := log.With(base, "WorkflowID", "data-request-r-1")
	child.Info("said", "Attempt", 1)
	base.Info("said")
	require.Equal(t, map[string]any{"WorkflowID": "data-request-r-1", "Attempt": int64(1)}, lines.All()[0].ContextMap())
	require.Empty(t, lines.All()[1].ContextMap(), "the parent stays as it was")
}

func TestTemporalNamesTheCaller(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	bridge := Temporal(zap.New(core, zap.AddCaller()))
	bridge.Info("said")
	func() { log.Skip(bridge, 1).Info("said") }()
	for _, line := range lines.All() {
		require.Contains(t, line.Caller.Function, "TestTemporalNamesTheCaller")
		require.NotContains(t, line.Caller.Function, "func1")
	}
}
