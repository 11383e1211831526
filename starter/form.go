package main

import (
	"fmt"
	"strings"

	"github.com/meterkey/meterkey"
)

// form is what can be typed while a request waits for its customer: a login, a code or a choice.
type form struct {
	asks   string // tells one question from the next
	fields []field
	at     int // the field being typed into
}

type field struct {
	label  string
	hidden bool
	text   []rune
}

// formFor is the form for where a request stands, nil where nothing is awaited. The form that is being filled in stays
// while the question is the same.
func formFor(s meterkey.State, current *form) *form {
	fresh := newForm(s)
	if fresh != nil && current != nil && current.asks == fresh.asks {
		return current
	}
	return fresh
}

func newForm(s meterkey.State) *form {
	switch {
	case takesLogin(s) == nil:
		login := &form{asks: "login " + s.Since.String(), fields: []field{{label: "User name"}, {label: "Password", hidden: true}}}
		if s.Utility == "" {
			login.fields = append([]field{{label: "Utility"}}, login.fields...)
		}
		return login
	case takesChoice(s) == nil:
		return &form{asks: s.Challenge.ID, fields: []field{{label: fmt.Sprintf("Number, 1 to %d", len(s.Challenge.Options))}}}
	case takesCode(s) == nil && s.Challenge.Kind == meterkey.SecurityAnswer:
		return &form{asks: s.Challenge.ID, fields: []field{{label: "Answer", hidden: true}}}
	case takesCode(s) == nil:
		return &form{asks: s.Challenge.ID, fields: []field{{label: "Code", hidden: true}}}
	default:
		return nil
	}
}

// key edits the field that is being typed into.
func (f *form) key(key rune) {
	text := &f.fields[f.at].text
	switch {
	case key == keyBackspace || key == '\b':
		*text = (*text)[:max(0, len(*text)-1)]
	case key == keyClear:
		*text = nil
	case key == keyTab || key == keyDown:
		f.move(1)
	case key == keyUp:
		f.move(-1)
	case key >= ' ':
		*text = append(*text, key)
	}
}

func (f *form) move(by int) { f.at = (f.at + by + len(f.fields)) % len(f.fields) }

// enter goes on to the first field that is still empty, or blank, and tells when there is none.
func (f *form) enter() bool {
	for i := range f.fields {
		if strings.TrimSpace(string(f.fields[i].text)) == "" {
			f.at = i
			return false
		}
	}
	return true
}

func (f *form) values() []string {
	values := make([]string, len(f.fields))
	for i, field := range f.fields {
		values[i] = string(field.text)
	}
	return values
}

// lines shows the form. What is hidden shows as dots.
func (f *form) lines(p *printer) []string {
	lines := make([]string, len(f.fields))
	for i, field := range f.fields {
		shown, mark := oneLine(string(field.text)), "  "
		if field.hidden {
			shown = strings.Repeat("•", len(field.text))
		}
		if i == f.at {
			mark, shown = p.in(cyan, "> "), shown+p.in(dim, "▏")
		}
		lines[i] = fmt.Sprintf("%s%s: %s", mark, field.label, shown)
	}
	return lines
}
