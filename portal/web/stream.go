package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// PingEvery is how often a silent stream is to be pinged, so that nothing between takes it for dead.
	PingEvery = 10 * time.Second
	// retryAfter is how long a browser waits before it connects again.
	retryAfter = time.Second
	// writeLimit bounds a write to a browser that does not read.
	writeLimit = 10 * time.Second
)

// Stream sends server-sent events to one browser. Its methods are for one goroutine.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context
}

// NewStream begins the answer to r. The error tells that the connection cannot stream.
func NewStream(w http.ResponseWriter, r *http.Request) (*Stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy is to pass each event on at once
	s := &Stream{w: w, control: http.NewResponseController(w), ctx: r.Context()}
	return s, s.write(fmt.Sprintf("retry: %d\n\n", retryAfter.Milliseconds()))
}

// Event is one message. Data may have several lines. ID, if any, is what the browser then has.
type Event struct {
	Name, ID, Data string
}

// Send sends an event. Its error is the end of the stream.
func (s *Stream) Send(e Event) error {
	var text bytes.Buffer
	field(&text, "id", e.ID)
	field(&text, "event", e.Name)
	for line := range strings.SplitSeq(lineEnds.Replace(e.Data), "\n") {
		fmt.Fprintf(&text, "data: %s\n", line)
	}
	text.WriteByte('\n')
	return s.write(text.String())
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// field writes a field that has one line; an empty one is left out.
func field(text *bytes.Buffer, name, value string) {
	if value != "" {
		fmt.Fprintf(text, "%s: %s\n", name, strings.Map(oneLine, value))
	}
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\r' || r == 0 {
		return -1
	}
	return r
}

// Ping sends a comment, which a browser ignores. Its error is the end of the stream.
func (s *Stream) Ping() error { return s.write(": ping\n\n") }

func (s *Stream) write(text string) error {
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("streaming: %w", err)
	}
	// A recorder in a test has no deadlines, and needs none.
	if err := s.control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("streaming: %w", err)
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("streaming: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("streaming: %w", err)
	}
	return nil
}
