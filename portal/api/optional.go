package api

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a value or null. Unlike a pointer it says so in the API's description for any type.
type Optional[T any] struct{ Value *T }

// some is the value, none is null.
func some[T any](value T) Optional[T] { return Optional[T]{Value: &value} }

// MarshalJSON implements json.Marshaler.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.Value) }

// Schema implements huma.SchemaProvider.
func (Optional[T]) Schema(r huma.Registry) *huma.Schema {
	value := r.Schema(reflect.TypeFor[T](), true, reflect.TypeFor[T]().Name())
	return &huma.Schema{AnyOf: []*huma.Schema{value, {Type: "null"}}}
}
