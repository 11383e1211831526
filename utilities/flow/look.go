package flow

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/playwright-community/playwright-go"

	"github.com/meterkey/meterkey/utilities"
)

//go:embed page.js
var pageScript string

// locator finds elements by plain selector, through frames.
func locator(page playwright.Page, frames []int, css string) playwright.Locator {
	css = "css:light=" + css
	if len(frames) == 0 {
		return page.Locator(css)
	}
	const inner = "css:light=iframe, frame"
	frame := page.Locator(inner).Nth(frames[0]).ContentFrame()
	for _, nth := range frames[1:] {
		frame = frame.Locator(inner).Nth(nth).ContentFrame()
	}
	return frame.Locator(css)
}

// evaluate calls one of page.js's functions in a frame and reads what it returns into result.
func (r *Run) evaluate(ctx context.Context, frames []int, call map[string]any, result any) error {
	return r.evaluateWithin(ctx, callWait, frames, call, result)
}

func (r *Run) evaluateWithin(ctx context.Context, limit time.Duration, frames []int, call map[string]any, result any) error {
	page, err := r.current()
	if err != nil {
		return err
	}
	argument, err := json.Marshal(call)
	if err != nil {
		return err
	}
	returned, err := within(ctx, limit, func() (any, error) {
		return locator(page, frames, "html").EvaluateAll(pageScript, string(argument))
	})
	if err != nil {
		return err
	}
	text, ok := returned.(string)
	if !ok {
		return errUnresponsive // the document went before it could return anything
	}
	return json.Unmarshal([]byte(text), result)
}

// frameView is what page.js tells of one frame.
type frameView struct {
	URL      string      `json:"url"`
	Document string      `json:"document"`
	Status   int         `json:"status"`
	Loaded   bool        `json:"loaded"`
	Visible  []*location `json:"visible"` // of the elements looked for, in their order; nil for one that does not show
	Texts    []bool      `json:"texts"`   // likewise
	Frames   []int       `json:"frames"`
	Invalid  []string    `json:"invalid"` // selectors that are none
}

// takeSnapshot looks at the page once, and at the frames that show in it.
func (r *Run) takeSnapshot(ctx context.Context) (snapshot, error) {
	s := snapshot{visible: map[utilities.Element]location{}, texts: map[string]bool{}}
	call := map[string]any{"do": "look", "elements": selectors(r.elements), "texts": r.texts}
	if err := r.lookInto(ctx, nil, call, &s); err != nil {
		return snapshot{}, err
	}
	if err := r.traffic.waitForBodies(ctx); err != nil {
		return snapshot{}, err
	}
	s.answers = r.traffic.read()
	return s, nil
}

const maxFrameDepth = 3 // frames within frames

func (r *Run) lookInto(ctx context.Context, frames []int, call map[string]any, s *snapshot) error {
	var view frameView
	if err := r.evaluate(ctx, frames, call, &view); err != nil {
		if len(frames) > 0 && isTransient(err) {
			return nil // a frame that goes away while it is looked at shows nothing
		}
		return err
	}
	if len(view.Invalid) > 0 {
		return fmt.Errorf("not a selector: %s", strings.Join(view.Invalid, " and "))
	}
	r.merge(s, frames, view)
	if len(frames) == maxFrameDepth {
		return nil
	}
	for _, nth := range view.Frames {
		if err := r.lookInto(ctx, append(append([]int{}, frames...), nth), call, s); err != nil {
			return err
		}
	}
	return nil
}

// merge adds what a frame shows. What the page itself shows comes first.
func (r *Run) merge(s *snapshot, frames []int, view frameView) {
	something := len(frames) == 0
	if something {
		s.url, s.status, s.loaded = r.origins.Real(view.URL), view.Status, view.Loaded
	}
	for i, at := range view.Visible {
		element := r.elements[i]
		if _, already := s.visible[element]; at != nil && !already {
			at.Frames = frames
			s.visible[element] = *at
			something = true
		}
	}
	for i, stands := range view.Texts {
		if stands {
			s.texts[r.texts[i]] = true
			something = true
		}
	}
	if something {
		s.documents = append(s.documents, view.Document)
	}
}

// selectors is how page.js wants its elements.
func selectors(elements []utilities.Element) []map[string]string {
	list := make([]map[string]string, len(elements))
	for i, e := range elements {
		list[i] = map[string]string{"css": e.CSS, "says": e.Says}
	}
	return list
}

// currentSnapshot takes a snapshot, trying again while the page is on its way elsewhere.
func (r *Run) currentSnapshot(ctx context.Context) (snapshot, error) {
	deadline := time.Now().Add(r.flow.RenderWait)
	for {
		s, err := r.takeSnapshot(ctx)
		if err == nil || !isTransient(err) || time.Now().After(deadline) {
			return s, r.wrap("looking at the page", err)
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return snapshot{}, r.wrap("looking at the page", err)
		}
	}
}

func isStopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
