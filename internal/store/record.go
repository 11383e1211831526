package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// Record keeps a workflow's state, in one transaction. States may come in any order, more than once, from several processes
// at once: one that is not newer than what is stored (meterkey.State.NewerThan) changes nothing and publishes nothing, and
// a newer one publishes what those that it overtook would have. A request that the store does not know, and its requester,
// get their rows.
//
// The authorization is created when the customer first signs in, or declines; it then follows the newest state, and
// takes the meter list once connected. After it was revoked, it changes only when a customer signs in for it anew.
func (s *Store) Record(ctx context.Context, p meterkey.Projection) (Published, error) {
	var published Published
	err := s.write(ctx, "storing projection", func(ctx context.Context, tx bun.Tx) error {
		r := recording{store: s, tx: tx, now: s.now(), asked: p.Request, run: p.RunID, state: p.State}
		var err error
		published, err = r.record(ctx)
		return err
	})
	return published, err
}

// RecordTerminated notes that the given run of a request, the one that was recorded last, has ended without a word: an
// operator terminated or deleted it, or Temporal ended it. What comes late from that run counts no more, unless it is a
// resend, whose link the customer may have: then the end is to be recorded anew. A request that has ended, or that another
// run was recorded of since, stays as it is. ErrNotFound. Publishes authorization_update_finished_errored.
func (s *Store) RecordTerminated(ctx context.Context, requestUID, runID string, at time.Time) (Published, error) {
	var published Published
	err := s.write(ctx, "recording that a request was terminated", func(ctx context.Context, tx bun.Tx) error {
		published = Published{}
		request, err := s.holdRequest(ctx, tx, ofAnybody(requestUID))
		if err != nil || request.Status.Terminal() || request.RunID != runID {
			return err
		}
		r := recording{store: s, tx: tx, now: s.now(), run: runID, state: request.State().TerminatedAt(exact(at)), request: request}
		published, err = r.apply(ctx)
		return err
	})
	return published, err
}

// recording is one projection on its way into the tables.
type recording struct {
	store *Store
	tx    bun.Tx
	now   time.Time
	asked meterkey.Request
	run   string
	state meterkey.State

	request Request
	// fresh are the moments of the timeline that had not been recorded.
	fresh []meterkey.Moment
	// begins: the customer signs in, for the first time since the request was started or revived.
	begins bool
	events []Event
}

func (r *recording) record(ctx context.Context) (Published, error) {
	var err error
	if r.request, err = r.hold(ctx); err != nil || r.request.Deleted != nil || !r.state.NewerThan(r.request.State()) {
		return Published{}, err
	}
	return r.apply(ctx)
}

// apply takes over a state that is newer than the request's.
func (r *recording) apply(ctx context.Context) (Published, error) {
	r.project()
	if err := r.authorize(ctx); err != nil {
		return Published{}, err
	}
	if err := save(ctx, r.tx, &r.request); err != nil || len(r.events) == 0 {
		return Published{}, err
	}
	return r.store.publish(ctx, r.tx, r.request.RequesterUID, r.events)
}

// hold reads the request's row, which it adds if there is none, and keeps others from changing it.
func (r *recording) hold(ctx context.Context) (Request, error) {
	where := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("uid = ?", r.asked.RequestID) }
	request, err := r.store.holdRequest(ctx, r.tx, where)
	if !errors.Is(err, ErrNotFound) {
		return request, err
	}
	if err := r.add(ctx); err != nil {
		return Request{}, err
	}
	return r.store.holdRequest(ctx, r.tx, where)
}

// add adds a request that was started elsewhere, with its requester; somebody else may be doing the same just now.
func (r *recording) add(ctx context.Context) error {
	requester := Requester{UID: r.asked.Requester, Name: r.asked.RequesterName, Email: r.asked.RequesterEmail, Created: r.now}
	if _, err := r.tx.NewInsert().Model(&requester).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	request := Request{UID: r.asked.RequestID, RequesterUID: r.asked.Requester, Utility: r.asked.Utility,
		CustomerEmail: r.asked.CustomerEmail, IsTest: r.asked.Test}.asCreated(r.now)
	result, err := r.tx.NewInsert().Model(&request).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 0 {
		return err
	}
	return indexRequest(ctx, r.tx, request)
}

// project brings the request's row up to the state.
func (r *recording) project() {
	q := r.request
	r.fresh = unseen(q.Timeline, r.state.Timeline)
	revived := q.Status.Terminal() && r.state.LinkedAt.After(q.LinkedAt)
	signedIn := q.SignedIn && !revived
	q.SignedIn = signedIn || slices.ContainsFunc(r.fresh, signsIn)
	r.begins = q.SignedIn && !signedIn

	q = q.WithState(r.state)
	q.RunID, q.Meters, q.Updated = r.run, len(r.state.Meters), r.now
	q.reach(r.state)
	r.request = q
}

func signsIn(m meterkey.Moment) bool { return m.Status == meterkey.SigningIn }

