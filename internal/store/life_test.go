package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// life makes the projections of one data request's workflow.
type life struct {
	request meterkey.Request
	state   meterkey.State
	runs    int
	at      time.Time
}

func newLife(requestID string) *life {
	l := &life{at: time.Date(2026, 11, 23, 10, 0, 0, 123456000, time.UTC), request: meterkey.Request{
		RequestID: requestID, Requester: "acme", RequesterName: "Acme Solar", RequesterEmail: "acme@example.com",
		CustomerEmail: "Jane@Example.com", Utility: "CONED",
	}}
	l.revive()
	return l
}

// revive starts a new run, as a resend does after the end.
func (l *life) revive() meterkey.Projection {
	l.runs++
	l.state = meterkey.State{RequestID: l.request.RequestID, Requester: l.request.Requester, Utility: l.request.Utility}
	return l.resend()
}

// resend has the customer asked with a new link.
func (l *life) resend() meterkey.Projection {
	l.state.LinkedAt = l.at.Add(time.Minute)
	return l.to(meterkey.AwaitingLogin)
}

// to has the request take a status, a minute after the one before.
func (l *life) to(status meterkey.Status, reason ...meterkey.Reason) meterkey.Projection {
	l.at = l.at.Add(time.Minute)
	s := &l.state
	s.Status, s.WaitingOn, s.Since, s.Reason = status, status.WaitingOn(), l.at, ""
	if len(reason) > 0 {
		s.Reason = reason[0]
	}
	s.Message = fmt.Sprintf("it's %s", status)
	s.Revision++
	s.Timeline = append(slices.Clone(s.Timeline), meterkey.Moment{Status: status, Reason: s.Reason, At: l.at})
	return l.projection()
}

// connect has the request end with this many meters.
func (l *life) connect(count int) meterkey.Projection {
	l.state.Meters = make([]meterkey.Meter, count)
	for i := range l.state.Meters {
		l.state.Meters[i] = meterkey.Meter{
			AccountNumber: "A-1", MeterNumber: fmt.Sprintf("M%d", i), ServiceAddress: fmt.Sprintf("%d O'Hara St", i),
			ServiceClass: "electric", Tariff: "SC1", Status: "active",
		}
	}
	return l.to(meterkey.Connected)
}

func (l *life) projection() meterkey.Projection {
	return meterkey.Projection{Request: l.request, RunID: fmt.Sprintf("run-%d", l.runs), State: l.state}
}

// record records the projections in turn and returns the published of the last one.
func record(t *testing.T, s *store.Store, projections ...meterkey.Projection) store.Published {
	t.Helper()
	var published store.Published
	for _, p := range projections {
		var err error
		published, err = s.Record(t.Context(), p)
		require.NoError(t, err)
	}
	return published
}

// kinds are the events' types.
func kinds(published store.Published) []store.EventType {
	types := []store.EventType{}
	for _, event := range published.Events {
		types = append(types, event.Type)
	}
	return types
}

// authorization reads what the request led to.
func (w *world) authorization(t *testing.T, requestUID string) store.Authorization {
	t.Helper()
	request, err := w.RequestByID(t.Context(), requestUID)
	require.NoError(t, err)
	require.NotEmpty(t, request.AuthorizationUID)
	authorization, err := w.Authorization(t.Context(), request.RequesterUID, request.AuthorizationUID)
	require.NoError(t, err)
	return authorization
}

// notes are the types of an authorization's notes.
func notes(a store.Authorization) []string {
	types := []string{}
	for _, note := range a.Notes {
		types = append(types, note.Type)
	}
	return types
}
