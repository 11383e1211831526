package utilities

import "regexp"

// Pattern is a regular expression, whatever the case. The zero Pattern stands for none.
type Pattern struct {
	*regexp.Regexp // nil where there is none, or where the text is not one
	text           string
}

// UnmarshalYAML accepts any text; whether it is a regular expression is checked with the rest of the file.
func (p *Pattern) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&p.text); err != nil || p.text == "" {
		return err
	}
	p.Regexp, _ = regexp.Compile("(?i)" + p.text)
	return nil
}

// Given tells whether there is one.
func (p Pattern) Given() bool { return p.text != "" }
