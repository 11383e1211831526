package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// prefix is what all settings begin with.
const prefix = "MK_"

// aside are the names that begin like settings and are for `make setup` and for the tests, not for the programs.
var aside = []string{"MK_POSTGRES", "MK_PICTURES"}

// unknown finds the variables that look like settings and are none: most often a slip of the keyboard.
func unknown(environ []string) []string {
	var sentences []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		known := slices.Contains(aside, name) || slices.ContainsFunc(table, func(s Setting) bool { return s.Name == name })
		if strings.HasPrefix(name, prefix) && !known {
			sentences = append(sentences, fmt.Sprintf("%s is not a setting; did you mean %s?", name, nearest(name)))
		}
	}
	slices.Sort(sentences)
	return sentences
}

func nearest(name string) string {
	return slices.MinFunc(table, func(a, b Setting) int {
		return levenshtein.ComputeDistance(name, a.Name) - levenshtein.ComputeDistance(name, b.Name)
	}).Name
}
