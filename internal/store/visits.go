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

// VisitState says whether the customer is at the page.
type VisitState string

// The states of a visit.
const (
	VisitHere VisitState = "here" // the page is shown
	VisitAway VisitState = "away" // the page is hidden: the customer may be reading the code elsewhere
	VisitGone VisitState = "gone" // the page was closed or left
)

// Visit is one tab in which a customer has a request's page open.
type Visit struct {
	bun.BaseModel `bun:"table:visits,alias:visit"`

	RequestUID string `bun:"request_uid,pk"`
	// Tab tells the customer's tabs apart: 1 to 64 characters of the page's own choosing.
	Tab   string `bun:"tab,pk"`
	State VisitState
	Seen  time.Time
}

// Grace is how long a customer may be gone before the browser window is freed.
const Grace = time.Minute

// TouchVisit notes what was heard of a tab. ErrNotFound without such a request, ErrInvalid for a tab or state that is
// none.
func (s *Store) TouchVisit(ctx context.Context, requestUID, tab string, state VisitState, now time.Time) error {
	visit := Visit{RequestUID: requestUID, Tab: tab, State: state, Seen: exact(now)}
	return s.write(ctx, "noting a visit", func(ctx context.Context, tx bun.Tx) error {
		if err := visit.validate(); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&visit).On("CONFLICT (request_uid, tab) DO UPDATE").
			Set("state = EXCLUDED.state").Set("seen = EXCLUDED.seen").Where("visit.seen <= EXCLUDED.seen").Exec(ctx)
		return err
	})
}

// Leavers are the requests that wait for an answer only the customer can give, while the customer has left for good:
// there were visits, and every one is gone, or unseen though not hidden, for Grace.
func (s *Store) Leavers(ctx context.Context, now time.Time) ([]string, error) {
	var visits []Visit
	err := s.db.NewSelect().Model(&visits).Join("JOIN requests AS request ON request.uid = visit.request_uid").
		Where("request.deleted IS NULL").Where("request.status IN (?)", bun.List(asking)).Scan(ctx)
	if err != nil {
		return nil, failed("finding who left", err)
	}
	ofRequest := map[string][]Visit{}
	for _, visit := range visits {
		ofRequest[visit.RequestUID] = append(ofRequest[visit.RequestUID], visit)
	}
	maps.DeleteFunc(ofRequest, func(_ string, visits []Visit) bool { return !allLeft(visits, now) })
	return slices.Sorted(maps.Keys(ofRequest)), nil
}

// ForgetVisits forgets a request's visits, so that a departure is told once.
func (s *Store) ForgetVisits(ctx context.Context, requestUID string) error {
	return s.write(ctx, "forgetting visits", func(ctx context.Context, tx bun.Tx) error {
		return forgetVisits(ctx, tx, requestUID)
	})
}

// asking are the statuses in which a browser window stays open for what only the customer knows.
var asking = []meterkey.Status{meterkey.AwaitingChoice, meterkey.AwaitingCode}

func (v Visit) validate() error {
	if v.Tab == "" || len(v.Tab) > 64 {
		return fmt.Errorf("%w: a tab has 1 to 64 characters", ErrInvalid)
	}
	if !slices.Contains([]VisitState{VisitHere, VisitAway, VisitGone}, v.State) {
		return fmt.Errorf("%w: a visit's state is here, away or gone", ErrInvalid)
	}
	return nil
}

// allLeft tells whether the customer, who has these visits to a request, has left for good. A hidden page counts as
// present however long it is hidden: on a phone, that is how the code is read. A page that is shown is heard of every
// few seconds; one that is not was closed without a word.
func allLeft(visits []Visit, now time.Time) bool {
	present := func(v Visit) bool { return v.State == VisitAway || now.Sub(v.Seen) < Grace }
	return len(visits) > 0 && !slices.ContainsFunc(visits, present)
}

func forgetVisits(ctx context.Context, tx bun.Tx, requestUID string) error {
	_, err := tx.NewDelete().Model((*Visit)(nil)).Where("request_uid = ?", requestUID).Exec(ctx)
	return err
}
