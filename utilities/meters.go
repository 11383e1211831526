package utilities

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"
)

// Meters reads the meter list: all accounts, all pages. An empty list is a legitimate result. The Sight is signed_in when the list
// was read; anything else says why it was not, and then there is no list.
func (v *Visit) Meters(ctx context.Context) ([]Meter, Sight, error) {
	v.before = before{}
	r := &reader{Visit: v, seen: map[Meter]bool{}}
	err := r.follow(ctx, v.flow.Meters.Read, scope{})
	var stop *stopped
	switch {
	case errors.As(err, &stop):
		return nil, stop.Sight, nil
	case err != nil:
		return nil, Sight{}, err
	}
	v.log.Info("read the meter list", zap.Int("meters", len(r.meters)))
	return r.meters, Sight{Page: SignedIn, Typed: v.typed}, nil
}

// stopped ends the reading with the page that stands in its way.
type stopped struct{ Sight }

func (s *stopped) Error() string { return "reading stopped at " + string(s.Page) }

// reader collects meters. Each step is done for everything that the steps before it found.
type reader struct {
	*Visit
	meters []Meter
	seen   map[Meter]bool
	state  string // of the rows when they were last read
	acted  bool   // something was pressed since
}

func (r *reader) follow(ctx context.Context, steps []Reading, found scope) error {
	if len(steps) == 0 {
		r.keep(found)
		return nil
	}
	return r.step(ctx, steps[0], found, func(more scope) error { return r.follow(ctx, steps[1:], more) })
}

func (r *reader) step(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	switch {
	case step.Open != "":
		if err := r.goTo(ctx, step.Open); err != nil {
			return err
		}
		return then(found)
	case len(step.Press) > 0:
		if err := r.pressStep(ctx, step); err != nil {
			return err
		}
		return then(found)
	case step.Pick != nil:
		return r.pick(ctx, step, found, then)
	case len(step.Rows) > 0:
		return r.rows(ctx, step, found, then)
	default:
		return r.fetch(ctx, step, found, then)
	}
}

// keep maps what was found to a meter. One found twice, as happens while paging, counts once.
func (r *reader) keep(found scope) {
	fields := r.flow.Meters.Fields
	m := Meter{
		AccountNumber:     found.fill(fields["account_number"]),
		MeterNumber:       found.fill(fields["meter_number"]),
		ServiceIdentifier: found.fill(fields["service_identifier"]),
		ServiceAddress:    found.fill(fields["service_address"]),
		Tariff:            found.fill(fields["tariff"]),
		Status:            found.fill(fields["status"]),
	}
	if m == (Meter{}) {
		return
	}
	m.ServiceClass = serviceClass(found.fill(fields["service_class"]))
	if !r.seen[m] {
		r.seen[m] = true
		r.meters = append(r.meters, m)
	}
}

// serviceClass brings a site's word for a service to ours; "" for one that is none of ours.
func serviceClass(word string) string {
	word = strings.ToLower(word)
	for _, class := range []string{"electric", "gas", "water"} {
		if strings.Contains(word, class) || word == class[:1] {
			return class
		}
	}
	if strings.Contains(word, "elec") {
		return "electric"
	}
	return ""
}

func (r *reader) goTo(ctx context.Context, address string) error {
	r.acted = true
	kind, err := r.open(ctx, address)
	if err != nil {
		return err
	}
	if kind != "" {
		return &stopped{Sight{Page: kind, Typed: r.typed}}
	}
	return nil
}

// pressStep presses something. Where that is optional it waits no longer than it takes the page to settle.
func (r *reader) pressStep(ctx context.Context, step Reading) error {
	if step.Optional {
		shows, err := r.settles(ctx, step.Press)
		if err != nil || !shows {
			return err
		}
	}
	return r.pressed(ctx, step.Press)
}

func (r *reader) pressed(ctx context.Context, target Target) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	sight, err := r.pressTarget(ctx, target)
	if err != nil {
		return err
	}
	if sight != nil {
		return r.stop(*sight)
	}
	r.acted = true
	return nil
}

// stop ends the reading. A login form where there should be meters means that the session has ended.
func (r *reader) stop(sight Sight) error {
	if sight.Page == LoginForm {
		sight.Page = SessionEnded
	}
	return &stopped{sight}
}

// settles says whether a target shows by the time the page has been quiet for a while.
func (r *reader) settles(ctx context.Context, target Target) (bool, error) {
	w := r.watch(r.flow.RenderWait)
	for {
		s, err := w.look(ctx)
		switch {
		case err != nil:
			return false, err
		case s.shows(target):
			return true, nil
		case s.Loaded && w.quiet() || w.over():
			return false, nil
		}
		if err := tick(ctx, poll); err != nil {
			return false, err
		}
	}
}

