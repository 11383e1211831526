// Package logging makes the processes' logger and lends it to Temporal's SDK.
package logging

import (
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// The formats.
const (
	// Auto is Console on a terminal and JSON elsewhere.
	Auto    = "auto"
	Console = "console"
	JSON    = "json"
)

// New makes a logger that writes one line an event to w. Level is debug, info, warn or error; format is one of Auto,
// Console and JSON.
func New(w io.Writer, level, format string) (*zap.Logger, error) {
	threshold, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	if format == Auto {
		format = formatFor(w)
	}
	var encoder zapcore.Encoder
	switch format {
	case Console:
		encoder = zapcore.NewConsoleEncoder(consoleFields())
	case JSON:
		encoder = zapcore.NewJSONEncoder(jsonFields())
	default:
		return nil, fmt.Errorf("log format: %q is none of %s, %s, %s", format, Auto, Console, JSON)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), threshold)), nil
}

func formatFor(w io.Writer) string {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return Console
	}
	return JSON
}

func jsonFields() zapcore.EncoderConfig {
	fields := zap.NewProductionEncoderConfig()
	fields.TimeKey = "time"
	fields.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	fields.EncodeDuration = zapcore.StringDurationEncoder
	return fields
}

func consoleFields() zapcore.EncoderConfig {
	fields := zap.NewDevelopmentEncoderConfig()
	fields.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	fields.EncodeLevel = zapcore.CapitalColorLevelEncoder
	return fields
}
