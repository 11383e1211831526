package browser

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// target is what the browser says of a page. The JSON names are the DevTools protocol's.
type target struct {
	ID        string `json:"targetId"`
	Type      string `json:"type"`
	Subtype   string `json:"subtype"`
	ContextID string `json:"browserContextId"`

	crashed bool
	seen    int
}

// isPage tells pages that a person could look at from workers, frames and pages rendered in advance.
func (t target) isPage() bool {
	return t.Type == "page" && t.Subtype == ""
}

// targets follows which pages exist, told by the browser's events.
type targets struct {
	changed *broadcast

	mu   sync.Mutex
	byID map[string]target
	seen int
}

func newTargets(changed *broadcast) *targets {
	return &targets{changed: changed, byID: map[string]target{}}
}

// discover asks the browser for events; when it returns, all pages that exist are known.
func (t *targets) discover(ctx context.Context, w *cdpConn) error {
	return w.call(ctx, "", "Target.setDiscoverTargets", map[string]any{"discover": true}, nil)
}

func (t *targets) onEvent(method string, params json.RawMessage) {
	var event struct {
		Info     target `json:"targetInfo"`
		TargetID string `json:"targetId"`
	}
	if json.Unmarshal(params, &event) != nil {
		return
	}
	switch method {
	case "Target.targetCreated", "Target.targetInfoChanged":
		t.put(event.Info)
	case "Target.targetDestroyed":
		t.remove(event.TargetID)
	case "Target.targetCrashed":
		t.crash(event.TargetID)
	default:
		return
	}
	t.changed.fire()
}

func (t *targets) put(info target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.byID[info.ID]
	if !ok {
		t.seen++
		known.seen = t.seen
	}
	info.seen, info.crashed = known.seen, known.crashed
	t.byID[info.ID] = info
}

func (t *targets) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

func (t *targets) crash(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.byID[id]; ok {
		known.crashed = true
		t.byID[id] = known
	}
}

// pages returns the pages of one window, or of all for "", in the order in which they were first seen.
func (t *targets) pages(contextID string) []target {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []target
	for _, known := range t.byID {
		if known.isPage() && (contextID == "" || known.ContextID == contextID) {
			found = append(found, known)
		}
	}
	slices.SortFunc(found, func(a, b target) int { return a.seen - b.seen })
	return found
}

// inOrder sorts a window's open pages, oldest first. Those noted in its record come first and in the record's order: a page that
// is not noted yet is newer than all that are.
func inOrder(noted []string, open []target) []string {
	var order []string
	for _, id := range noted {
		if slices.ContainsFunc(open, func(t target) bool { return t.ID == id }) {
			order = append(order, id)
		}
	}
	for _, t := range open {
		if !slices.Contains(order, t.ID) {
			order = append(order, t.ID)
		}
	}
	return order
}
