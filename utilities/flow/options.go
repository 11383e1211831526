package flow

import (
	"context"
	"regexp"
	"strconv"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// optionList are the elements of which one is to be chosen: the ways to get a code, or the accounts of a picker.
type optionList []struct {
	Value    string   `json:"value"`
	Label    string   `json:"label"`
	Target   string   `json:"target"` // what stands at the place that the file names for this value
	Location location `json:"location"`
}

// readOptions reads every element that a target matches. places are where the masked address or number stands, by value.
func (r *Run) readOptions(ctx context.Context, at location, target utilities.Target, places map[string]utilities.Target) (optionList, error) {
	targets := map[string]any{}
	for value, place := range places {
		targets[value] = selectors(place)
	}
	var list optionList
	call := map[string]any{"do": "options", "target": selectors(target), "targets": targets}
	if err := r.evaluate(ctx, at.Frames, call, &list); err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Location.Frames = at.Frames
	}
	return list, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,30}$`)

// id is the option's own value where that is a plain word, else its place: a value may hold a phone number.
func (o optionList) id(i int) string {
	value := o[i].Value
	if !plainName.MatchString(value) {
		return "option-" + strconv.Itoa(i+1)
	}
	for j := range o {
		if j != i && o[j].Value == value {
			return value + "-" + strconv.Itoa(i+1)
		}
	}
	return value
}

// forCustomer is the list with personal data masked.
func (o optionList) forCustomer() []meterkey.Option {
	list := make([]meterkey.Option, len(o))
	for i, option := range o {
		list[i] = meterkey.Option{
			ID: o.id(i), Label: maskContacts(option.Label), Target: maskedContact(option.Target, option.Label),
		}
	}
	return list
}

func (o optionList) locate(id string) (location, bool) {
	for i := range o {
		if o.id(i) == id {
			return o[i].Location, true
		}
	}
	return location{}, false
}
