package flow

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

// pick does what follows for each account in turn. Where there is no picker and none is needed, it is done once.
func (r *reader) pick(ctx context.Context, step utilities.Reading, found scope, then func(scope) error) error {
	shows, err := r.find(ctx, step, opener(step.Pick))
	if err != nil {
		return err
	}
	if !shows {
		return then(found)
	}
	page, err := r.current()
	if err != nil {
		return r.wrap("picking an account", err)
	}
	address := r.origins.Real(page.URL())
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
func opener(p *utilities.Pick) utilities.Target { return append(slices.Clone(p.Options), p.List...) }

// picker is an open account picker: where its options stand, and what the file reads of each.
type picker struct {
	locations []location
	read      []gjson.Result
}

// pickOne picks the nth account and says whether it is the last.
func (r *reader) pickOne(ctx context.Context, step utilities.Reading, n int, address string) (account gjson.Result, last bool, err error) {
	p, err := r.openPicker(ctx, step, n, address)
	if err != nil {
		return account, false, err
	}
	if err := r.takeBaseline(ctx); err != nil {
		return account, false, err
	}
	if err := r.press(ctx, p.locations[n]); err != nil {
		return account, false, r.wrap("picking an account", err)
	}
	r.acted = true
	if len(step.Pick.Submit) > 0 {
		if err := r.click(ctx, step.Pick.Submit); err != nil {
			return account, false, err
		}
	}
	return p.read[n], n == len(p.locations)-1, nil
}

// openPicker makes the options show, more than n of them, going back to the picker's page first where picking the one before led away.
func (r *reader) openPicker(ctx context.Context, step utilities.Reading, n int, address string) (*picker, error) {
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
		if n < len(p.locations) && len(p.locations) == len(p.read) {
			return p, nil
		}
		if w.over() {
			return nil, fmt.Errorf("picking an account: number %d is no longer offered", n+1)
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// picker opens the list where it is closed, and reads the options.
func (r *reader) picker(ctx context.Context, step utilities.Reading) (*picker, error) {
	if _, err := r.find(ctx, step, opener(step.Pick)); err != nil {
		return nil, err
	}
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	if !s.shows(step.Pick.Options) && s.shows(step.Pick.List) {
		if err := r.click(ctx, step.Pick.List); err != nil {
			return nil, err
		}
		if _, err := r.find(ctx, step, step.Pick.Options); err != nil {
			return nil, err
		}
		if s, err = r.currentSnapshot(ctx); err != nil {
			return nil, err
		}
	}
	at, _ := s.locate(step.Pick.Options)
	list, err := r.readOptions(ctx, at, step.Pick.Options, nil)
	if err != nil {
		return nil, r.wrap("reading the accounts", err)
	}
	p := &picker{}
	for _, option := range list {
		p.locations = append(p.locations, option.Location)
	}
	if p.read, err = r.read(ctx, at, step.Pick.Options, step); err != nil {
		return nil, r.wrap("reading the accounts", err)
	}
	return p, nil
}

// back returns to the page of the picker, unless it still stands.
func (r *reader) back(ctx context.Context, step utilities.Reading, address string) error {
	s, err := r.currentSnapshot(ctx)
	if err != nil {
		return err
	}
	if s.shows(opener(step.Pick)) {
		return nil
	}
	return r.navigate(ctx, address)
}
