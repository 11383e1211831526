package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

const mostPages = 2000

// rows reads a list on the page, page by page.
func (r *reader) rows(ctx context.Context, step utilities.Reading) ([]gjson.Result, error) {
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
		if err := r.click(ctx, next); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("reading rows: more than %d pages", mostPages)
}

// settledRows waits until the list shows, the same twice in a row. After something was pressed, a list that looks as it did before
// counts only once the page has been quiet for a while.
func (r *reader) settledRows(ctx context.Context, step utilities.Reading) ([]gjson.Result, snapshot, error) {
	w := r.watch(r.flow.RenderWait)
	last := ""
	for {
		s, err := w.next(ctx)
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
			if gone, err := r.missing(ctx, w, step, s); err != nil || gone {
				r.acted = false
				return nil, s, err
			}
		}
	}
}

// rowsIn reads the list as it stands. The state is "" when there is none, and else differs from that of any other list or page.
func (r *reader) rowsIn(ctx context.Context, step utilities.Reading, s snapshot) ([]gjson.Result, string, error) {
	at, shows := s.locate(step.Rows)
	if !shows {
		return nil, "", nil
	}
	list, err := r.read(ctx, at, step.Rows, step)
	if err != nil && isTransient(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", r.wrap("reading rows", err)
	}
	return list, strings.Join(s.documents, " ") + raw(list), nil
}

// read reads a step's columns of every element that a target matches.
func (r *reader) read(ctx context.Context, at location, target utilities.Target, step utilities.Reading) ([]gjson.Result, error) {
	columns := map[string]any{}
	for name, c := range step.Columns {
		columns[name] = map[string]string{"css": c.CSS, "header": c.Header, "attr": c.Attr}
	}
	var found []map[string]string
	call := map[string]any{"do": "rows", "target": selectors(target), "columns": columns}
	if err := r.evaluate(ctx, at.Frames, call, &found); err != nil {
		return nil, err
	}
	list := make([]gjson.Result, len(found))
	for i, row := range found {
		for name, column := range step.Columns {
			row[name] = column.Value(row[name])
		}
		text, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		list[i] = gjson.ParseBytes(text)
	}
	return list, nil
}
