package customer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	catalog := testDeps(t).Utilities
	for query, want := range map[string][]string{
		"con ed":         {"CONED"},
		"  ConEdison ":   {"CONED"},
		"edison":         {"COMED", "CONED", "SCE"},
		"san d":          {"SDGE"},
		"electric diego": {"SDGE"},
		"gas and e":      {"BGE", "PSEG", "SDGE"},
		"SDG&E":          {"SDGE"},
		"pge":            nil,
		"eversorce":      {"EVERSOURCE"}, // a key was missed
		"hawaiian":       {"HECO"},
		"háwaiian":       {"HECO"},
		"pepc":           {"PEPCO"},
		"springfield":    nil,
		"practice":       nil, // not for real customers
	} {
		require.ElementsMatch(t, want, ids(search(choices(catalog, false), catalog, query)), "%q", query)
	}
	require.Len(t, search(choices(catalog, false), catalog, " "), len(catalog.All())-1)
	require.Equal(t, []string{"DEMO"}, ids(search(choices(catalog, true), catalog, "practice")))
}

func ids(list []*utilities.Utility) []string {
	var all []string
	for _, u := range list {
		all = append(all, u.ID)
	}
	return all
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"SDG&E": "sdg and e", "José's \t Gas": "joses gas", "(A-B)": "a b", "": ""} {
		require.Equal(t, want, plain(text))
	}
}
