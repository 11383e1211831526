package customer

import (
	"os"
	"path"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func testWords(t *testing.T) *words {
	t.Helper()
	w, err := loadWords()
	require.NoError(t, err)
	return w
}

// leaves lists the names of all messages of a file; the forms of one that counts are one.
func leaves(t *testing.T, lang string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path.Join("words", lang+".toml"))
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, toml.Unmarshal(text, &tree))
	found := map[string]bool{}
	var walk func(at string, node map[string]any)
	walk = func(at string, node map[string]any) {
		for name, value := range node {
			child, isTable := value.(map[string]any)
			switch {
			case name == "one" || name == "other":
				found[at+name] = true
			case isTable:
				walk(at+name+".", child)
			default:
				require.NotEmpty(t, value, at+name)
				found[at+name] = true
			}
		}
	}
	walk("", tree)
	return found
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	english, spanish := leaves(t, "en"), leaves(t, "es")
	for _, row := range meterkey.Reasons() {
		english["reason."+string(row.Reason)+".text"] = true // the table's own
	}
	require.Equal(t, english, spanish)
}

func TestEveryReasonHasItsWords(t *testing.T) {
	t.Parallel()
	for _, row := range meterkey.Reasons() {
		id := "reason." + string(row.Reason) + "."
		text, err := testWords(t).in("en").T(id + "text")
		require.NoError(t, err)
		require.Equal(t, row.Customer, text, "English is the table's")
		for _, lang := range languages() {
			for _, part := range []string{"title", "text", "next"} {
				text, err := testWords(t).in(lang).T(id+part, "Requester", "Acme", "Utility", "Con Ed")
				require.NoError(t, err)
				require.NotEmpty(t, text, id+part)
				require.NotContains(t, text, "<no value>", id+part)
			}
		}
	}
}

func TestEveryStatusHasItsWords(t *testing.T) {
	t.Parallel()
	for _, status := range meterkey.Statuses() {
		for _, lang := range languages() {
			s := pageModel{localizer: testWords(t).in(lang), Requester: "Acme", State: meterkey.State{Status: status,
				Challenge: &meterkey.Challenge{Kind: meterkey.NumberCode}}}
			title, err := s.Title()
			require.NoError(t, err, status)
			require.NotEmpty(t, title, status)
		}
	}
}

func TestLanguageIsTheBrowsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wanted []string
		lang   string
	}{
		{nil, "en"},
		{[]string{"", ""}, "en"},
		{[]string{"", "es-MX,es;q=0.9,en;q=0.8"}, "es"},
		{[]string{"", "fr-FR,fr;q=0.9,es;q=0.5"}, "es"},
		{[]string{"", "de"}, "en"},
		{[]string{"en", "es"}, "en"},
		{[]string{"es", "en"}, "es"},
		{[]string{"\x00;;", "not a language"}, "en"},
	} {
		require.Equal(t, c.lang, testWords(t).in(c.wanted...).Lang, "%q", c.wanted)
	}
}

func TestNumbersAndDates(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)
	for lang, want := range map[string][2]string{"en": {"20,000 meters were found.", "March 9, 2026"}, "es": {"Se encontraron 20.000 medidores.", "9 de marzo de 2026"}} {
		say := testWords(t).in(lang)
		count, err := say.N("connected.meters", 20000)
		require.NoError(t, err)
		date, err := say.Date(day)
		require.NoError(t, err)
		require.Equal(t, want, [2]string{count, date})
	}
	one, err := testWords(t).in("en").N("connected.meters", 1)
	require.NoError(t, err)
	require.Equal(t, "1 meter was found.", one)
	require.Equal(t, "1,234,567", testWords(t).in("en").Number(1234567))
}

func TestMessageThatIsMissingIsAnError(t *testing.T) {
	t.Parallel()
	_, err := testWords(t).in("es").T("nothing.such")
	require.ErrorContains(t, err, `"nothing.such" in "es"`)
}
