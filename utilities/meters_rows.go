package utilities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

const mostPages = 2000

// rows reads a list on the page, page by page, and hands on its rows.
func (r *reader) rows(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	handed := map[string]bool{}
	for range mostPages {
		before := r.state
		list, s, err := r.settledRows(ctx, step)
		if err != nil {
			return err
		}
		if len(handed) > 0 && r.state == before {
			return nil // pressing for more brought nothing new
		}
		for _, row := range list {
			if handed[row.Raw] {
				continue // "show more" lists the earlier rows again
			}
			handed[row.Raw] = true
			if err := then(found.with(step.As, row)); err != nil {
				return err
			}
		}
		if spot, ok := s.spot(step.Next); !ok || !spot.Enabled {
			return nil
		}
		if err := r.pressed(ctx, step.Next); err != nil {
			return err
		}
	}
	return fmt.Errorf("reading rows: more than %d pages", mostPages)
}

// settledRows waits until the list shows, or the page says that there is none, and the same twice in a row. After something was
// pressed, a list that looks as it did before counts only once the page has been quiet for a while.
func (r *reader) settledRows(ctx context.Context, step Reading) ([]gjson.Result, Snapshot, error) {
	w := r.watch(r.flow.RenderWait)
	last := ""
	for {
		s, err := w.look(ctx)
		if err != nil {
			return nil, s, err
		}
		list, state, err := r.rowsIn(ctx, step, s)
		if err != nil {
			return nil, s, err
		}
		old := r.acted && state == r.state && !w.quiet()
		if state != "" && state == last && !old {
			r.state, r.acted = state, false
			return list, s, nil
		}
		last = state
		if state == "" {
			if empty, err := r.noRows(ctx, w, step, s); err != nil || empty {
				return nil, s, err
			}
		}
		if err := tick(ctx, poll); err != nil {
			return nil, s, err
		}
	}
}

// rowsIn reads the list as it stands. The state is "" when there is none, and else differs from that of any other list or page.
func (r *reader) rowsIn(ctx context.Context, step Reading, s Snapshot) ([]gjson.Result, string, error) {
	spot, shows := s.spot(step.Rows)
	if !shows {
		if slices.ContainsFunc(step.None, func(m Mark) bool { return m.holds(s) }) {
			return nil, "none " + strings.Join(s.Docs, " "), nil
		}
		return nil, "", nil
	}
	list, err := r.read(ctx, spot, step.Rows, step)
	if err != nil && isPassing(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", r.fault("reading rows", err)
	}
	return list, "rows " + strings.Join(s.Docs, " ") + raw(list), nil
}

// read reads a step's columns of every element that a target matches.
func (r *reader) read(ctx context.Context, spot Spot, target Target, step Reading) ([]gjson.Result, error) {
	columns := map[string]any{}
	for name, c := range step.Columns {
		columns[name] = map[string]string{"css": c.CSS, "header": c.Header, "attr": c.Attr}
	}
	var found []map[string]string
	question := map[string]any{"do": "rows", "target": asked(target), "columns": columns}
	if err := r.ask(ctx, spot.Frames, question, &found); err != nil {
		return nil, err
	}
	list := make([]gjson.Result, len(found))
	for i, row := range found {
		text, err := json.Marshal(step.narrowed(row))
		if err != nil {
			return nil, err
		}
		list[i] = gjson.ParseBytes(text)
	}
	return list, nil
}

// narrowed takes from each column's text the part that its expression finds; a text in which it finds nothing is no value.
func (r *Reading) narrowed(row map[string]string) map[string]string {
	for name, column := range r.Columns {
		if column.match == nil {
			continue
		}
		found := column.match.FindStringSubmatch(row[name])
		row[name] = ""
		if len(found) > 0 {
			row[name] = found[min(1, len(found)-1)]
		}
	}
	return row
}

