package config

import (
	"fmt"
	"slices"
	"strings"
)

// prefix is what all settings begin with.
const prefix = "MK_"

// unknown finds the variables that look like settings and are none: most often a slip of the keyboard.
func unknown(environ []string) []string {
	var sentences []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		known := slices.ContainsFunc(table, func(s Setting) bool { return s.Name == name })
		if strings.HasPrefix(name, prefix) && !known {
			sentences = append(sentences, fmt.Sprintf("%s is not a setting; did you mean %s?", name, nearest(name)))
		}
	}
	slices.Sort(sentences)
	return sentences
}

func nearest(name string) string {
	return slices.MinFunc(table, func(a, b Setting) int { return distance(name, a.Name) - distance(name, b.Name) }).Name
}

// distance is Levenshtein's: the fewest single-letter edits that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
