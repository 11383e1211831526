package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/meterkey/meterkey"
)

// PresenceState says whether the customer is at the page.
type PresenceState string

// The states of a presence.
const (
	PresenceHere PresenceState = "here" // the page is shown
	PresenceAway PresenceState = "away" // the page is hidden: the customer may be reading the code elsewhere
	PresenceGone PresenceState = "gone" // the page was closed or left
)

// Presence is one tab in which a customer has a request's page open.
type Presence struct {
	bun.BaseModel `bun:"table:presences,alias:presence"`

	RequestUID string `bun:"request_uid,pk"`
	// Tab tells the customer's tabs apart: 1 to 64 characters of the page's own choosing.
	Tab   string `bun:"tab,pk"`
	State PresenceState
	Seen  time.Time
}

// Grace is how long a customer may be gone before the browser window is freed.
const Grace = time.Minute

// TouchPresence notes what was heard of a tab. ErrNotFound without such a request, ErrInvalid for a tab or state that is
// none.
func (s *Store) TouchPresence(ctx context.Context, requestUID, tab string, state PresenceState, now time.Time) error {
	presence := Presence{RequestUID: requestUID, Tab: tab, State: state, Seen: exact(now)}
	return s.write(ctx, "noting a presence", func(ctx context.Context, tx bun.Tx) error {
		if err := presence.validate(); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&presence).On("CONFLICT (request_uid, tab) DO UPDATE").
			Set("state = EXCLUDED.state").Set("seen = EXCLUDED.seen").Where("presence.seen <= EXCLUDED.seen").Exec(ctx)
		return err
	})
}

// Present tells whether the customer has a page of the request open, shown or hidden.
func (s *Store) Present(ctx context.Context, requestUID string) (bool, error) {
	var tabs []Presence
	err := s.db.NewSelect().Model(&tabs).Where("request_uid = ?", requestUID).Where("state <> ?", PresenceGone).Scan(ctx)
	return len(tabs) > 0 && !allLeft(tabs, s.now()), failed("looking for the customer", err)
}

// Leavers are the requests that wait for an answer only the customer can give, while the customer has left for good:
// there were presences, and every one is gone, or unseen though not hidden, for Grace.
func (s *Store) Leavers(ctx context.Context, now time.Time) ([]string, error) {
	var presences []Presence
	err := s.db.NewSelect().Model(&presences).Join("JOIN requests AS request ON request.uid = presence.request_uid").
		Where("request.deleted IS NULL").Where("request.status IN (?)", bun.List(asking)).Scan(ctx)
	if err != nil {
		return nil, failed("finding who left", err)
	}
	ofRequest := map[string][]Presence{}
	for _, presence := range presences {
		ofRequest[presence.RequestUID] = append(ofRequest[presence.RequestUID], presence)
	}
	maps.DeleteFunc(ofRequest, func(_ string, presences []Presence) bool { return !allLeft(presences, now) })
	return slices.Sorted(maps.Keys(ofRequest)), nil
}

// ForgetPresences forgets a request's presences, so that a departure is told once.
func (s *Store) ForgetPresences(ctx context.Context, requestUID string) error {
	return s.write(ctx, "forgetting presences", func(ctx context.Context, tx bun.Tx) error {
		return forgetPresences(ctx, tx, requestUID)
	})
}

// asking are the statuses in which a browser window stays open for what only the customer knows.
var asking = []meterkey.Status{meterkey.AwaitingChoice, meterkey.AwaitingCode}

func (p Presence) validate() error {
	if p.Tab == "" || len(p.Tab) > 64 {
		return fmt.Errorf("%w: a tab has 1 to 64 characters", ErrInvalid)
	}
	if !slices.Contains([]PresenceState{PresenceHere, PresenceAway, PresenceGone}, p.State) {
		return fmt.Errorf("%w: a presence's state is here, away or gone", ErrInvalid)
	}
	return nil
}

// allLeft tells whether the customer, who has these tabs, has left for good. A hidden page counts as present however long
// it is hidden: on a phone, that is how the code is read. A page that is shown is heard of every few seconds; one that is
// not was closed without a word.
func allLeft(tabs []Presence, now time.Time) bool {
	present := func(p Presence) bool { return p.State == PresenceAway || now.Sub(p.Seen) < Grace }
	return len(tabs) > 0 && !slices.ContainsFunc(tabs, present)
}

func forgetPresences(ctx context.Context, tx bun.Tx, requestUID string) error {
	_, err := tx.NewDelete().Model((*Presence)(nil)).Where("request_uid = ?", requestUID).Exec(ctx)
	return err
}
