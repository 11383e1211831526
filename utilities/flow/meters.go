package flow

import (
	"context"
	"errors"
	"strings"

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
		r.keep(found)
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
		return r.first(r.navigate(ctx, found.address(step.Open)), found, then)
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
func (r *reader) all(step utilities.Reading, items []gjson.Result, found scope, then func(scope) error) error {
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
