package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/playwright-community/playwright-go"
)

// A focused input blinks its caret for ever, which costs more than all else a waiting window does. So the focus is taken away and
// its place kept in the record rather than in the page, where the site's scripts could see it.
const parkedNote = "browser.parked"

// blurScript takes the focus away and returns the way to where it was: child numbers from the document down, -1 where
// the way enters a shadow root; or null if nothing was focused.
const blurScript = `() => {
	let focused = document.activeElement
	while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement
	if (!focused || focused === document.body || focused === document.documentElement) return null
	const way = []
	for (let node = focused; node !== document; node = node.parentNode ?? node.host) {
		way.unshift(node.parentNode ? [...node.parentNode.children].indexOf(node) : -1)
	}
	focused.blur()
	return way
}`

const focusScript = `way => {
	let node = document
	for (const step of way) node = step < 0 ? node?.shadowRoot : node?.children?.[step]
	node?.focus?.()
}`

// Park takes the focus from the window's page, in every frame, so that waiting costs next to nothing.
func (w *Window) Park(ctx context.Context) error {
	var parked map[int]any
	err := Do(ctx, func() error {
		var err error
		parked, err = blur(w.Page())
		return err
	})
	if err != nil {
		return fmt.Errorf("parking window %s: %w", w.id, err)
	}
	if len(parked) == 0 {
		return nil // nothing had the focus: what an earlier call noted stays
	}
	note, err := json.Marshal(parked)
	if err != nil {
		return fmt.Errorf("parking window %s: %w", w.id, err)
	}
	return w.Note(parkedNote, string(note))
}

// blur returns, by the frame's number, the ways to what was focused. Inner frames come first: a frame element that loses the focus
// takes it from all inside.
func blur(page playwright.Page) (map[int]any, error) {
	parked := map[int]any{}
	for i, frame := range slices.Backward(page.Frames()) {
		way, err := frame.Evaluate(blurScript)
		if err != nil {
			return nil, err
		}
		if way != nil {
			parked[i] = way
		}
	}
	return parked, nil
}

// Unpark gives the focus back to what had it when the window was parked, as far as that is still there.
func (w *Window) Unpark(ctx context.Context) error {
	note := w.Noted(parkedNote)
	if note == "" {
		return nil
	}
	var parked map[int]any
	if err := json.Unmarshal([]byte(note), &parked); err != nil {
		return fmt.Errorf("unparking window %s: %w", w.id, err)
	}
	if err := Do(ctx, func() error { return focus(w.Page(), parked) }); err != nil {
		return fmt.Errorf("unparking window %s: %w", w.id, err)
	}
	return w.Note(parkedNote, "")
}

func focus(page playwright.Page, parked map[int]any) error {
	for i, frame := range page.Frames() {
		way, ok := parked[i]
		if !ok {
			continue
		}
		if _, err := frame.Evaluate(focusScript, way); err != nil {
			return err
		}
	}
	return nil
}
