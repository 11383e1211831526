package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
)

// maxLimit is how many objects a page has at most.
const maxLimit = 1000

// Paging are the parameters of every list.
type Paging struct {
	After string `query:"after" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"Go on after the object with this uid. The address in \"next\" has it."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many objects at most."`
}

// next is the address of the following page, null on the last one. It repeats the request's parameters, except the key:
// addresses end up in logs.
func (a *API) next(ctx context.Context, after string, limit int) *string {
	r := requestOf(ctx)
	if after == "" || r == nil {
		return nil
	}
	query := r.URL.Query()
	query.Del("access_token")
	query.Set("after", after)
	query.Set("limit", strconv.Itoa(limit))
	next := a.link(r.URL.Path) + "?" + query.Encode()
	return &next
}

// listError names the parameter when it is the cursor that nobody knows.
func listError(err error, after string) error {
	if after != "" && errors.Is(err, store.ErrNotFound) {
		e := wrongField("after", "there is nothing with this uid in the list: begin without it")
		e.status = http.StatusBadRequest
		return e
	}
	return err
}

// converted are items in another shape; never null in JSON.
func converted[From, To any](items []From, convert func(From) To) []To {
	out := make([]To, len(items))
	for i, item := range items {
		out[i] = convert(item)
	}
	return out
}

// Flag is a parameter that is true, false or absent.
type Flag struct {
	Value bool
	set   bool
}

// Receiver implements huma.ParamWrapper.
func (f *Flag) Receiver() reflect.Value { return reflect.ValueOf(f).Elem().Field(0) }

// OnParamSet implements huma.ParamReactor.
func (f *Flag) OnParamSet(isSet bool, _ any) { f.set = isSet }

// Schema implements huma.SchemaProvider.
func (Flag) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

// pointer is nil for an absent parameter.
func (f Flag) pointer() *bool {
	if !f.set {
		return nil
	}
	return &f.Value
}
