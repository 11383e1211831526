package utilities

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
)

// before is what stood on the page before the latest act.
type before struct {
	docs  []string
	stale map[PageKind]bool
}

// begin notes what stands on the page, so that it does not count as evidence of what the act to come brings about.
func (v *Visit) begin(ctx context.Context) error {
	v.acting = true
	s, err := v.lookSoon(ctx)
	if err != nil {
		return v.fault("looking at the page", err)
	}
	v.before = before{docs: s.Docs, stale: v.flow.standing(s)}
	v.wire.nextTurn()
	return nil
}

// fresh marks what in a snapshot has stood since before the act. What vanished once, or came with a new document, is new.
func (v *Visit) fresh(s Snapshot) Snapshot {
	replaced := func(doc string) bool { return !slices.Contains(s.Docs, doc) }
	if slices.ContainsFunc(v.before.docs, replaced) {
		v.before.stale = nil
	}
	standing := v.flow.standing(s)
	maps.DeleteFunc(v.before.stale, func(kind PageKind, _ bool) bool { return !standing[kind] })
	s.Stale = map[PageKind]bool{}
	maps.Copy(s.Stale, v.before.stale)
	for _, kind := range v.static {
		s.Stale[kind] = s.Stale[kind] || standing[LoginForm]
	}
	return s
}

// doubts say what a page means that could still be on its way to another: once everything has been quiet for a while.
type doubts struct {
	fresh map[PageKind]PageKind // pages that are new
	stale map[PageKind]PageKind // pages that have stood since before the act
	late  map[PageKind]PageKind // the same, but only long after the site has answered something
}

// longQuiet is how many times longer than usual everything must be quiet for the weakest evidence of all to count: a form that just stays.
const longQuiet = 3

// settled returns what the page means after it has been quiet, or "".
func (d doubts) settled(f *Flow, s Snapshot, late bool) PageKind {
	for _, kind := range precedence {
		if slices.Contains(s.Beside, kind) || !f.holds(kind, s, false) {
			continue
		}
		meanings := []map[PageKind]PageKind{d.fresh}
		if s.Stale[kind] {
			meanings = []map[PageKind]PageKind{d.stale}
			if late {
				meanings = append(meanings, d.late)
			}
		}
		for _, of := range meanings {
			if meaning, ok := of[kind]; ok {
				return meaning
			}
		}
	}
	return ""
}

// await looks until a known page has appeared, dismissing what is in the way, and tells what it saw.
func (v *Visit) await(ctx context.Context, limit time.Duration, d doubts) (Sight, error) {
	w := v.watch(limit)
	for {
		s, err := w.look(ctx)
		if err != nil {
			return Sight{}, err
		}
		kind := recognise(v.flow, s)
		_, doubtful := d.fresh[kind]
		switch {
		case kind == Nag:
			if err := w.dismiss(ctx, s); err != nil {
				return Sight{}, err
			}
		case kind != Unknown && !doubtful:
			return v.sight(ctx, kind, s)
		case w.quiet() || w.over():
			late := w.wire.heard() && w.quietFor(longQuiet*v.flow.Settle)
			if meaning := d.settled(v.flow, s, late); meaning != "" {
				return v.doubtfulSight(ctx, meaning, meaning != kind, s)
			}
		}
		if w.over() {
			return v.doubtfulSight(ctx, w.unknown(s), true, s)
		}
		if err := tick(ctx, poll); err != nil {
			return Sight{}, err
		}
	}
}

// watch follows a page over several looks.
type watch struct {
	*Visit
	deadline time.Time
	changed  time.Time // when the page last changed or something was on its way
	last     Snapshot
	pressed  map[*Dismissal]time.Time
	presses  int
}

func (v *Visit) watch(limit time.Duration) *watch {
	now := time.Now()
	return &watch{Visit: v, deadline: now.Add(limit), changed: now, pressed: map[*Dismissal]time.Time{}}
}

// look takes the next snapshot, fresh evidence told apart. While the page is on its way elsewhere it returns the latest one again.
func (w *watch) look(ctx context.Context) (Snapshot, error) {
	s, err := w.Visit.look(ctx)
	if err != nil && !isPassing(err) {
		return s, w.fault("looking at the page", err)
	}
	if err != nil || w.wire.busy() || !sameFace(s, w.last) {
		w.changed = time.Now()
	}
	if err != nil {
		return Snapshot{URL: w.last.URL}, nil
	}
	w.last = s
	s = w.fresh(s)
	s.Beside, s.Dismissed = w.beside, w.stillPressed(s)
	return s, nil
}

func (w *watch) quietFor(span time.Duration) bool { return time.Since(w.changed) >= span }
func (w *watch) quiet() bool                      { return w.quietFor(w.flow.Settle) }
func (w *watch) over() bool                       { return time.Now().After(w.deadline) }

// unknown tells a page that never came from one that came and is not known.
func (w *watch) unknown(s Snapshot) PageKind {
	if !s.Loaded {
		return Unavailable
	}
	return Unknown
}

func sameFace(a, b Snapshot) bool {
	same := func(x, y Spot) bool { return x.Nth == y.Nth && x.Enabled == y.Enabled }
	return slices.Equal(a.Docs, b.Docs) && a.URL == b.URL && maps.EqualFunc(a.Seen, b.Seen, same) && maps.Equal(a.Says, b.Says)
}

const mostPresses = 12

// dismiss presses what gets rid of the page or overlay in the way.
func (w *watch) dismiss(ctx context.Context, s Snapshot) error {
	nag := w.flow.nag(s)
	w.pressed[nag] = time.Now()
	w.presses++
	spot, _ := s.spot(nag.Press)
	w.log.Info("dismissing what is in the way", zap.String("pressing", spot.CSS))
	if err := w.press(ctx, spot); err != nil && !isPassing(err) {
		return w.fault("dismissing what is in the way", err)
	}
	return nil
}

// stillPressed are the nags already pressed, for a while: one that stays is pressed again.
func (w *watch) stillPressed(s Snapshot) []*Dismissal {
	maps.DeleteFunc(w.pressed, func(nag *Dismissal, at time.Time) bool {
		return w.presses < mostPresses && (!s.shows(nag.Press) || time.Since(at) > w.flow.Settle)
	})
	return slices.Collect(maps.Keys(w.pressed))
}
