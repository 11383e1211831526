package store_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                            nil,
		" \t\x00":                     nil,
		"Jane@Example.com":            {"jane@example.com", "example.com"},
		"  Roof   of\nJane ":          {"roof of jane", "of jane", "jane"},
		"ÉCOLE 12":                    {"école 12", "12"},
		"a@":                          {"a@"},
		"@b":                          {"b"},
		"1 2 3 4 5 6 7 8 9":           {"1 2 3 4 5 6 7 8 9", "2 3 4 5 6 7 8 9", "3 4 5 6 7 8 9", "4 5 6 7 8 9", "5 6 7 8 9", "6 7 8 9", "7 8 9", "8 9"},
		strings.Repeat("é", 1000):     {strings.Repeat("é", 50)},
		"x" + strings.Repeat("é", 99): {"x" + strings.Repeat("é", 49)},
	} {
		require.Equal(t, want, store.Terms(text), text)
	}
}

// Whatever is searched for, the answer is the requests with a term that begins so, and never an error.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"", "roof", "Jane Doe", "%_\\", "'; --", "\x00", "\xff\xfe", "é☀️", "?", "@", " a  b ", "\U0010ffff", strings.Repeat("x", 300)} {
		f.Add("Roof of Jane", seed)
		f.Add(seed, seed)
	}
	w := newWorld(f, store.Options{File: filepath.Join(f.TempDir(), "fuzz.db")})
	_, err := w.PutRequester(f.Context(), store.Requester{UID: "acme"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, nickname, search string) {
		r, _, err := w.CreateRequest(t.Context(), store.Request{RequesterUID: "acme", Nickname: nickname})
		require.NoError(t, err)
		page, err := w.ListRequests(t.Context(), store.RequestFilter{Requester: "acme", Search: search, UIDs: []string{r.UID}})
		require.NoError(t, err)
		prefix := store.Prefix(search)
		matches := func(term string) bool { return strings.HasPrefix(term, prefix) }
		want := prefix == "" || slices.ContainsFunc(slices.Concat(store.Terms(nickname), store.Terms(r.UID)), matches)
		require.Equal(t, want, len(page.Items) == 1, "nickname %q, search %q", nickname, search)
		require.NoError(t, w.DeleteRequest(t.Context(), "acme", r.UID))
	})
}
