package utilities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

const mostPages = 2000

func number(n int) gjson.Result { return gjson.Parse(strconv.Itoa(n)) }

// raw is the JSON of a list, for comparing lists.
func raw(items []gjson.Result) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(item.Raw)
	}
	return b.String()
}

// find waits until a target of a step shows. Where it need not and does not, it is not found.
func (r *reader) find(ctx context.Context, step Reading, target Target) (bool, error) {
	w := r.watch(r.flow.RenderWait)
	for {
		s, err := w.look(ctx)
		if err != nil {
			return false, err
		}
		if recognise(r.flow, s) != Nag && s.shows(target) {
			return true, nil
		}
		if gone, err := r.absent(ctx, w, step, s); err != nil || gone {
			return false, err
		}
		if err := tick(ctx, poll); err != nil {
			return false, err
		}
	}
}

// ends are the pages at which there is no reading on.
var ends = []PageKind{Captcha, Unavailable, Locked, PasswordExpired, RegistrationUnfinished, RejectedCode, RejectedLogin, SessionEnded}

// absent decides what a page means that does not show what a step looks for: there is none (errNone), it need not be there (true), it is
// still on its way (false), or this is another page altogether.
func (r *reader) absent(ctx context.Context, w *watch, step Reading, s Snapshot) (bool, error) {
	kind := recognise(r.flow, s)
	switch {
	case kind == Nag:
		return false, w.dismiss(ctx, s)
	case r.saysNone(step, s) && w.quietFor(r.flow.Settle/2): // a page may say so until its list has come
		return false, errNone
	case slices.Contains(ends, kind) || kind == LoginForm && w.quiet():
		sight, err := r.sight(ctx, kind, s)
		if err != nil {
			return false, err
		}
		return false, r.stop(sight)
	case step.Optional && s.Loaded && w.quietFor(r.patience(step, s)):
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

// patience is how long a page must be quiet before something optional is taken to be missing.
func (r *reader) patience(step Reading, s Snapshot) time.Duration {
	if s.shows(step.After) {
		return 2 * poll
	}
	return r.flow.Settle
}

// saysNone says whether the page tells that there is nothing to read.
func (r *reader) saysNone(step Reading, s Snapshot) bool {
	holds := func(m Mark) bool { return m.holds(s) }
	return s.Loaded && (slices.ContainsFunc(step.None, holds) || slices.ContainsFunc(r.flow.none, holds))
}

// pressStep presses something, or not where it is optional and does not show.
func (r *reader) pressStep(ctx context.Context, step Reading) error {
	if found, err := r.find(ctx, step, step.Press); err != nil || !found {
		return err
	}
	return r.pressed(ctx, step.Press)
}

func (r *reader) pressed(ctx context.Context, target Target) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	sight, err := r.pressTarget(ctx, target, SignedIn, ChoiceForm)
	if err != nil {
		return err
	}
	if sight != nil {
		return r.stop(*sight)
	}
	r.acted = true
	return nil
}

// rows reads a list on the page, page by page.
func (r *reader) rows(ctx context.Context, step Reading) ([]gjson.Result, error) {
	var all []gjson.Result
	known := map[string]bool{}
	for range mostPages {
		before := r.state
		list, s, err := r.settledRows(ctx, step)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && r.state == before {
			return all, nil // pressing for more brought nothing new
		}
		for _, row := range list {
			if !known[row.Raw] { // "show more" lists the earlier rows again
				known[row.Raw] = true
				all = append(all, row)
			}
		}
		next, ok := s.pressable(step.Next)
		if !ok {
			return all, nil
		}
		if err := r.pressed(ctx, next); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("reading rows: more than %d pages", mostPages)
}

// settledRows waits until the list shows, the same twice in a row. After something was pressed, a list that looks as it did before
// counts only once the page has been quiet for a while.
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
			if gone, err := r.absent(ctx, w, step, s); err != nil || gone {
				r.acted = false
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
		return nil, "", nil
	}
	list, err := r.read(ctx, spot, step.Rows, step)
	if err != nil && isPassing(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", r.fault("reading rows", err)
	}
	return list, strings.Join(s.Docs, " ") + raw(list), nil
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

// pick does what follows for each account in turn. Where there is no picker and none is needed, it is done once.
func (r *reader) pick(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	shows, err := r.find(ctx, step, step.Pick.opener())
	if err != nil {
		return err
	}
	if !shows {
		return then(found)
	}
	page, err := r.current()
	if err != nil {
		return r.fault("picking an account", err)
	}
	address := r.origins.real(page.URL())
	for n := 0; ; n++ {
		account, last, err := r.pickOne(ctx, step, n, address)
		if err != nil {
			return err
		}
		if err := then(found.with(step.As, account)); err != nil || last {
			return err
		}
	}
}

// opener is what shows of a picker before it is opened.
func (p *Pick) opener() Target { return append(slices.Clone(p.Options), p.List...) }

// picker is an open account picker: where its options stand, and what the file reads of each.
type picker struct {
	spots []Spot
	read  []gjson.Result
}

// pickOne picks the nth account and says whether it is the last.
func (r *reader) pickOne(ctx context.Context, step Reading, n int, address string) (account gjson.Result, last bool, err error) {
	p, err := r.openPicker(ctx, step, n, address)
	if err != nil {
		return account, false, err
	}
	if err := r.begin(ctx); err != nil {
		return account, false, err
	}
	if err := r.press(ctx, p.spots[n]); err != nil {
		return account, false, r.fault("picking an account", err)
	}
	r.acted = true
	if len(step.Pick.Submit) > 0 {
		if err := r.pressed(ctx, step.Pick.Submit); err != nil {
			return account, false, err
		}
	}
	return p.read[n], n == len(p.spots)-1, nil
}

// openPicker makes the options show, more than n of them, going back to the picker's page first where picking the one before led away.
func (r *reader) openPicker(ctx context.Context, step Reading, n int, address string) (*picker, error) {
	if n > 0 {
		if err := r.back(ctx, step, address); err != nil {
			return nil, err
		}
	}
	needed := step
	needed.Optional = false
	w := r.watch(r.flow.RenderWait)
	for {
		p, err := r.picker(ctx, needed)
		if err != nil {
			return nil, err
		}
		if n < len(p.spots) && len(p.spots) == len(p.read) {
			return p, nil
		}
		if w.over() {
			return nil, fmt.Errorf("picking an account: number %d is no longer offered", n+1)
		}
		if err := tick(ctx, poll); err != nil {
			return nil, err
		}
	}
}

// picker opens the list where it is closed, and reads the options.
func (r *reader) picker(ctx context.Context, step Reading) (*picker, error) {
	if _, err := r.find(ctx, step, step.Pick.opener()); err != nil {
		return nil, err
	}
	s, err := r.lookSoon(ctx)
	if err != nil {
		return nil, r.fault("looking at the page", err)
	}
	if !s.shows(step.Pick.Options) && s.shows(step.Pick.List) {
		if err := r.pressed(ctx, step.Pick.List); err != nil {
			return nil, err
		}
		if _, err := r.find(ctx, step, step.Pick.Options); err != nil {
			return nil, err
		}
		if s, err = r.lookSoon(ctx); err != nil {
			return nil, r.fault("looking at the page", err)
		}
	}
	spot, _ := s.spot(step.Pick.Options)
	list, err := r.offers(ctx, spot, step.Pick.Options, nil)
	if err != nil {
		return nil, r.fault("reading the accounts", err)
	}
	p := &picker{}
	for _, option := range list {
		p.spots = append(p.spots, option.Spot)
	}
	if p.read, err = r.read(ctx, spot, step.Pick.Options, step); err != nil {
		return nil, r.fault("reading the accounts", err)
	}
	return p, nil
}

// back returns to the page of the picker, unless it still stands.
func (r *reader) back(ctx context.Context, step Reading, address string) error {
	s, err := r.lookSoon(ctx)
	if err != nil {
		return r.fault("looking at the page", err)
	}
	if s.shows(step.Pick.opener()) {
		return nil
	}
	return r.goTo(ctx, address)
}
