package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/meterkey/meterkey/internal/store"
)

// timeFormat is ISO 8601 in UTC with microseconds, as in 2016-01-01T12:30:24.653422+00:00.
const timeFormat = "2006-01-02T15:04:05.000000-07:00"

// Event is an event as webhooks and the API show it.
type Event struct {
	UID            string          `json:"uid"`
	Type           store.EventType `json:"type" doc:"What happened; docs/webhooks.md lists the types."`
	TS             string          `json:"ts" format:"date-time" doc:"When it happened." example:"2016-01-01T12:30:24.653422+00:00"`
	DeliveryMethod string          `json:"delivery_method" enum:"webhook"`
	DeliveryTarget *string         `json:"delivery_target" doc:"The address of the webhook it goes to, null without any."`
	IsDelivered    bool            `json:"is_delivered" doc:"Whether a webhook took it, or it was marked so."`
	// What it is about; absent where it is about nothing of the kind.
	AuthorizationUID string `json:"authorization_uid,omitempty"`
	MeterUID         string `json:"meter_uid,omitempty"`
	FormUID          string `json:"form_uid,omitempty"`
}

// EventOf is the event as receivers see it.
func EventOf(e store.Event) Event {
	shown := Event{UID: e.UID, Type: e.Type, TS: e.TS.UTC().Format(timeFormat), DeliveryMethod: "webhook", IsDelivered: e.IsDelivered,
		AuthorizationUID: e.AuthorizationUID, MeterUID: e.MeterUID, FormUID: e.FormUID}
	if e.DeliveryTarget != "" {
		shown.DeliveryTarget = &e.DeliveryTarget
	}
	return shown
}

// Body is what is posted to target: {"events": […], "next": null}, indented by four blanks, without escapes for HTML and
// without a line break at the end. Receivers hash these bytes as they come, or indent them anew first; both give the same.
func Body(events []store.Event, target string) ([]byte, error) {
	document := struct {
		Events []Event `json:"events"`
		Next   *string `json:"next"`
	}{Events: make([]Event, len(events))}
	for i, e := range events {
		e.DeliveryTarget = target
		document.Events[i] = EventOf(e)
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	if err := encoder.Encode(document); err != nil {
		return nil, fmt.Errorf("encoding events: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}