// noRows decides what a page without a list is: still on its way, without one where that is allowed, or another page altogether.
func (r *reader) noRows(ctx context.Context, w *watch, step Reading, s Snapshot) (bool, error) {
	kind := recognise(r.flow, s)
	switch {
	case kind == Nag:
		return false, w.dismiss(ctx, s)
	case slices.Contains(ends, kind) || kind == LoginForm && w.quiet():
		sight, err := r.sight(ctx, kind, s)
		if err != nil {
			return false, err
		}
		return false, r.stop(sight)
	case step.Optional && s.Loaded && w.quiet():
		r.acted = false
		return true, nil
	case w.over():
		sight, err := r.doubtfulSight(ctx, w.unknown(s), true, s)
		if err != nil {
			return false, err
		}
		return false, r.stop(sight)
	}
	return false, nil
}

// pick does what follows for each account in turn. Where there is no picker and none is needed, it is done once.
func (r *reader) pick(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	accounts, err := r.accounts(ctx, step)
	if err != nil {
		return err
	}
	if accounts == nil {
		return then(found)
	}
	page, err := r.current()
	if err != nil {
		return r.fault("picking an account", err)
	}
	address := r.origins.real(page.URL())
	for i := range accounts.spots {
		option, err := r.pickOne(ctx, step, i, address)
		if err != nil {
			return err
		}
		if err := then(found.with(step.As, option)); err != nil {
			return err
		}
	}
	return nil
}

// picker is an open account picker: where its options stand, and what the file reads of each.
type picker struct {
	spots []Spot
	read  []gjson.Result
}

// accounts opens the picker; nil when there is none and none is needed.
func (r *reader) accounts(ctx context.Context, step Reading) (*picker, error) {
	opener := step.Pick.List
	if len(opener) == 0 {
		opener = step.Pick.Options
	}
	if step.Optional {
		if shows, err := r.settles(ctx, opener); err != nil || !shows {
			return nil, err
		}
	}
	return r.picker(ctx, step)
}

// picker makes the options show and reads them.
func (r *reader) picker(ctx context.Context, step Reading) (*picker, error) {
	s, err := r.lookSoon(ctx)
	if err != nil {
		return nil, r.fault("looking at the page", err)
	}
	if !s.shows(step.Pick.Options) && len(step.Pick.List) > 0 {
		if err := r.pressed(ctx, step.Pick.List); err != nil {
			return nil, err
		}
	}
	spot, sight, err := r.reach(ctx, step.Pick.Options)
	if err != nil {
		return nil, err
	}
	if sight != nil {
		return nil, r.stop(*sight)
	}
	var list offered
	question := map[string]any{"do": "options", "target": asked(step.Pick.Options), "targets": map[string]any{}}
	if err := r.ask(ctx, spot.Frames, question, &list); err != nil {
		return nil, r.fault("reading the accounts", err)
	}
	p := &picker{}
	for _, option := range list {
		option.Spot.Frames = spot.Frames
		p.spots = append(p.spots, option.Spot)
	}
	if p.read, err = r.read(ctx, spot, step.Pick.Options, step); err != nil {
		return nil, r.fault("reading the accounts", err)
	}
	return p, nil
}

// pickOne picks the nth account, going back to the picker's page first where picking the one before led away from it.
func (r *reader) pickOne(ctx context.Context, step Reading, n int, address string) (gjson.Result, error) {
	if n > 0 {
		if err := r.back(ctx, step, address); err != nil {
			return gjson.Result{}, err
		}
	}
	p, err := r.picker(ctx, step)
	if err != nil {
		return gjson.Result{}, err
	}
	if n >= len(p.spots) || n >= len(p.read) {
		return gjson.Result{}, fmt.Errorf("picking an account: number %d is no longer offered", n+1)
	}
	if err := r.begin(ctx); err != nil {
		return gjson.Result{}, err
	}
	if err := r.press(ctx, p.spots[n]); err != nil {
		return gjson.Result{}, r.fault("picking an account", err)
	}
	r.acted = true
	if len(step.Pick.Submit) > 0 {
		if err := r.pressed(ctx, step.Pick.Submit); err != nil {
			return gjson.Result{}, err
		}
	}
	return p.read[n], nil
}

// back returns to the page of the picker, unless it still stands.
func (r *reader) back(ctx context.Context, step Reading, address string) error {
	s, err := r.lookSoon(ctx)
	if err != nil {
		return r.fault("looking at the page", err)
	}
	if s.shows(step.Pick.Options) || s.shows(step.Pick.List) {
		return nil
	}
	return r.goTo(ctx, address)
}
