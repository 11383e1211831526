package utilities

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Snapshot is what one look at a page found. Recognising works on snapshots alone.
type Snapshot struct {
	URL     string           // of the page, with the real origin
	Status  int              // HTTP status of the document; 0 when the browser does not say
	Docs    []string         // the documents of the page and of those frames that show something of the flow
	Loaded  bool             // the document has a body
	Seen    map[Element]Spot // what shows
	Says    map[string]bool  // which of the flow's texts stand on the page
	Answers []Received       // the site's JSON answers to what was asked since the latest act
	// Stale are the pages whose signs stood before the latest act and have stood ever since: no evidence of what came of it.
	Stale map[PageKind]bool
	// Beside are the pages that cannot be what came of the latest act: no code is refused where none was typed.
	Beside []PageKind
	// Dismissed are the nags that were pressed a moment ago and may need another to go.
	Dismissed []*Dismissal
}

// Spot says where an element stands: the frames to go through, then the nth match of a selector.
type Spot struct {
	Frames  []int
	CSS     string `json:"css"`
	Nth     int    `json:"nth"`
	Enabled bool   `json:"enabled"`
	Tag     string `json:"tag"`
}

// Received is one of the site's own JSON answers.
type Received struct {
	Name   string // as the flow calls it
	Status int    // HTTP status
	Body   string
}

// precedence decides between pages whose signs stand at the same time. What stops everything comes first, then what a site says
// about the latest act, then what lies over a page, then forms, and last being signed in: a login form may stay visible under a
// message, a dashboard's address may stay while a form covers it. A code form comes before a choice, because a site that already
// asks for the code has sent it.
var precedence = []PageKind{
	Captcha, Unavailable, Locked, PasswordExpired, RegistrationUnfinished, RejectedCode, RejectedLogin, SessionEnded,
	Nag, QuestionForm, CodeForm, ChoiceForm, SignedIn, LoginForm,
}

// passing are the pages that prove something only when they are new: messages and forms that may still stand from before.
var passing = []PageKind{
	Locked, PasswordExpired, RegistrationUnfinished, RejectedCode, RejectedLogin, SessionEnded,
	QuestionForm, CodeForm, ChoiceForm, LoginForm,
}

// recognise says which page a snapshot shows, going by fresh evidence only. A document still without a body shows nothing yet.
func recognise(f *Flow, s Snapshot) PageKind {
	if !s.Loaded {
		if f.implied(Unavailable, s) {
			return Unavailable
		}
		return Unknown
	}
	for _, kind := range precedence {
		if !slices.Contains(s.Beside, kind) && f.holds(kind, s, s.Stale[kind]) {
			return kind
		}
	}
	return Unknown
}

// standing returns the passing pages whose signs stand on the page itself, whatever its answers said.
func (f *Flow) standing(s Snapshot) map[PageKind]bool {
	s.Answers = nil
	found := map[PageKind]bool{}
	for _, kind := range passing {
		if f.holds(kind, s, false) {
			found[kind] = true
		}
	}
	return found
}

// holds says whether a page's signs stand; with freshOnly, only those count that an answer gave.
func (f *Flow) holds(kind PageKind, s Snapshot, freshOnly bool) bool {
	for _, mark := range f.Pages[kind] {
		if (!freshOnly || mark.Answer != "") && mark.holds(s) {
			return true
		}
	}
	return !freshOnly && f.implied(kind, s)
}

// implied are the signs that need no mark: a form is there when what it is filled in with shows.
func (f *Flow) implied(kind PageKind, s Snapshot) bool {
	switch kind {
	case Unavailable:
		return s.Status >= 500 || s.Status == 429 || strings.HasPrefix(s.URL, "chrome-error:")
	case Nag:
		return f.nag(s) != nil
	case LoginForm:
		return slices.ContainsFunc(f.SignIn.Steps, func(step Step) bool { return step.Type != "" && s.shows(step.Into) })
	case CodeForm:
		return f.Code != nil && s.shows(f.Code.Field)
	case QuestionForm:
		return f.Question != nil && f.Question.ownField && s.shows(f.Question.Field)
	case ChoiceForm:
		return f.Choice != nil && s.shows(f.Choice.Options)
	}
	return false
}

// nag returns what is in the way and can be dismissed, or nil.
func (f *Flow) nag(s Snapshot) *Dismissal {
	for i, nag := range f.Nags {
		if !slices.Contains(s.Dismissed, &f.Nags[i]) && s.shows(nag.Press) && (nag.When == nil || nag.When.holds(s)) {
			return &f.Nags[i]
		}
	}
	return nil
}

func (m Mark) holds(s Snapshot) bool {
	return (m.url == nil || m.url.MatchString(s.URL)) &&
		(len(m.Visible) == 0 || s.shows(m.Visible)) &&
		(len(m.Hidden) == 0 || !s.shows(m.Hidden)) &&
		(len(m.Text) == 0 || slices.ContainsFunc(m.Text, func(text string) bool { return s.Says[fold(text)] })) &&
		(m.Answer == "" || slices.ContainsFunc(s.Answers, m.answeredBy))
}

func (m Mark) answeredBy(r Received) bool {
	if r.Name != m.Answer || m.Status != 0 && r.Status != m.Status {
		return false
	}
	for path, check := range m.Where {
		if !check.holds(gjson.Get(r.Body, path)) {
			return false
		}
	}
	return true
}

func (s Snapshot) shows(t Target) bool {
	_, ok := s.spot(t)
	return ok
}

// spot returns where the first showing element of a target stands.
func (s Snapshot) spot(t Target) (Spot, bool) {
	for _, element := range t {
		if spot, ok := s.Seen[element]; ok {
			return spot, true
		}
	}
	return Spot{}, false
}

// pressable returns the first element of a target that shows and can be pressed.
func (s Snapshot) pressable(t Target) (Target, bool) {
	for _, element := range t {
		if spot, ok := s.Seen[element]; ok && spot.Enabled {
			return Target{element}, true
		}
	}
	return nil, false
}

// fold brings a text to the form in which texts are compared.
func fold(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }
