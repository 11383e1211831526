package utilities

import (
	"errors"
	"strings"
)

// Element is one way to find something on a page: by CSS selector and, where that is not enough, by the words it shows.
type Element struct {
	CSS  string `yaml:"css"`
	Says string `yaml:"says"` // part of its text, whatever the case
}

// Target names something on a page by one or more elements; the first that shows is meant.
type Target []Element

// UnmarshalYAML accepts a selector, an element, or a list of either.
func (t *Target) UnmarshalYAML(decode func(any) error) error {
	var list []oneElement
	if err := decode(&list); err == nil {
		for _, e := range list {
			*t = append(*t, Element(e))
		}
		return nil
	}
	var one oneElement
	if err := decode(&one); err != nil {
		return err
	}
	*t = Target{Element(one)}
	return nil
}

type oneElement Element

func (e *oneElement) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&e.CSS); err == nil {
		return nil
	}
	var full Element
	if err := decode(&full); err != nil {
		return errors.New("expected a selector, or css and says")
	}
	*e = oneElement(full)
	return nil
}

// String is how an element is shown to people.
func (e Element) String() string {
	if e.Says == "" {
		return e.CSS
	}
	return e.CSS + " saying " + e.Says
}

// String is how a target is shown to people.
func (t Target) String() string {
	texts := make([]string, len(t))
	for i, element := range t {
		texts[i] = element.String()
	}
	return strings.Join(texts, " or ")
}
