package utilities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"
)

// Meters reads the meter list: all accounts, all pages. An empty list is a legitimate result. The Sight is signed_in when the list
// was read; anything else says why it was not, and then there is no list.
func (v *Visit) Meters(ctx context.Context) ([]Meter, Sight, error) {
	meters, err := v.meters(ctx)
	var stop *stopped
	if errors.As(err, &stop) && stop.Page == Unknown && v.flow.Meters.Read[0].Open != "" {
		// Pages that fetch what they show do not always come to an end of it. Opening one again costs nothing; nothing is typed.
		v.log.Warn("no meter list came; opening its page again")
		meters, err = v.meters(ctx)
	}
	switch {
	case errors.As(err, &stop):
		return nil, stop.Sight, nil
	case err != nil:
		return nil, Sight{}, err
	}
	v.log.Info("read the meter list", zap.Int("meters", len(meters)))
	return meters, Sight{Page: SignedIn, Typed: v.typed}, nil
}

// meters reads the list once. The error is a *stopped where a page stands in the way.
func (v *Visit) meters(ctx context.Context) ([]Meter, error) {
	v.before, v.beside, v.static = before{}, []PageKind{RejectedLogin, RejectedCode}, nil
	r := &reader{Visit: v, seen: map[Meter]bool{}}
	err := r.follow(ctx, v.flow.Meters.Read, scope{})
	return r.meters, err
}

// stopped ends the reading with the page that stands in its way.
type stopped struct{ Sight }

func (s *stopped) Error() string { return "reading stopped at " + string(s.Page) }

// errNone ends a step for which the page says that there is nothing to read.
var errNone = errors.New("the page says that there are none")

// reader collects meters. Each step is done for everything that the steps before it found.
type reader struct {
	*Visit
	meters []Meter
	seen   map[Meter]bool
	state  string // of the rows when they were last read
	acted  bool   // something was pressed since
}

