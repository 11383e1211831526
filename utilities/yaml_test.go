package utilities

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesOfFields(t *testing.T) {
	t.Parallel()
	s, err := parseYAML("a.yaml", []byte("# first\na: 1\nb:\n  c: [1, {d: 2}]\n  list:\n    - x: 1\n    - x: 2\n"))
	require.NoError(t, err)
	for field, line := range map[string]int{
		"a": 2, "b": 3, "b.c": 4, "b.c[1].d": 4, "b.list[1].x": 7, "b.list[9]": 5, "b.nothing": 3, "nothing": 1,
	} {
		require.Equal(t, line, s.line(undotted(field)), field)
		require.Equal(t, field, dotted(undotted(field)))
	}
}

func TestSourcesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                  "a.yaml:1: must hold exactly one description",
		"a: 1\n---\nb: 2\n": "a.yaml:1: must hold exactly one description",
		"- a\n":             "a.yaml:1",
		"a: 1\na: 2\n":      "a.yaml:2",
		"a: [1\nb: 2\n":     "a.yaml:",
	} {
		_, err := parseYAML("a.yaml", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestBalanced(t *testing.T) {
	t.Parallel()
	for css, want := range map[string]bool{
		"#a": true, `[id="a/b"]`: true, `a:not([b])`: true, `[a="]"]`: true, `[a='(']`: true,
		"": false, " ": false, "[a": false, "a]": false, `[a="b]`: false, "a:not(b": false, "a)": false,
	} {
		require.Equal(t, want, balanced(css), css)
	}
}

func TestReaches(t *testing.T) {
	t.Parallel()
	values := map[string]any{"a": []any{map[string]any{"b": nil}}}
	for field, want := range map[string]bool{"a": true, "a[0]": true, "a[0].b": true, "a[1]": false, "a.b": false, "a[0].b.c": false, "": false} {
		require.Equal(t, want, reaches(values, undotted(field)), field)
	}
}
