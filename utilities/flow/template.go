package flow

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

// scope is what the reading steps have found so far, by the names the file gives it.
type scope map[string]gjson.Result

// with returns the scope with one more thing in it.
func (s scope) with(name string, value gjson.Result) scope {
	more := scope{}
	for key, old := range s {
		more[key] = old
	}
	if name != "" {
		more[name] = value
	}
	return more
}

// get returns what stands at name.path.
func (s scope) get(path string) gjson.Result {
	name, rest, deeper := strings.Cut(path, ".")
	if deeper {
		return s[name].Get(rest)
	}
	return s[name]
}

func (s scope) value(path string) string { return strings.TrimSpace(s.get(path).String()) }

// first fills in the first of several texts for which something was found.
func (s scope) first(texts utilities.Texts) string {
	for _, text := range texts {
		if filled := s.fill(text); filled != "" {
			return filled
		}
	}
	return ""
}

// fill puts what was found into a text. Where nothing was found for any placeholder, the text as a whole is empty: nothing is made
// up. Separators left over by one empty part among others go too.
func (s scope) fill(text string) string {
	found, selectors := false, false
	filled := utilities.Placeholder.ReplaceAllStringFunc(text, func(part string) string {
		value := s.value(part[1 : len(part)-1])
		selectors, found = true, found || value != ""
		return value
	})
	if selectors && !found {
		return ""
	}
	return tidy(filled)
}

var (
	leftOver = regexp.MustCompile(`(\s*,)+\s*(,|$)|^[\s,]+`)
	blanks   = regexp.MustCompile(`\s+`)
)

func tidy(text string) string {
	text = leftOver.ReplaceAllString(text, "$2")
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}

// address puts what was found into an address, escaped.
func (s scope) address(text string) string {
	return utilities.Placeholder.ReplaceAllStringFunc(text, func(part string) string {
		return url.QueryEscape(s.value(part[1 : len(part)-1]))
	})
}

// json writes a request's body, with what was found put into its texts.
func (s scope) json(body map[string]any) string {
	text, err := json.Marshal(s.filled(body))
	if err != nil {
		return "" // cannot be: the body came out of a file as plain values
	}
	return string(text)
}

func (s scope) filled(value any) any {
	switch v := value.(type) {
	case string:
		return s.fill(v)
	case map[string]any:
		filled := map[string]any{}
		for key, inner := range v {
			filled[key] = s.filled(inner)
		}
		return filled
	case []any:
		filled := make([]any, len(v))
		for i, inner := range v {
			filled[i] = s.filled(inner)
		}
		return filled
	}
	return value
}