// fetch reads JSON from an address, from within the page and with the page's cookies, page by page where the file says so.
func (r *reader) fetch(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	last := ""
	for page := 0; ; page++ {
		here := found.with("page", number(page+1)).with("offset", number(page*step.PageSize))
		items, err := r.items(ctx, step, here)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := then(found.with(step.As, item)); err != nil {
				return err
			}
		}
		if all := raw(items); step.PageSize == 0 || len(items) == 0 || all == last {
			return nil // the site may answer every page with its only one
		} else {
			last = all
		}
	}
}

func number(n int) gjson.Result { return gjson.Parse(strconv.Itoa(n)) }

func raw(items []gjson.Result) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(item.Raw)
	}
	return b.String()
}

// items returns the items of one answer. Where the answer may be missing and is, there is one item with nothing in it.
func (r *reader) items(ctx context.Context, step Reading, found scope) ([]gjson.Result, error) {
	if step.Optional && step.Bearer != "" && found.fill(step.Bearer) == "" {
		return make([]gjson.Result, 1), nil
	}
	answer, err := r.get(ctx, step, found)
	var stop *stopped
	if step.Optional && errors.As(err, &stop) && stop.Page == Unknown {
		return make([]gjson.Result, 1), nil
	}
	if err != nil {
		return nil, err
	}
	if step.Items == "" {
		return []gjson.Result{answer}, nil
	}
	list := answer.Get(step.Items)
	if !list.Exists() && !step.Optional {
		return nil, r.foreign(ctx, step.Fetch+" answered without "+step.Items)
	}
	items := list.Array()
	if step.Optional && len(items) == 0 {
		return make([]gjson.Result, 1), nil
	}
	return items, nil
}

// get fetches one address. An answer that is no JSON, or refuses, stops the reading.
func (r *reader) get(ctx context.Context, step Reading, found scope) (gjson.Result, error) {
	question, err := r.request(step, found)
	if err != nil {
		return gjson.Result{}, err
	}
	var answer struct {
		Status int    `json:"status"`
		Body   string `json:"body"`
	}
	err = r.askFor(ctx, r.flow.RenderWait, nil, question, &answer)
	switch {
	case err != nil && (isStopped(err) || isGone(err)):
		return gjson.Result{}, r.fault("fetching "+step.Fetch, err)
	case err != nil:
		return gjson.Result{}, r.foreign(ctx, step.Fetch+" did not answer")
	case answer.Status == 401 || answer.Status == 440:
		return gjson.Result{}, &stopped{Sight{Page: SessionEnded, Typed: r.typed}}
	case answer.Status >= 500 || answer.Status == 429:
		return gjson.Result{}, &stopped{Sight{Page: Unavailable, Typed: r.typed}}
	case answer.Status >= 300 || !gjson.Valid(answer.Body):
		return gjson.Result{}, r.foreign(ctx, fmt.Sprintf("%s answered with status %d and no JSON", step.Fetch, answer.Status))
	}
	return gjson.Parse(answer.Body), nil
}

// request is a fetch as page.js wants it.
func (r *reader) request(step Reading, found scope) (map[string]any, error) {
	address := found.address(step.Fetch)
	if !strings.HasPrefix(address, "/") {
		there, err := r.origins.replace(address)
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", step.Fetch, err)
		}
		address = there
	}
	headers := map[string]string{"Accept": "application/json"}
	if step.Bearer != "" {
		headers["Authorization"] = "Bearer " + found.fill(step.Bearer)
	}
	question := map[string]any{"do": "get", "url": address, "method": "GET", "headers": headers}
	if step.Post != nil {
		headers["Content-Type"] = "application/json"
		question["method"], question["body"] = "POST", found.json(step.Post)
	}
	return question, nil
}

// foreign ends the reading on an answer we do not understand: the page may tell that the session ended, else the site has changed.
func (r *reader) foreign(ctx context.Context, what string) error {
	sight, err := r.Look(ctx)
	if err != nil {
		return err
	}
	switch sight.Page {
	case SessionEnded, LoginForm, Unavailable, Captcha, Locked:
		return r.stop(sight)
	}
	s, err := r.lookSoon(ctx)
	if err != nil {
		return r.fault("looking at the page", err)
	}
	sight = Sight{Page: Unknown, Typed: r.typed, Evidence: r.evidence(ctx, s)}
	sight.Evidence.Outline = "[" + what + "]\n" + sight.Evidence.Outline
	return &stopped{sight}
}
