package utilities

import (
	"fmt"

	"github.com/tidwall/gjson"
)

// Condition is what a value in a JSON answer must be: equal to something, anything but something, or like a regular expression.
type Condition struct {
	Is   any
	Not  any
	Like Pattern
}

// UnmarshalYAML accepts a plain value, or one of not and like.
func (c *Condition) UnmarshalYAML(decode func(any) error) error {
	var form struct {
		Not  any     `yaml:"not"`
		Like Pattern `yaml:"like"`
	}
	if err := decode(&form); err == nil {
		c.Not, c.Like = form.Not, form.Like
		return nil
	}
	return decode(&c.Is)
}

// Holds compares texts, so that 200 and "200" are the same; an absent value is the empty text and never equal to anything.
func (c Condition) Holds(value gjson.Result) bool {
	switch {
	case c.Like.Given():
		return value.Exists() && c.Like.MatchString(value.String())
	case c.Not != nil:
		return value.Exists() && value.String() != fmt.Sprint(c.Not)
	default:
		return value.Exists() && value.String() == fmt.Sprint(c.Is)
	}
}
