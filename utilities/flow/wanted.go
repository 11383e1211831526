package flow

import (
	"slices"

	"github.com/meterkey/meterkey/utilities"
)

// lookedFor collects every element and every text by which the flow recognises or finds something.
func lookedFor(f *utilities.Flow) ([]utilities.Element, []string) {
	w := &wanted{}
	for _, step := range f.SignIn.Steps {
		w.targets(step.Target())
	}
	w.marks(f.NoAccounts...)
	for _, marks := range f.Pages {
		w.marks(marks...)
	}
	for _, nag := range f.Nags {
		w.targets(nag.Press)
		if nag.When != nil {
			w.marks(*nag.When)
		}
	}
	for _, entry := range []*utilities.Entry{f.Code, f.Question} {
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
	elements []utilities.Element
	texts    []string
}

func (w *wanted) targets(targets ...utilities.Target) {
	for _, target := range targets {
		for _, element := range target {
			if !slices.Contains(w.elements, element) {
				w.elements = append(w.elements, element)
			}
		}
	}
}

func (w *wanted) marks(marks ...utilities.Mark) {
	for _, mark := range marks {
		w.targets(mark.Visible, mark.Hidden)
		for _, text := range mark.Text {
			if !slices.Contains(w.texts, text) {
				w.texts = append(w.texts, text)
			}
		}
	}
}
