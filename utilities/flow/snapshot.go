package flow

import "github.com/meterkey/meterkey/utilities"

// snapshot is what one look at a page found. Recognising works on snapshots alone.
type snapshot struct {
	url       string                         // of the page, with the real origin
	status    int                            // HTTP status of the document; 0 when the browser does not say
	documents []string                       // the documents of the page and of those frames that show something of the flow
	loaded    bool                           // the document has a body
	visible   map[utilities.Element]location // what shows
	texts     map[string]bool                // which of the flow's texts stand on the page
	answers   []answer                       // the site's JSON answers to what was asked since the latest act
	// stale are the pages whose signs stood before the latest act and have stood ever since: no evidence of what came of it.
	stale map[utilities.PageKind]bool
	// excluded are the pages that cannot be what came of the latest act: no code is refused where none was typed.
	excluded []utilities.PageKind
	// dismissed are the nags that were pressed a moment ago and may need another to go.
	dismissed []*utilities.Dismissal
}

// location says where an element stands: the frames to go through, then the nth match of a selector.
type location struct {
	Frames  []int  `json:"-"`
	CSS     string `json:"css"`
	Nth     int    `json:"nth"`
	Enabled bool   `json:"enabled"`
	Tag     string `json:"tag"`
}

// answer is one of the site's own JSON answers.
type answer struct {
	name   string // as the flow calls it
	status int    // HTTP status
	body   string
}

func (s snapshot) shows(t utilities.Target) bool {
	_, ok := s.locate(t)
	return ok
}

// locate returns where the first showing element of a target stands.
func (s snapshot) locate(t utilities.Target) (location, bool) {
	for _, element := range t {
		if at, ok := s.visible[element]; ok {
			return at, true
		}
	}
	return location{}, false
}

// pressable returns the first element of a target that shows and can be pressed.
func (s snapshot) pressable(t utilities.Target) (utilities.Target, bool) {
	for _, element := range t {
		if at, ok := s.visible[element]; ok && at.Enabled {
			return utilities.Target{element}, true
		}
	}
	return nil, false
}