// follow does the first of the steps, and the others for everything that it finds.
func (r *reader) follow(ctx context.Context, steps []Reading, found scope) error {
	if len(steps) == 0 {
		r.keep(found)
		return nil
	}
	then := func(more scope) error { return r.follow(ctx, steps[1:], more) }
	if unless := steps[0].Unless; unless != "" && found.fill(unless) != "" {
		return then(found)
	}
	err := r.step(ctx, steps[0], found, then)
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

func (r *reader) step(ctx context.Context, step Reading, found scope, then func(scope) error) error {
	switch {
	case step.Open != "":
		return r.first(r.goTo(ctx, found.address(step.Open)), found, then)
	case len(step.Press) > 0:
		return r.first(r.pressStep(ctx, step), found, then)
	case step.Pick != nil:
		return r.pick(ctx, step, found, then)
	case step.Each != "":
		return r.all(step, found.get(step.Each).Array(), found, then)
	case len(step.Rows) > 0:
		list, err := r.rows(ctx, step)
		if err != nil {
			return err
		}
		return r.all(step, list, found, then)
	default:
		return r.fetch(ctx, step, found, then)
	}
}

// first goes on after a step that finds nothing by itself.
func (r *reader) first(err error, found scope, then func(scope) error) error {
	if err != nil {
		return err
	}
	return then(found)
}

// all goes on with each of the things found. Where there need not be any and are none, it goes on without.
func (r *reader) all(step Reading, items []gjson.Result, found scope, then func(scope) error) error {
	if step.Optional && len(items) == 0 {
		return then(found)
	}
	for _, item := range items {
		if err := then(found.with(step.As, item)); err != nil {
			return err
		}
	}
	return nil
}

// keep maps what was found to a meter. One found twice, as happens while paging, counts once.
func (r *reader) keep(found scope) {
	fields := r.flow.Meters.Fields
	m := Meter{
		AccountNumber:     found.first(fields["account_number"]),
		MeterNumber:       found.first(fields["meter_number"]),
		ServiceIdentifier: found.first(fields["service_identifier"]),
		ServiceAddress:    found.first(fields["service_address"]),
		Tariff:            found.first(fields["tariff"]),
		Status:            strings.ToLower(found.first(fields["status"])),
	}
	if m == (Meter{}) {
		return
	}
	m.ServiceClass = serviceClass(found.first(fields["service_class"]))
	if !r.seen[m] {
		r.seen[m] = true
		r.meters = append(r.meters, m)
	}
}

// serviceClass brings a site's word for a service to ours; "" for one that is none of ours or several at once.
func serviceClass(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	class := ""
	for part, meant := range map[string]string{"elec": "electric", "gas": "gas", "water": "water"} {
		if !strings.Contains(word, part) && word != part[:1] {
			continue
		}
		if class != "" {
			return ""
		}
		class = meant
	}
	return class
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

// stop ends the reading. A login form where there should be meters means that the session has ended.
func (r *reader) stop(sight Sight) error {
	if sight.Page == LoginForm {
		sight.Page = SessionEnded
	}
	return &stopped{sight}
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
		all := raw(items)
		if page > 0 && (len(items) == 0 || all == last) {
			return nil // the site may answer every page with its only one
		}
		if err := r.all(step, items, found, then); err != nil || step.PageSize == 0 {
			return err
		}
		last = all
	}
}

// items returns the items of one answer; none where the answer may be missing and is.
func (r *reader) items(ctx context.Context, step Reading, found scope) ([]gjson.Result, error) {
	if step.Optional && step.Bearer != "" && found.fill(step.Bearer) == "" {
		return nil, nil
	}
	answer, err := r.get(ctx, step, found)
	var stop *stopped
	if step.Optional && (errors.Is(err, errNone) || errors.As(err, &stop) && stop.Page == Unknown) {
		return nil, nil
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
	return list.Array(), nil
}

// get fetches one address. An answer that is no JSON, or refuses, stops the reading.
func (r *reader) get(ctx context.Context, step Reading, found scope) (gjson.Result, error) {
	question, err := r.request(ctx, step, found)
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
func (r *reader) request(ctx context.Context, step Reading, found scope) (map[string]any, error) {
	address := found.address(step.Fetch)
	if !strings.HasPrefix(address, "/") {
		there, err := r.origins.replace(address)
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", step.Fetch, err)
		}
		address = there
	}
	headers := map[string]string{"Accept": "application/json"}
	authorization, err := r.authorization(ctx, step, found)
	if err != nil {
		return nil, err
	}
	if authorization != "" {
		headers["Authorization"] = authorization
	}
	question := map[string]any{"do": "get", "url": address, "method": "GET", "headers": headers}
	if step.Post != nil {
		headers["Content-Type"] = "application/json"
		question["method"], question["body"] = "POST", found.json(step.Post)
	}
	return question, nil
}

// authorization is what a fetch identifies itself with: a token found before, or what the page itself sends with a request of its
// own, which is waited for.
func (r *reader) authorization(ctx context.Context, step Reading, found scope) (string, error) {
	if step.Bearer != "" {
		return "Bearer " + found.fill(step.Bearer), nil
	}
	if step.BearerOf == "" {
		return "", nil
	}
	w := r.watch(r.flow.RenderWait)
	for {
		if sent := r.wire.sent(step.BearerOf); sent != "" {
			return sent, nil
		}
		s, err := w.look(ctx)
		if err != nil {
			return "", err
		}
		gone, err := r.absent(ctx, w, step, s)
		if gone {
			err = errNone // asking without the token would look like a session that has ended
		}
		if err == nil {
			err = tick(ctx, poll)
		}
		if err != nil {
			return "", err
		}
	}
}

// foreign ends the reading on an answer we do not understand: the page may tell that there are no accounts or that the session
// ended, else the site has changed.
func (r *reader) foreign(ctx context.Context, what string) error {
	s, err := r.lookSoon(ctx)
	if err != nil {
		return r.fault("looking at the page", err)
	}
	if r.saysNone(Reading{}, s) {
		return errNone
	}
	switch kind := recognise(r.flow, s); kind {
	case SessionEnded, LoginForm, Unavailable, Captcha, Locked:
		return r.stop(Sight{Page: kind, Typed: r.typed})
	}
	sight := Sight{Page: Unknown, Typed: r.typed, Evidence: r.evidence(ctx, s)}
	sight.Evidence.Outline = "[" + what + "]\n" + sight.Evidence.Outline
	return &stopped{sight}
}
