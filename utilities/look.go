package utilities

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/playwright-community/playwright-go"
)

//go:embed page.js
var pageScript string

// locate finds elements by plain selector, through frames.
func locate(page playwright.Page, frames []int, css string) playwright.Locator {
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

// ask runs one of page.js's questions in a frame and reads its answer into result.
func (v *Visit) ask(ctx context.Context, frames []int, question map[string]any, result any) error {
	return v.askFor(ctx, callWait, frames, question, result)
}

func (v *Visit) askFor(ctx context.Context, limit time.Duration, frames []int, question map[string]any, result any) error {
	page, err := v.current()
	if err != nil {
		return err
	}
	asking, err := json.Marshal(question)
	if err != nil {
		return err
	}
	answer, err := within(ctx, limit, func() (any, error) {
		return locate(page, frames, "html").EvaluateAll(pageScript, string(asking))
	})
	if err != nil {
		return err
	}
	text, ok := answer.(string)
	if !ok {
		return errBusy // the document went before it could answer
	}
	return json.Unmarshal([]byte(text), result)
}

// glimpse is what page.js tells of one frame.
type glimpse struct {
	URL    string   `json:"url"`
	Doc    string   `json:"doc"`
	Status int      `json:"status"`
	Loaded bool     `json:"loaded"`
	Seen   []*Spot  `json:"seen"`
	Says   []bool   `json:"says"`
	Frames []int    `json:"frames"`
	Bad    []string `json:"bad"`
}

// look takes one snapshot of the page and the frames that show in it.
func (v *Visit) look(ctx context.Context) (Snapshot, error) {
	s := Snapshot{Seen: map[Element]Spot{}, Says: map[string]bool{}}
	question := map[string]any{"do": "look", "elements": asked(v.flow.wanted), "texts": v.flow.texts}
	if err := v.lookInto(ctx, nil, question, &s); err != nil {
		return Snapshot{}, err
	}
	if err := v.wire.catchUp(ctx); err != nil {
		return Snapshot{}, err
	}
	s.Answers = v.wire.answers()
	return s, nil
}

const deepest = 3 // frames within frames

func (v *Visit) lookInto(ctx context.Context, frames []int, question map[string]any, s *Snapshot) error {
	var g glimpse
	if err := v.ask(ctx, frames, question, &g); err != nil {
		if len(frames) > 0 && isPassing(err) {
			return nil // a frame that goes away while it is looked at shows nothing
		}
		return err
	}
	if len(g.Bad) > 0 {
		return fmt.Errorf("not a selector: %s", strings.Join(g.Bad, " and "))
	}
	v.merge(s, frames, g)
	if len(frames) == deepest {
		return nil
	}
	for _, nth := range g.Frames {
		if err := v.lookInto(ctx, append(append([]int{}, frames...), nth), question, s); err != nil {
			return err
		}
	}
	return nil
}

// merge adds what a frame shows. What the page itself shows comes first.
func (v *Visit) merge(s *Snapshot, frames []int, g glimpse) {
	something := len(frames) == 0
	if something {
		s.URL, s.Status, s.Loaded = v.origins.real(g.URL), g.Status, g.Loaded
	}
	for i, spot := range g.Seen {
		element := v.flow.wanted[i]
		if _, already := s.Seen[element]; spot != nil && !already {
			spot.Frames = frames
			s.Seen[element] = *spot
			something = true
		}
	}
	for i, says := range g.Says {
		if says {
			s.Says[v.flow.texts[i]] = true
			something = true
		}
	}
	if something {
		s.Docs = append(s.Docs, g.Doc)
	}
}

// asked is how page.js wants its elements.
func asked(elements []Element) []map[string]string {
	list := make([]map[string]string, len(elements))
	for i, e := range elements {
		list[i] = map[string]string{"css": e.CSS, "says": fold(e.Says)}
	}
	return list
}

// lookSoon takes a snapshot, trying again while the page is on its way elsewhere.
func (v *Visit) lookSoon(ctx context.Context) (Snapshot, error) {
	deadline := time.Now().Add(v.flow.RenderWait)
	for {
		s, err := v.look(ctx)
		if err == nil || !isPassing(err) || time.Now().After(deadline) {
			return s, err
		}
		if err := tick(ctx, poll); err != nil {
			return Snapshot{}, err
		}
	}
}

func isStopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
