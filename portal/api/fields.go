package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/danielgtaylor/huma/v2"
)

// Fields is a body with the fields of T. Fields that T does not have are ignored, as UtilityAPI's clients may send some
// that mean nothing here, unless they look like a slip for one that T has.
type Fields[T any] struct {
	Value T
	slips map[string]string // what was written, and what was probably meant
}

// Schema implements huma.SchemaProvider.
func (Fields[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, reflect.TypeFor[T]().Name())
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *Fields[T]) UnmarshalJSON(data []byte) error {
	var written map[string]json.RawMessage
	if err := json.Unmarshal(data, &written); err != nil {
		return fmt.Errorf("reading the fields: %w", err)
	}
	f.slips = slips(slices.Collect(maps.Keys(written)), fieldNames(reflect.TypeFor[T]()))
	return json.Unmarshal(data, &f.Value)
}

// Resolve implements huma.ResolverWithPath: it names the slips.
func (f *Fields[T]) Resolve(_ huma.Context, place *huma.PathBuffer) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.slips)) {
		errs = append(errs, &huma.ErrorDetail{Location: place.With(name), Message: "there is no such field; did you mean " + f.slips[name] + "?"})
	}
	return errs
}

// slips finds the names that are nearly one of the known ones, which was not written itself, and those that differ from
// one in their case alone: the decoder would take them for it, unchecked.
func slips(written, known []string) map[string]string {
	found := map[string]string{}
	for _, name := range written {
		if slices.Contains(known, name) {
			continue
		}
		for _, meant := range known {
			near := len(name) < 64 && levenshtein.ComputeDistance(strings.ToLower(name), meant) <= 2
			if strings.EqualFold(name, meant) || near && !slices.Contains(written, meant) {
				found[name] = meant
			}
		}
	}
	return found
}

// fieldNames are the names of a struct's fields in JSON.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
