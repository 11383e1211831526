package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// Record projects a workflow's state, in one transaction. A projection is newer than another when its (linked_at,
// version) is greater; one that is not newer than what is stored changes nothing and returns no news. A request that the
// store does not know, and its requester, get their rows.
//
// The authorization is created when the customer first signs in, or declines; it then follows the newest state, and
// takes the meter list once connected. After it was revoked, it changes only when a customer signs in for it anew.
func (s *Store) Record(ctx context.Context, p meterkey.Projection) (News, error) {
	var news News
	err := s.write(ctx, "storing projection", func(ctx context.Context, tx bun.Tx) error {
		r := recording{store: s, tx: tx, now: s.moment(), asked: p.Request, run: p.RunID, state: p.State}
		var err error
		news, err = r.record(ctx)
		return err
	})
	return news, err
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

func (r *recording) record(ctx context.Context) (News, error) {
	request, err := r.hold(ctx)
	if err != nil || request.Deleted != nil || !newer(r.state, request) {
		return News{}, err
	}
	r.request = request
	r.project()
	if err := r.authorize(ctx); err != nil {
		return News{}, err
	}
	if err := save(ctx, r.tx, &r.request); err != nil || len(r.events) == 0 {
		return News{}, err
	}
	return r.store.publish(ctx, r.tx, r.request.RequesterUID, r.events)
}

// newer tells whether the state is newer than what is stored.
func newer(state meterkey.State, stored Request) bool {
	linked := state.LinkedAt.UTC().Truncate(time.Microsecond)
	if !linked.Equal(stored.LinkedAt) {
		return linked.After(stored.LinkedAt)
	}
	return state.Revision > stored.Version
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
	return indexTerms(ctx, r.tx, request)
}

// project brings the request's row up to the state.
func (r *recording) project() {
	q, state := &r.request, r.state
	r.fresh = unseen(q.Timeline, state.Timeline)
	signedIn := q.SignedIn && !q.Status.Terminal() // what follows an end is a new life
	q.SignedIn = signedIn || slices.ContainsFunc(r.fresh, signsIn)
	r.begins = q.SignedIn && !signedIn

	if state.Utility != "" {
		q.ChosenUtility = state.Utility
	}
	q.Status, q.Reason, q.WaitingOn, q.Message = state.Status, state.Reason, state.WaitingOn, state.Message
	q.Since, q.Until = exact(state.Since), exactly(state.Until)
	q.Challenge, q.Timeline, q.Version, q.RunID = state.Challenge, state.Timeline, state.Revision, r.run
	q.LinkedAt, q.Meters, q.Updated = exact(state.LinkedAt), len(state.Meters), r.now
	q.reach(state)
}

func signsIn(m meterkey.Moment) bool { return m.Status == meterkey.SigningIn }

// unseen are the moments that come after the last one known; all, when that one is not among them: then the request was
// revived, or has been through more than the timeline keeps.
func unseen(known, timeline []meterkey.Moment) []meterkey.Moment {
	if len(known) == 0 {
		return timeline
	}
	last := known[len(known)-1]
	for i, m := range slices.Backward(timeline) {
		if m.Status == last.Status && m.Reason == last.Reason && m.At.Equal(last.At) {
			return timeline[i+1:]
		}
	}
	return timeline
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
	a.stand(r.state)
	if r.state.Status == meterkey.Declined {
		a.Declined = exactly(&r.state.Since)
	}
	for _, m := range r.fresh {
		if kind := standingOf(m.Status, m.Reason).event; kind != "" {
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
