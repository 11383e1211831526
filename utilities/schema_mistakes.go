package utilities

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemaMistakes turns the validator's tree into one mistake a field, in the order of the file's lines.
func (d *document) schemaMistakes(invalid *jsonschema.ValidationError) error {
	var found []*Mistake
	for _, leaf := range leaves(invalid) {
		for _, m := range d.leafMistakes(leaf) {
			if !slices.ContainsFunc(found, func(o *Mistake) bool { return *o == *m }) {
				found = append(found, m)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *Mistake) int { return cmp.Compare(a.Line, b.Line) })
	joined := make([]error, len(found))
	for i, m := range found {
		joined[i] = m
	}
	return errors.Join(joined...)
}

// leaves are the causes that say something. Where a field may have several forms, only the form that comes nearest speaks.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	if isChoice(e) {
		return nearestForm(e)
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

func isChoice(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return true
	}
	return false
}

func nearestForm(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	for _, cause := range e.Causes {
		inner := leaves(cause)
		wrongForm := slices.ContainsFunc(inner, func(leaf *jsonschema.ValidationError) bool {
			_, isType := leaf.ErrorKind.(*kind.Type)
			return isType && len(leaf.InstanceLocation) == len(e.InstanceLocation)
		})
		if !wrongForm {
			return inner
		}
	}
	return []*jsonschema.ValidationError{e}
}

func (d *document) leafMistakes(leaf *jsonschema.ValidationError) []*Mistake {
	path := leaf.InstanceLocation
	switch k := leaf.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return d.each(path, k.Properties, "is not a known field")
	case *kind.Required:
		return d.each(path, k.Missing, "is missing")
	}
	return []*Mistake{d.asMistake(problemOf(leaf), path)}
}

func (d *document) each(path, keys []string, problem string) []*Mistake {
	var all []*Mistake
	for _, key := range keys {
		all = append(all, d.asMistake(problem, append(slices.Clone(path), key)))
	}
	return all
}

func (d *document) asMistake(problem string, path []string) *Mistake {
	var m *Mistake
	errors.As(d.mistake(problem, path...), &m)
	return m
}

// problemOf says in few words what a field should have been.
func problemOf(leaf *jsonschema.ValidationError) string {
	switch k := leaf.ErrorKind.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, not %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		return fmt.Sprintf("is %v; must be one of %s", k.Got, listed(k.Want))
	case *kind.Pattern:
		return fmt.Sprintf("%q does not have the right form (%s)", k.Got, k.Want)
	case *kind.MinItems, *kind.MinProperties, *kind.MinLength:
		return "must not be empty"
	case *kind.PropertyNames:
		return fmt.Sprintf("%q is not a known name", k.Property)
	case *kind.AnyOf, *kind.OneOf:
		return "has none of the forms it may have; see the schema"
	}
	return leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

func listed(values []any) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = fmt.Sprint(value)
	}
	return strings.Join(texts, ", ")
}
