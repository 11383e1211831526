package utilities

import (
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

const (
	defaultRenderWait = 45 * time.Second
	defaultSettle     = 3 * time.Second
	defaultTries      = 3
)

// oneTimeCode is the field that asks the browser for a one-time code, whatever the site calls it.
var oneTimeCode = Element{CSS: `input[autocomplete="one-time-code"]`}

// prepare fills in what the file leaves to us, and lists what each look at a page has to look for.
func (f *Flow) prepare() error {
	if f.RenderWait == 0 {
		f.RenderWait = defaultRenderWait
	}
	if f.Settle == 0 {
		f.Settle = defaultSettle
	}
	if f.Code != nil {
		f.Code.Field = append(f.Code.Field, oneTimeCode)
		if f.Code.Tries == 0 {
			f.Code.Tries = defaultTries
		}
	}
	if f.Question != nil {
		f.Question.complete(f.Code)
	}
	marks, err := everywhere()
	if err != nil {
		return err
	}
	if f.Pages == nil {
		f.Pages = map[PageKind][]Mark{}
	}
	for kind, more := range marks.Pages {
		f.Pages[kind] = append(f.Pages[kind], more...)
	}
	f.none = marks.None
	f.wanted, f.texts = f.lookedFor()
	return nil
}

// complete takes from the code's entry what the question's does not say itself.
func (e *Entry) complete(code *Entry) {
	e.ownField = len(e.Field) > 0
	if code == nil {
		return
	}
	for own, other := range map[*Target]Target{
		&e.Field: code.Field, &e.Submit: code.Submit, &e.Prompt: code.Prompt, &e.SentTo: code.SentTo, &e.SendAgain: code.SendAgain,
	} {
		if len(*own) == 0 {
			*own = other
		}
	}
	if e.PromptFrom == nil {
		e.PromptFrom = code.PromptFrom
	}
	if e.Tries == 0 {
		e.Tries = code.Tries
	}
}

// lookedFor collects every element and every text by which the flow recognises or finds something.
func (f *Flow) lookedFor() ([]Element, []string) {
	w := &wanted{}
	for _, step := range f.SignIn.Steps {
		w.targets(step.target())
	}
	w.marks(f.none...)
	for _, marks := range f.Pages {
		w.marks(marks...)
	}
	for _, nag := range f.Nags {
		w.targets(nag.Press)
		if nag.When != nil {
			w.marks(*nag.When)
		}
	}
	for _, entry := range []*Entry{f.Code, f.Question} {
		if entry != nil {
			w.targets(entry.Field, entry.Submit, entry.Prompt, entry.SentTo, entry.SendAgain)
		}
	}
	if f.Choice != nil {
		w.targets(f.Choice.Options, f.Choice.Submit)
	}
	for _, step := range f.Meters.Read {
		w.targets(step.Press, step.Rows, step.Next, step.After)
		w.marks(step.None...)
		if step.Pick != nil {
			w.targets(step.Pick.List, step.Pick.Options, step.Pick.Submit)
		}
	}
	return w.elements, w.texts
}

type wanted struct {
	elements []Element
	texts    []string
}

func (w *wanted) targets(targets ...Target) {
	for _, target := range targets {
		for _, element := range target {
			if !slices.Contains(w.elements, element) {
				w.elements = append(w.elements, element)
			}
		}
	}
}

func (w *wanted) marks(marks ...Mark) {
	for _, mark := range marks {
		w.targets(mark.Visible, mark.Hidden)
		for _, text := range mark.Text {
			if !slices.Contains(w.texts, fold(text)) {
				w.texts = append(w.texts, fold(text))
			}
		}
	}
}

// common are the marks that many sites share.
type common struct {
	Pages map[PageKind][]Mark `yaml:"pages"`
	None  []Mark              `yaml:"none"`
}

// everywhere returns the marks that are added to those of every file.
func everywhere() (common, error) {
	var marks common
	data, err := embedded.ReadFile("shared/everywhere.yaml")
	if err != nil {
		return marks, fmt.Errorf("reading the marks found everywhere: %w", err)
	}
	if err := yaml.Unmarshal(data, &marks); err != nil {
		return marks, fmt.Errorf("reading the marks found everywhere: %w", err)
	}
	return marks, nil
}
