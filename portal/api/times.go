package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// timeFormat is ISO 8601 in UTC with microseconds, as in 2016-01-01T12:30:24.653422+00:00.
const timeFormat = "2006-01-02T15:04:05.000000-07:00"

// Time is a moment as the API writes it.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler; the format is not the one of time.Time.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeFormat) + `"`), nil
}

// Schema implements huma.SchemaProvider.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2016-01-01T12:30:24.653422+00:00"}}
}

// optionalTime is the moment, or null.
func optionalTime(t *time.Time) Optional[Time] {
	if t == nil {
		return Optional[Time]{}
	}
	return some(Time{*t})
}
