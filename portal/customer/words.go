package customer

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/dustin/go-humanize"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/meterkey/meterkey"
)

// consentText is the version of the words that customers agree to. It changes whenever the consent page says something
// else.
const consentText = "2026-11"

// consentTo names the words that a customer of a utility agrees to.
func consentTo(utility string) string { return consentText + " " + utility }

//go:embed words
var wordFiles embed.FS

// words holds all that customers read, in every language.
type words struct {
	bundle *i18n.Bundle
}

// languages lists the languages, the first of them for everybody whose own is not among them.
func languages() []string { return []string{"en", "es"} }

// knownLanguage is the language of this name, "" if there is none.
func knownLanguage(name string) string {
	for _, lang := range languages() {
		if lang == name {
			return lang
		}
	}
	return ""
}

func loadWords() (*words, error) {
	w := &words{bundle: i18n.NewBundle(language.English)}
	w.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, lang := range languages() {
		if _, err := w.bundle.LoadMessageFileFS(wordFiles, path.Join("words", lang+".toml")); err != nil {
			return nil, fmt.Errorf("reading the words in %q: %w", lang, err)
		}
	}
	return w, w.addReasons()
}

// addReasons takes what customers are told of each reason from the one table of reasons, which speaks English.
func (w *words) addReasons() error {
	for _, row := range meterkey.Reasons() {
		m := &i18n.Message{ID: "reason." + string(row.Reason) + ".text", Other: row.Customer}
		if err := w.bundle.AddMessages(language.English, m); err != nil {
			return fmt.Errorf("adding the reason %s: %w", row.Reason, err)
		}
	}
	return nil
}

// localizer speaks one language.
type localizer struct {
	Lang     string
	messages *i18n.Localizer
}

// in speaks the first of the wanted languages that there is; each may be an Accept-Language header.
func (w *words) in(wanted ...string) localizer {
	tags := make([]language.Tag, 0, len(languages()))
	for _, lang := range languages() {
		tags = append(tags, language.Make(lang))
	}
	_, best := language.MatchStrings(language.NewMatcher(tags), wanted...)
	lang := languages()[best]
	return localizer{Lang: lang, messages: i18n.NewLocalizer(w.bundle, lang)}
}

// T says something. Facts are pairs of a name and a value for its gaps. The error tells of a message that is missing.
func (l localizer) T(id string, facts ...any) (string, error) {
	return l.localize(&i18n.LocalizeConfig{MessageID: id}, facts)
}

// N says something of a number of things.
func (l localizer) N(id string, count int, facts ...any) (string, error) {
	return l.localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: count}, append(facts, "Count", l.Number(count)))
}

func (l localizer) localize(config *i18n.LocalizeConfig, facts []any) (string, error) {
	gaps := map[string]any{}
	for i := 0; i+1 < len(facts); i += 2 {
		gaps[fmt.Sprint(facts[i])] = facts[i+1]
	}
	config.TemplateData = gaps
	text, err := l.messages.Localize(config)
	if err != nil {
		return "", fmt.Errorf("saying %q in %q: %w", config.MessageID, l.Lang, err)
	}
	return text, nil
}

// Number writes a number with marks between thousands.
func (l localizer) Number(n int) string {
	if l.Lang == "es" {
		return humanize.FormatInteger("#.###,", n)
	}
	return humanize.Comma(int64(n))
}

// Date writes a day.
func (l localizer) Date(t time.Time) (string, error) {
	month, err := l.T("month." + strconv.Itoa(int(t.Month())))
	if err != nil {
		return "", err
	}
	return l.T("date", "Day", t.Day(), "Month", month, "Year", t.Year())
}

// languageCookie keeps the language that the customer chose by hand.
const languageCookie = "meterkey_language"

// forRequest speaks the language that the customer chose, or else that of their browser.
func (w *words) forRequest(r *http.Request) localizer {
	var chosen string
	if cookie, err := r.Cookie(languageCookie); err == nil {
		chosen = cookie.Value
	}
	return w.in(chosen, r.Header.Get("Accept-Language"))
}

// keepLanguage has the browser remember a choice for a year.
func keepLanguage(w http.ResponseWriter, lang string) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // it is no secret, and must work without TLS
		Name: languageCookie, Value: lang, Path: Prefix, MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
