package utilities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/playwright-community/playwright-go"
	"go.uber.org/zap"
)

// open goes to an address of the real site. A site that does not answer is a page (unavailable), not an error.
func (v *Visit) open(ctx context.Context, address string) (PageKind, error) {
	v.acting = true
	there, err := v.origins.replace(address)
	if err != nil {
		return "", err
	}
	page, err := v.current()
	if err != nil {
		return "", v.fault("opening "+address, err)
	}
	v.before = before{}
	v.wire.nextTurn()
	_, err = within(ctx, v.flow.RenderWait+callWait, func() (playwright.Response, error) {
		return page.Goto(there, playwright.PageGotoOptions{
			WaitUntil: playwright.WaitUntilStateCommit, Timeout: playwright.Float(float64(v.flow.RenderWait.Milliseconds())),
		})
	})
	switch {
	case err == nil || strings.Contains(err.Error(), "interrupted by another navigation"):
		return "", nil
	case isGone(err) || isStopped(err) || errors.Is(err, ErrPageGone):
		return "", v.fault("opening "+address, err)
	}
	v.log.Info("the site does not answer", zap.String("address", address))
	return Unavailable, nil
}

// reach waits until a target shows, dismissing what is in the way. Where another page appears than those on which the target is to be
// found, it returns that page's Sight instead of a Spot: what matches there is something else.
func (v *Visit) reach(ctx context.Context, target Target, on ...PageKind) (Spot, *Sight, error) {
	w := v.watch(v.flow.RenderWait)
	for {
		s, err := w.look(ctx)
		if err != nil {
			return Spot{}, nil, err
		}
		kind := recognise(v.flow, s)
		spot, shows := s.spot(target)
		switch {
		case kind == Nag:
			if err := w.dismiss(ctx, s); err != nil {
				return Spot{}, nil, err
			}
		case kind != Unknown && !slices.Contains(on, kind):
			sight, err := v.doubtfulSight(ctx, kind, kind == LoginForm, s)
			return Spot{}, &sight, err
		case shows:
			return spot, nil, nil
		case w.over():
			sight, err := v.doubtfulSight(ctx, w.unknown(s), true, s)
			return Spot{}, &sight, err
		}
		if err := tick(ctx, poll); err != nil {
			return Spot{}, nil, err
		}
	}
}

func (v *Visit) locator(spot Spot) (playwright.Locator, error) {
	page, err := v.current()
	if err != nil {
		return nil, err
	}
	return locate(page, spot.Frames, spot.CSS).Nth(spot.Nth), nil
}

// press clicks with the mouse, or picks an entry of a drop-down list. A click that was made counts as made, whatever came of the
// navigation that it began.
func (v *Visit) press(ctx context.Context, spot Spot) error {
	locator, err := v.locator(spot)
	if err != nil {
		return err
	}
	_, err = toTheEnd(ctx, clickWait+callWait, func() (any, error) {
		if spot.Tag == "OPTION" {
			return nil, pickOption(locator)
		}
		return nil, locator.Click(playwright.LocatorClickOptions{Timeout: playwright.Float(float64(clickWait.Milliseconds()))})
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

// pressTarget reaches a target and presses it. Where something lies over it, Escape is pressed, what can be dismissed is, and the
// press is tried once more; a press that was made is never repeated.
func (v *Visit) pressTarget(ctx context.Context, target Target, on ...PageKind) (*Sight, error) {
	for attempt := 0; ; attempt++ {
		spot, sight, err := v.reach(ctx, target, on...)
		if err != nil || sight != nil {
			return sight, err
		}
		err = v.press(ctx, spot)
		if err == nil {
			return nil, nil
		}
		if attempt > 0 || !errors.Is(err, playwright.ErrTimeout) {
			return nil, v.fault("pressing "+spot.CSS, err)
		}
		if err := v.escape(ctx); err != nil {
			return nil, v.fault("pressing Escape", err)
		}
	}
}

// escape closes a menu or an overlay that is open.
func (v *Visit) escape(ctx context.Context) error {
	page, err := v.current()
	if err != nil {
		return err
	}
	_, err = within(ctx, callWait, func() (any, error) { return nil, page.Keyboard().Press("Escape") })
	return err
}

// keys types a text into a field, key by key, and leaves the field with Tab, as a person does. What goes wrong after the first key
// is not an error but for the page to tell: a form may submit itself, and nothing is typed twice.
func (v *Visit) keys(ctx context.Context, spot Spot, text string) error {
	page, err := v.current()
	if err != nil {
		return err
	}
	field := locate(page, spot.Frames, spot.CSS).Nth(spot.Nth)
	if _, err := toTheEnd(ctx, 2*callWait, func() (any, error) { return nil, emptied(field) }); err != nil {
		return err
	}
	_, err = toTheEnd(ctx, v.flow.RenderWait, func() (any, error) {
		if err := field.PressSequentially(text); err != nil {
			return nil, err
		}
		return nil, page.Keyboard().Press("Tab")
	})
	if err != nil && (isGone(err) || isStopped(err)) {
		return err
	}
	if err != nil {
		v.log.Info("typing was interrupted by the page", zap.String("field", spot.CSS))
	}
	return nil
}

// emptied puts the caret into a field and takes out what the site or an earlier try left there.
func emptied(field playwright.Locator) error {
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
