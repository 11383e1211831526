package flow

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/utilities"
)

// baseline is what stood on the page before the latest act.
type baseline struct {
	documents []string
	stale     map[utilities.PageKind]bool
}

// takeBaseline notes what stands on the page, so that it does not count as evidence of what the act to come brings about.
func (r *Run) takeBaseline(ctx context.Context) error {
	r.acting = true
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return err
	}
	r.baseline = baseline{documents: s.documents, stale: r.flow.lingering(s)}
	r.traffic.nextAct()
	return nil
}

// fresh marks what in a snapshot has stood since before the act. What vanished once, or came with a new document, is new.
func (r *Run) fresh(s snapshot) snapshot {
	replaced := func(doc string) bool { return !slices.Contains(s.documents, doc) }
	if slices.ContainsFunc(r.baseline.documents, replaced) {
		r.baseline.stale = nil
	}
	lingering := r.flow.lingering(s)
	maps.DeleteFunc(r.baseline.stale, func(kind utilities.PageKind, _ bool) bool { return !lingering[kind] })
	s.stale = map[utilities.PageKind]bool{}
	maps.Copy(s.stale, r.baseline.stale)
	for _, kind := range r.fromStart {
		s.stale[kind] = s.stale[kind] || lingering[utilities.LoginForm]
	}
	return s
}

// meanings says of pages which other page they amount to.
type meanings map[utilities.PageKind]utilities.PageKind

// whenQuiet says what a page means that could still be on its way to another: once everything has been quiet for a while.
type whenQuiet struct {
	fresh meanings // of pages that are new
	stale meanings // of pages that have stood since before the act
	late  meanings // of the same, but only long after the site has answered something
}

// longQuiet is how many times longer than usual everything must be quiet for the weakest evidence of all to count: a form that just stays.
const longQuiet = 3

// meaning is what the page means after it has been quiet, or "".
func (q whenQuiet) meaning(f recogniser, s snapshot, late bool) utilities.PageKind {
	for _, kind := range precedence {
		if slices.Contains(s.excluded, kind) || !f.holds(kind, s, false) {
			continue
		}
		said := []meanings{q.fresh}
		if s.stale[kind] {
			said = []meanings{q.stale}
			if late {
				said = append(said, q.late)
			}
		}
		for _, of := range said {
			if meaning, ok := of[kind]; ok {
				return meaning
			}
		}
	}
	return ""
}

// await looks until a known page has appeared, dismissing what is in the way, and tells what it saw.
func (r *Run) await(ctx context.Context, limit time.Duration, q whenQuiet) (Observation, error) {
	w := r.watch(limit)
	for {
		s, err := w.next(ctx)
		if err != nil {
			return Observation{}, err
		}
		kind := r.flow.recognise(s)
		_, mayPass := q.fresh[kind]
		switch {
		case kind == utilities.Nag:
			if err := w.dismiss(ctx, s); err != nil {
				return Observation{}, err
			}
		case kind != utilities.Unknown && !mayPass:
			return r.observe(ctx, kind, false, s)
		case w.quiet() || w.over():
			late := w.traffic.hasAnswered() && w.quietFor(longQuiet*r.flow.Settle)
			if meaning := q.meaning(r.flow, s, late); meaning != "" {
				return r.observe(ctx, meaning, meaning != kind, s)
			}
		}
		if w.over() {
			return r.observe(ctx, w.unknown(s), true, s)
		}
	}
}

// watch follows a page over several looks.
type watch struct {
	*Run
	pause    time.Duration // before the next look
	deadline time.Time
	changed  time.Time // when the page last changed or something was on its way
	last     snapshot
	pressed  map[*utilities.Dismissal]time.Time
	presses  int
}

func (r *Run) watch(limit time.Duration) *watch {
	now := time.Now()
	return &watch{Run: r, deadline: now.Add(limit), changed: now, pressed: map[*utilities.Dismissal]time.Time{}}
}

// next takes the next snapshot, a moment after the one before, fresh evidence told apart. While the page is on its way elsewhere it
// returns the latest one again.
func (w *watch) next(ctx context.Context) (snapshot, error) {
	if err := sleep(ctx, w.pause); err != nil {
		return snapshot{}, err
	}
	w.pause = pollInterval
	s, err := w.takeSnapshot(ctx)
	if err != nil && !isTransient(err) {
		return s, w.wrap("looking at the page", err)
	}
	if err != nil || w.traffic.busy() || !unchanged(s, w.last) {
		w.changed = time.Now()
	}
	if err != nil {
		return snapshot{url: w.last.url}, nil
	}
	w.last = s
	s = w.fresh(s)
	s.excluded, s.dismissed = w.excluded, w.stillPressed(s)
	return s, nil
}

func (w *watch) quietFor(span time.Duration) bool { return time.Since(w.changed) >= span }
func (w *watch) quiet() bool                      { return w.quietFor(w.flow.Settle) }
func (w *watch) over() bool                       { return time.Now().After(w.deadline) }

// unknown tells a page that never came from one that came and is not known.
func (w *watch) unknown(s snapshot) utilities.PageKind {
	if !s.loaded {
		return utilities.Unavailable
	}
	return utilities.Unknown
}

func unchanged(a, b snapshot) bool {
	same := func(x, y location) bool { return x.Nth == y.Nth && x.Enabled == y.Enabled }
	return slices.Equal(a.documents, b.documents) && a.url == b.url && maps.EqualFunc(a.visible, b.visible, same) && maps.Equal(a.texts, b.texts)
}

const mostPresses = 12

// dismiss presses what gets rid of the page or overlay in the way.
func (w *watch) dismiss(ctx context.Context, s snapshot) error {
	nag := w.flow.nag(s)
	w.pressed[nag] = time.Now()
	w.presses++
	at, _ := s.locate(nag.Press)
	w.log.Info("dismissing what is in the way", zap.String("pressing", at.CSS))
	if err := w.press(ctx, at); err != nil && !isTransient(err) {
		return w.wrap("dismissing what is in the way", err)
	}
	return nil
}

// stillPressed are the nags already pressed, for a while: one that stays is pressed again.
func (w *watch) stillPressed(s snapshot) []*utilities.Dismissal {
	maps.DeleteFunc(w.pressed, func(nag *utilities.Dismissal, at time.Time) bool {
		return w.presses < mostPresses && (!s.shows(nag.Press) || time.Since(at) > w.flow.Settle)
	})
	return slices.Collect(maps.Keys(w.pressed))
}
