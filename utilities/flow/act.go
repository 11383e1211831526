package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/utilities"
)

// open goes to an address of the real site. A site that does not answer is a page (unavailable) at which it stops.
func (r *Run) open(ctx context.Context, address string) error {
	r.acting = true
	there, err := r.origins.Replace(address)
	if err != nil {
		return err
	}
	page, err := r.current()
	if err != nil {
		return r.wrap("opening "+address, err)
	}
	r.baseline = baseline{}
	r.traffic.nextAct()
	_, err = within(ctx, r.flow.RenderWait+callWait, func() (playwright.Response, error) {
		return page.Goto(there, playwright.PageGotoOptions{
			WaitUntil: playwright.WaitUntilStateCommit, Timeout: playwright.Float(float64(r.flow.RenderWait.Milliseconds())),
		})
	})
	switch {
	case err == nil || strings.Contains(err.Error(), "interrupted by another navigation"):
		return nil
	case isGone(err) || isStopped(err) || errors.Is(err, ErrPageGone):
		return r.wrap("opening "+address, err)
	}
	r.log.Info("the site does not answer", zap.String("address", address))
	return &stop{Observation{Page: utilities.Unavailable, Typed: r.typed}}
}

// reach waits until a target shows, dismissing what is in the way. It stops where another page appears than those on which the
// target is to be found: what matches there is something else.
func (r *Run) reach(ctx context.Context, target utilities.Target, on ...utilities.PageKind) (location, error) {
	w := r.watch(r.flow.RenderWait)
	for {
		s, err := w.next(ctx)
		if err != nil {
			return location{}, err
		}
		kind := r.flow.recognise(s)
		at, shows := s.locate(target)
		switch {
		case kind == utilities.Nag:
			if err := w.dismiss(ctx, s); err != nil {
				return location{}, err
			}
		case kind != utilities.Unknown && !slices.Contains(on, kind):
			return location{}, r.stopAt(ctx, kind, kind == utilities.LoginForm, s)
		case shows:
			return at, nil
		case w.over():
			return location{}, r.stopAt(ctx, w.unknown(s), true, s)
		}
	}
}

// stopAt tells what page stands in the way.
func (r *Run) stopAt(ctx context.Context, kind utilities.PageKind, inferred bool, s snapshot) error {
	seen, err := r.observe(ctx, kind, inferred, s)
	if err != nil {
		return err
	}
	return &stop{seen}
}

func (r *Run) locator(at location) (playwright.Locator, error) {
	page, err := r.current()
	if err != nil {
		return nil, err
	}
	return locator(page, at.Frames, at.CSS).Nth(at.Nth), nil
}

// press clicks with the mouse, or picks an entry of a drop-down list. A click that was made counts as made, whatever came of the
// navigation that it began.
func (r *Run) press(ctx context.Context, at location) error {
	element, err := r.locator(at)
	if err != nil {
		return err
	}
	_, err = uninterrupted(ctx, clickWait+callWait, func() (any, error) {
		if at.Tag == "OPTION" {
			return nil, pickOption(element)
		}
		return nil, element.Click(playwright.LocatorClickOptions{Timeout: playwright.Float(float64(clickWait.Milliseconds()))})
	})
	if err != nil && strings.Contains(err.Error(), "performing click action") && !isGone(err) {
		return nil
	}
	return err
}

// pickOption chooses an <option> in its <select>. EvaluateAll, because Evaluate would wait for the option to be visible, which it is only
// while the list is open.
func pickOption(option playwright.Locator) error {
	value, err := option.EvaluateAll("options => options.map(o => o.value).join()")
	if err != nil {
		return err
	}
	_, err = option.Locator("xpath=ancestor::select").SelectOption(
		playwright.SelectOptionValues{Values: &[]string{fmt.Sprint(value)}},
		playwright.LocatorSelectOptionOptions{Timeout: playwright.Float(float64(clickWait.Milliseconds()))},
	)
	return err
}

// pressTarget reaches a target and presses it; without a target there is nothing to press. Where something lies over it, Escape is
// pressed, what can be dismissed is, and the press is tried once more; a press that was made is never repeated.
func (r *Run) pressTarget(ctx context.Context, target utilities.Target, on ...utilities.PageKind) error {
	for attempt := 0; len(target) > 0; attempt++ {
		at, err := r.reach(ctx, target, on...)
		if err != nil {
			return err
		}
		err = r.press(ctx, at)
		if err == nil {
			return nil
		}
		if attempt > 0 || !errors.Is(err, playwright.ErrTimeout) {
			return r.wrap("pressing "+at.CSS, err)
		}
		if err := r.escape(ctx); err != nil {
			return r.wrap("pressing Escape", err)
		}
	}
	return nil
}

// escape closes a menu or an overlay that is open.
func (r *Run) escape(ctx context.Context) error {
	page, err := r.current()
	if err != nil {
		return err
	}
	_, err = within(ctx, callWait, func() (any, error) { return nil, page.Keyboard().Press("Escape") })
	return err
}

// typeText types a text into a field, key by key, and leaves the field with Tab, as a person does. What goes wrong after the first key
// is not an error but for the page to tell: a form may submit itself, and nothing is typed twice.
func (r *Run) typeText(ctx context.Context, at location, text string) error {
	page, err := r.current()
	if err != nil {
		return err
	}
	field := locator(page, at.Frames, at.CSS).Nth(at.Nth)
	if _, err := uninterrupted(ctx, 2*callWait, func() (any, error) { return nil, clearField(field) }); err != nil {
		return err
	}
	_, err = uninterrupted(ctx, typeWait, func() (any, error) {
		if err := field.PressSequentially(text); err != nil {
			return nil, err
		}
		return nil, page.Keyboard().Press("Tab")
	})
	if err != nil && (isGone(err) || isStopped(err)) {
		return err
	}
	if err != nil {
		r.log.Info("typing was interrupted by the page", zap.String("field", at.CSS))
	}
	return nil
}

// clearField puts the caret into a field and takes out what the site or an earlier try left there.
func clearField(field playwright.Locator) error {
	bound := playwright.Float(float64(callWait.Milliseconds()))
	if err := field.Focus(playwright.LocatorFocusOptions{Timeout: bound}); err != nil {
		return err
	}
	left, err := field.InputValue(playwright.LocatorInputValueOptions{Timeout: bound})
	if err != nil || left == "" {
		return err
	}
	for _, key := range []string{"ControlOrMeta+a", "Delete"} {
		if err := field.Press(key, playwright.LocatorPressOptions{Timeout: bound}); err != nil {
			return err
		}
	}
	return nil
}
