package utilities

import (
	"fmt"
	"regexp"

	"github.com/tidwall/gjson"
)

// Check is what a value in a JSON answer must be: equal to something, anything but something, or like a regular expression.
type Check struct {
	Is   any
	Not  any
	Like string

	like *regexp.Regexp
}

// UnmarshalYAML accepts a plain value, or one of not and like.
func (c *Check) UnmarshalYAML(decode func(any) error) error {
	var form struct {
		Not  any    `yaml:"not"`
		Like string `yaml:"like"`
	}
	if err := decode(&form); err == nil {
		c.Not, c.Like = form.Not, form.Like
		return nil
	}
	return decode(&c.Is)
}

// holds compares texts, so that 200 and "200" are the same; an absent value is the empty text and never equal to anything.
func (c Check) holds(value gjson.Result) bool {
	switch {
	case c.like != nil:
		return value.Exists() && c.like.MatchString(value.String())
	case c.Not != nil:
		return value.Exists() && value.String() != fmt.Sprint(c.Not)
	default:
		return value.Exists() && value.String() == fmt.Sprint(c.Is)
	}
}
