package logging

import (
	"fmt"

	"go.temporal.io/sdk/log"
	"go.uber.org/zap"
)

// Temporal lends a logger to Temporal's SDK.
func Temporal(logger *zap.Logger) log.Logger {
	return bridge{logger.WithOptions(zap.AddCallerSkip(1))}
}

type bridge struct{ zap *zap.Logger }

var (
	_ log.WithLogger      = bridge{}
	_ log.WithSkipCallers = bridge{}
)

func (b bridge) Debug(message string, keyvals ...any) { b.zap.Debug(message, fields(keyvals)...) }
func (b bridge) Info(message string, keyvals ...any)  { b.zap.Info(message, fields(keyvals)...) }
func (b bridge) Warn(message string, keyvals ...any)  { b.zap.Warn(message, fields(keyvals)...) }
func (b bridge) Error(message string, keyvals ...any) { b.zap.Error(message, fields(keyvals)...) }

// With makes a logger that adds these pairs to every line.
func (b bridge) With(keyvals ...any) log.Logger { return bridge{b.zap.With(fields(keyvals)...)} }

// WithCallerSkip makes a logger that names a caller further up.
func (b bridge) WithCallerSkip(skip int) log.Logger {
	return bridge{b.zap.WithOptions(zap.AddCallerSkip(skip))}
}

// fields pairs keys with values; a last key without one is kept, since what is odd is worth seeing.
func fields(keyvals []any) []zap.Field {
	paired := make([]zap.Field, 0, (len(keyvals)+1)/2)
	for ; len(keyvals) > 1; keyvals = keyvals[2:] {
		paired = append(paired, field(fmt.Sprint(keyvals[0]), keyvals[1]))
	}
	if len(keyvals) == 1 {
		paired = append(paired, field("unpaired", keyvals[0]))
	}
	return paired
}

// field writes errors as their text: left to zap, those that can format themselves bring their stack trace along.
func field(key string, value any) zap.Field {
	if err, ok := value.(error); ok && err != nil {
		return zap.String(key, text(err))
	}
	return zap.Any(key, value)
}

// text survives errors whose Error method cannot be called on a nil pointer, as fmt does.
func text(err error) string { return fmt.Sprintf("%s", err) }