// unseen are the moments that come after the last one known; all, when none that is known is among them: then the request
// was revived, or has been through more than the timeline keeps. A moment that two attempts of an activity came to at
// different times is one.
func unseen(known, timeline []meterkey.Moment) []meterkey.Moment {
	for i, last := range slices.Backward(known) {
		for j, m := range slices.Backward(timeline) {
			if m.Status == last.Status && m.Reason == last.Reason && m.At.Equal(last.At) {
				return withoutSame(known[i+1:], timeline[j+1:])
			}
		}
	}
	return timeline
}

// withoutSame leaves out the moments at the beginning that are known but for their times.
func withoutSame(known, timeline []meterkey.Moment) []meterkey.Moment {
	same := 0
	for same < min(len(known), len(timeline)) && known[same].Status == timeline[same].Status && known[same].Reason == timeline[same].Reason {
		same++
	}
	return timeline[same:]
}

// reach notes milestones, each the first time.
func (q *Request) reach(state meterkey.State) {
	for _, m := range state.Timeline {
		switch m.Status {
		case meterkey.AwaitingLogin:
			first(&q.SentAt, m.At)
		case meterkey.SigningIn:
			first(&q.OpenedAt, m.At) // wherever the customer signed in, the link had been opened
			first(&q.SignedInAt, m.At)
		case meterkey.AwaitingChoice, meterkey.AwaitingCode:
			first(&q.CodeAskedAt, m.At)
		case meterkey.Connected:
			first(&q.ConnectedAt, m.At)
		default: // no milestone
		}
	}
	q.EndedAt = nil
	if state.Status.Terminal() {
		q.EndedAt = exactly(&state.Since)
	}
}

// first keeps the time, unless there is one.
func first(milestone **time.Time, at time.Time) {
	if *milestone == nil {
		*milestone = exactly(&at)
	}
}

// authorize brings the authorization up to the state, if the customer has come to one.
func (r *recording) authorize(ctx context.Context) error {
	authorization, there, err := r.store.authorizationOf(ctx, r.tx, r.request)
	if err != nil {
		return err
	}
	declines := slices.ContainsFunc(r.fresh, func(m meterkey.Moment) bool { return m.Status == meterkey.Declined })
	switch {
	case !there && !r.begins && !declines:
		return nil
	case !there:
		authorization = r.created()
		if err := put(ctx, r.tx, &authorization); err != nil {
			return err
		}
		r.request.AuthorizationUID = authorization.UID
	case r.begins:
		r.renew(&authorization)
	case declines && authorization.FormUID != r.request.UID:
		// Who does not want to renew has not taken back what was given before.
		r.tell(Event{Type: EventAuthorizationDeclined, AuthorizationUID: authorization.UID, FormUID: r.request.UID})
	}
	if authorization.FormUID != r.request.UID || authorization.Revoked != nil {
		return nil
	}
	return r.follow(ctx, &authorization)
}

// created is the authorization that the request leads to.
func (r *recording) created() Authorization {
	a := Authorization{UID: NewUID(), RequesterUID: r.request.RequesterUID, Created: r.now, Referral: NewUID()}
	a.adopt(r.request)
	if r.begins { // or the customer declined, which has an event of its own
		r.tell(a.event(EventAuthorizationCreated))
	}
	return a
}

// renew has the authorization begin anew with the request.
func (r *recording) renew(a *Authorization) {
	a.Declined, a.Revoked, a.IsExpired, a.ToldExpiring = nil, nil, false, false
	a.adopt(r.request)
	r.tell(a.event(EventAuthorizationRenewed))
}

// adopt takes over what the request says of the consent.
func (a *Authorization) adopt(q Request) {
	a.FormUID, a.TemplateUID, a.CustomerEmail, a.IsTest = q.UID, q.TemplateUID, q.CustomerEmail, q.IsTest
	a.Consent, a.Scope, a.Expires = q.Consent, q.Scope, nil
	if expires, err := time.Parse(time.RFC3339, q.Scope.Expires); err == nil { // or it is a preset: no time at all
		a.Expires = exactly(&expires)
	}
}

// follow brings the authorization that this request drives up to the state.
func (r *recording) follow(ctx context.Context, a *Authorization) error {
	a.Utility, a.Consent = r.request.ChosenUtility, r.request.Consent
	a.setStatus(r.state)
	if r.state.Status == meterkey.Declined {
		a.Declined = exactly(&r.state.Since)
	}
	for _, m := range r.fresh {
		if kind := mapStatus(m.Status, m.Reason).event; kind != "" {
			r.tell(a.event(kind))
		}
	}
	if r.state.Status == meterkey.Connected {
		if err := r.connect(ctx, a); err != nil {
			return err
		}
	}
	return save(ctx, r.tx, a)
}

// connect takes the meter list.
func (r *recording) connect(ctx context.Context, a *Authorization) error {
	added, err := replaceMeters(ctx, r.tx, *a, r.state.Meters, r.now)
	a.MeterCount = len(r.state.Meters)
	for _, meter := range added {
		e := a.event(EventMeterCreated)
		e.MeterUID = meter.UID
		r.tell(e)
	}
	return err
}

func (r *recording) tell(e Event) { r.events = append(r.events, e) }

// exact is a time as it is stored.
func exact(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

func exactly(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	stored := exact(*at)
	return &stored
}
