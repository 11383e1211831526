package dashboard

import "strings"

// field is one input of a form.
type field struct {
	ID, Label, Hint, Type, Value string
	Autocomplete                 string // what browsers and password managers fill in
	List                         string // id of the list of suggestions
	Min                          string // earliest day
	Mistake                      string // what is wrong with the value, and what would be right
	Required                     bool
	Max                          int // characters; 0: no limit
}

// Described names the texts that are read aloud with the input.
func (f field) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	if f.Mistake != "" {
		ids = append(ids, f.ID+"-mistake")
	}
	return strings.Join(ids, " ")
}
