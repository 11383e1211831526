package utilities

import (
	"fmt"
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

// prepare fills in what the file leaves to us.
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
	f.NoAccounts = marks.None
	return nil
}

// complete takes from the code's entry what the question's does not say itself.
func (e *Entry) complete(code *Entry) {
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
