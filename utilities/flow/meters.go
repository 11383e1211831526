package flow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// Meters reads the meter list: all accounts, all pages. An empty list is a legitimate result. The Observation is signed_in when the
// list was read; anything else says why it was not, and then there is no list.
func (r *Run) Meters(ctx context.Context) ([]meterkey.Meter, Observation, error) {
	meters, err := r.meters(ctx)
	var at *stop
	if errors.As(err, &at) && at.Page == utilities.Unknown && r.flow.Meters.Read[0].Open != "" {
		// Pages that fetch what they show do not always come to an end of it. Opening one again costs nothing; nothing is typed.
		r.log.Warn("no meter list came; opening its page again")
		meters, err = r.meters(ctx)
	}
	if err != nil {
		seen, err := stoppedAt(err)
		return nil, seen, err
	}
	r.log.Info("read the meter list", zap.Int("meters", len(meters)))
	return meters, Observation{Page: utilities.SignedIn, Typed: r.typed}, nil
}

// meters reads the list once.
func (r *Run) meters(ctx context.Context) ([]meterkey.Meter, error) {
	r.baseline, r.excluded, r.fromStart = baseline{}, []utilities.PageKind{utilities.RejectedLogin, utilities.RejectedCode}, nil
	list := &reader{Run: r, known: map[meterkey.Meter]bool{}}
	err := list.follow(ctx, r.flow.Meters.Read, scope{})
	return list.meters, err
}

// errNoAccounts ends a step for which the page says that there is nothing to read.
var errNoAccounts = errors.New("the page says that there are none")

// reader collects meters. Each step is done for everything that the steps before it found.
type reader struct {
	*Run
	meters []meterkey.Meter
	known  map[meterkey.Meter]bool
	state  string // of the rows when they were last read
	acted  bool   // something was pressed since
}

// follow does the first of the steps, and the others for everything that it finds.
func (r *reader) follow(ctx context.Context, steps []utilities.Reading, found scope) error {
	if len(steps) == 0 {
		r.addMeter(found)
		return nil
	}
	then := func(more scope) error { return r.follow(ctx, steps[1:], more) }
	if unless := steps[0].Unless; unless != "" && found.fill(unless) != "" {
		return then(found)
	}
	err := r.step(ctx, steps[0], found, then)
	if errors.Is(err, errNoAccounts) {
		return nil
	}
	return err
}

func (r *reader) step(ctx context.Context, step utilities.Reading, found scope, then func(scope) error) error {
	switch {
	case step.Open != "":
		return r.proceed(r.navigate(ctx, found.address(step.Open)), found, then)
	case len(step.Press) > 0:
		return r.proceed(r.pressStep(ctx, step), found, then)
	case step.Pick != nil:
		return r.pick(ctx, step, found, then)
	case step.Each != "":
		return r.forEach(step, found.get(step.Each).Array(), found, then)
	case len(step.Rows) > 0:
		list, err := r.rows(ctx, step)
		if err != nil {
			return err
		}
		return r.forEach(step, list, found, then)
	default:
		return r.fetch(ctx, step, found, then)
	}
}

// proceed goes on after a step that finds nothing by itself.
func (r *reader) proceed(err error, found scope, then func(scope) error) error {
	if err != nil {
		return err
	}
	return then(found)
}

// forEach goes on with each of the things found. Where there need not be any and are none, it goes on without.
func (r *reader) forEach(step utilities.Reading, items []gjson.Result, found scope, then func(scope) error) error {
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

// addMeter maps what was found to a meter. One found twice, as happens while paging, counts once.
func (r *reader) addMeter(found scope) {
	fields := r.flow.Meters.Fields
	m := meterkey.Meter{
		AccountNumber:     found.first(fields["account_number"]),
		MeterNumber:       found.first(fields["meter_number"]),
		ServiceIdentifier: found.first(fields["service_identifier"]),
		ServiceAddress:    found.first(fields["service_address"]),
		Tariff:            found.first(fields["tariff"]),
		Status:            strings.ToLower(found.first(fields["status"])),
	}
	if m == (meterkey.Meter{}) {
		return
	}
	m.ServiceClass = serviceClass(found.first(fields["service_class"]))
	if !r.known[m] {
		r.known[m] = true
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

func (r *reader) navigate(ctx context.Context, address string) error {
	r.acted = true
	return r.open(ctx, address)
}

// find waits until a target of a step shows. Where it need not and does not, it is not found.
func (r *reader) find(ctx context.Context, step utilities.Reading, target utilities.Target) (bool, error) {
	w := r.watch(r.flow.RenderWait)
	for {
		s, err := w.next(ctx)
		if err != nil {
			return false, err
		}
		if r.flow.recognise(s) != utilities.Nag && s.shows(target) {
			return true, nil
		}
		if gone, err := r.missing(ctx, w, step, s); err != nil || gone {
			return false, err
		}
	}
}

// deadEnds are the pages at which there is no reading on.
var deadEnds = []utilities.PageKind{
	utilities.Captcha, utilities.Unavailable, utilities.Locked, utilities.PasswordExpired, utilities.RegistrationUnfinished,
	utilities.RejectedCode, utilities.RejectedLogin, utilities.SessionEnded,
}

// missing decides what a page means that does not show what a step looks for: there is none (errNoAccounts), it need not be there
// (true), it is still on its way (false), or this is another page altogether.
func (r *reader) missing(ctx context.Context, w *watch, step utilities.Reading, s snapshot) (bool, error) {
	kind := r.flow.recognise(s)
	switch {
	case kind == utilities.Nag:
		return false, w.dismiss(ctx, s)
	case r.saysNoAccounts(step, s) && w.quietFor(r.flow.Settle/2): // a page may say so until its list has come
		return false, errNoAccounts
	case slices.Contains(deadEnds, kind) || kind == utilities.LoginForm && w.quiet():
		return false, endedAtLogin(r.stopAt(ctx, kind, false, s))
	case step.Optional && s.loaded && w.quietFor(r.optionalWait(step, s)):
		return true, nil
	case w.over():
		return false, r.stopAt(ctx, w.unknown(s), true, s)
	}
	return false, nil
}

// optionalWait is how long a page must be quiet before something optional is taken to be missing.
func (r *reader) optionalWait(step utilities.Reading, s snapshot) time.Duration {
	if s.shows(step.After) {
		return 2 * pollInterval
	}
	return r.flow.Settle
}

// saysNoAccounts says whether the page tells that there is nothing to read.
func (r *reader) saysNoAccounts(step utilities.Reading, s snapshot) bool {
	return s.loaded && (slices.ContainsFunc(step.None, s.bears) || slices.ContainsFunc(r.flow.NoAccounts, s.bears))
}

// pressStep presses something, or not where it is optional and does not show.
func (r *reader) pressStep(ctx context.Context, step utilities.Reading) error {
	if found, err := r.find(ctx, step, step.Press); err != nil || !found {
		return err
	}
	return r.click(ctx, step.Press)
}

func (r *reader) click(ctx context.Context, target utilities.Target) error {
	if err := r.takeBaseline(ctx); err != nil {
		return err
	}
	if err := r.pressTarget(ctx, target, utilities.SignedIn, utilities.ChoiceForm); err != nil {
		return endedAtLogin(err)
	}
	r.acted = true
	return nil
}
