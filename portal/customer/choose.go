package customer

import (
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/unicode/norm"

	"github.com/meterkey/meterkey/utilities"
)

// choices lists the utilities that a customer can choose, by name.
func choices(catalog *utilities.Catalog, practice bool) []*utilities.Utility {
	var all []*utilities.Utility
	for _, u := range catalog.All() {
		if practice || u.ID != utilities.Demo {
			all = append(all, u)
		}
	}
	return all
}

// search narrows a list to the utilities that the query may mean: one of their names has a word that begins with each of
// the query's words, or it begins with the query, blanks aside; failing that, one is but a slip of the keys away. An exact name
// comes alone.
func search(all []*utilities.Utility, catalog *utilities.Catalog, query string) []*utilities.Utility {
	wanted := plain(query)
	if wanted == "" {
		return all
	}
	if u, err := catalog.Find(strings.TrimSpace(query)); err == nil && slices.Contains(all, u) {
		return []*utilities.Utility{u}
	}
	if found := filter(all, func(name string) bool { return means(name, wanted) }); len(found) > 0 {
		return found
	}
	return filter(all, func(name string) bool {
		return levenshtein.ComputeDistance(solid(name), solid(wanted)) <= maxSlips(wanted)
	})
}

// maxSlips is how many keys may have been missed: none in what is too short to tell.
func maxSlips(wanted string) int { return min(2, len(wanted)/4) }

// filter keeps the utilities of which one name is as wanted.
func filter(all []*utilities.Utility, is func(name string) bool) []*utilities.Utility {
	var found []*utilities.Utility
	for _, u := range all {
		if slices.ContainsFunc(append([]string{u.ID, u.Name}, u.Aliases...), func(name string) bool { return is(plain(name)) }) {
			found = append(found, u)
		}
	}
	return found
}

func means(name, wanted string) bool {
	return beginWords(name, wanted) || strings.HasPrefix(solid(name), solid(wanted))
}

func beginWords(known, wanted string) bool {
	for want := range strings.FieldsSeq(wanted) {
		if !strings.Contains(" "+known, " "+want) {
			return false
		}
	}
	return true
}

func solid(text string) string { return strings.ReplaceAll(text, " ", "") }

// plain is text as people compare it: lower case, without accents and marks, "and" for "&", one blank between words.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToLower(text), "&", " and ")
	letters := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		}
		return ' '
	}, norm.NFD.String(text))
	return strings.Join(strings.Fields(letters), " ")
}
