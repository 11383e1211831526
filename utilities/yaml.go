package utilities

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Mistake is one thing wrong in a utility file.
type Mistake struct {
	File    string
	Line    int
	Field   string // dotted path, for example flow.pages.locked[0].text
	Problem string
}

func (m *Mistake) Error() string {
	if m.Field == "" {
		return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Problem)
	}
	return fmt.Sprintf("%s:%d: %s: %s", m.File, m.Line, m.Field, m.Problem)
}

// yamlText is one YAML text whose fields can be found again.
type yamlText struct {
	name   string
	data   []byte
	root   ast.Node
	values map[string]any
}

func parseYAML(name string, data []byte) (*yamlText, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxMistake(name, err)
	}
	s := &yamlText{name: name, data: data}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, &Mistake{File: name, Line: 1, Problem: "must hold exactly one description"}
	}
	s.root = file.Docs[0].Body
	if err := yaml.Unmarshal(data, &s.values); err != nil {
		return nil, syntaxMistake(name, err)
	}
	return s, nil
}

func syntaxMistake(name string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return &Mistake{File: name, Line: at.GetToken().Position.Line, Problem: at.GetMessage()}
	}
	return fmt.Errorf("%s: %w", name, err)
}

// line returns the line on which the deepest known part of a path stands.
func (s *yamlText) line(path []string) int {
	node, line := s.root, 1
	for _, key := range path {
		next, at := child(node, key)
		if next == nil {
			return line
		}
		node, line = next, at
	}
	return line
}

func child(node ast.Node, key string) (ast.Node, int) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if v.Key.GetToken().Value == key {
				return v.Value, v.Key.GetToken().Position.Line
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i], n.Values[i].GetToken().Position.Line
		}
	}
	return nil, 0
}

// dotted writes a path the way people write it in a file's unverified list.
func dotted(path []string) string {
	var b strings.Builder
	for _, key := range path {
		switch _, err := strconv.Atoi(key); {
		case err == nil:
			b.WriteString("[" + key + "]")
		case b.Len() == 0:
			b.WriteString(key)
		default:
			b.WriteString("." + key)
		}
	}
	return b.String()
}

// undotted reads what dotted writes.
func undotted(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}
