package utilities

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestCredentialsNeverPrint(t *testing.T) {
	t.Parallel()
	c := Credentials{Username: "pat-user", Password: "pat-secret"}
	text, err := json.Marshal(map[string]any{"c": c, "p": &c})
	require.NoError(t, err)
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("login", zap.Any("c", c), zap.Object("o", c), zap.Stringer("s", c))
	all := fmt.Sprintf("%v %+v %#v %s %q %v %s %v", c, c, c, c, c, &c, text, logs.All()[0].ContextMap())
	require.NotContains(t, all, "pat-")
	require.Contains(t, all, redacted)
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "origins.yaml", "https://www.site.example: http://site.localhost:4000\nhttps://id.site.example/: http://id.localhost:4000/\n")
	o, err := LoadOrigins(dir + "/origins.yaml")
	require.NoError(t, err)

	there, err := o.replace("https://www.site.example/login?x=https://id.site.example#y")
	require.NoError(t, err)
	require.Equal(t, "http://site.localhost:4000/login?x=https://id.site.example#y", there)
	require.Equal(t, "https://id.site.example/a?b", o.real("http://id.localhost:4000/a?b"))
	require.Equal(t, "http://other.localhost:4000/a", o.real("http://other.localhost:4000/a"))

	_, err = o.replace("https://www.real.example/login")
	require.ErrorIs(t, err, ErrOriginNotReplaced)

	none, err := LoadOrigins("")
	require.NoError(t, err)
	there, err = none.replace("https://www.real.example/login")
	require.NoError(t, err)
	require.Equal(t, "https://www.real.example/login", there)
}

func TestOriginsMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, want := range map[string]string{
		"https://www.site.example/login: http://x.localhost": "is not an origin",
		"https://www.site.example: localhost":                "is not an origin",
		"- https://www.site.example":                         "o.yaml",
		"{}":                                                 "holds no origins",
		"https://a.example: http://x.test\nhttps://b.example: http://x.test": "both",
	} {
		write(t, dir, "o.yaml", text)
		_, err := LoadOrigins(dir + "/o.yaml")
		require.ErrorContains(t, err, want, text)
	}
	_, err := LoadOrigins(dir + "/nowhere.yaml")
	require.Error(t, err)
}

func TestFill(t *testing.T) {
	t.Parallel()
	s := scope{}.with("a", gjson.Parse(`{"street":" 1  Elm","city":"","zip":"12 345","n":7}`)).with("meter", gjson.Parse(`"0042"`))
	for text, want := range map[string]string{
		"{a.street}":                   "1 Elm",
		"{a.street}, {a.city} {a.zip}": "1 Elm, 12 345",
		"{a.city}, {a.street}":         "1 Elm",
		"{a.street}, {a.city}":         "1 Elm",
		"{a.city}, {a.state}":          "",
		"{meter}":                      "0042",
		"no. {a.n}":                    "no. 7",
		"electric":                     "electric",
		"{nobody.x}":                   "",
	} {
		require.Equal(t, want, s.fill(text), text)
	}
	require.Equal(t, "second 7", s.first(Texts{"{a.city}", "second {a.n}", "third"}))
	require.Equal(t, "/x?zip=12+345", s.address("/x?zip={a.zip}"))
	require.JSONEq(t, `{"a":["1 Elm",5],"b":{"c":"0042"}}`, s.json(map[string]any{"a": []any{"{a.street}", 5}, "b": map[string]any{"c": "{meter}"}}))
}

func TestServiceClass(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"ELEC": "electric", "Residential Electric": "electric", "GAS": "gas", "G": "gas", "w": "water", "Electric/Gas": "", "steam": "", "": "",
	} {
		require.Equal(t, want, serviceClass(word), word)
	}
}

func TestContactsAreMasked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"We texted (***) ***-1234.":     "We texted (***) ***-1234.",
		"We texted 212-555-0123 today.": "We texted ***0123 today.",
		"Sent to pat@mail.example":      "Sent to p***@mail.example",
		"Sent to p*****@mail.example":   "Sent to p*****@mail.example",
		"Enter the 6 digits":            "Enter the 6 digits",
	} {
		require.Equal(t, want, maskContacts(text))
	}
	require.Equal(t, "(***) ***-1234", maskedContact("", "We texted (***) ***-1234."))
	require.Equal(t, "p*****@mail.example", maskedContact("Sent to p*****@mail.example"))
	require.Empty(t, maskedContact("Enter the code"))
}

func TestOptionIDs(t *testing.T) {
	t.Parallel()
	o := offered{{Value: "Email"}, {Value: "2125550123"}, {Value: "sms"}, {Value: "sms"}}
	require.Equal(t, []string{"Email", "option-2", "sms-3", "sms-4"}, []string{o.id(0), o.id(1), o.id(2), o.id(3)})
	_, ok := o.spot("sms-4")
	require.True(t, ok)
	_, ok = o.spot("fax")
	require.False(t, ok)
}

func TestScrubbed(t *testing.T) {
	t.Parallel()
	err := scrubbed("typing", fmt.Errorf("timeout: fill(\"hunter2\")\nCall log: hunter2"), "hunter2", "")
	require.EqualError(t, err, `typing: timeout: fill("`+redacted+`")`)
	require.ErrorIs(t, scrubbed("typing", fmt.Errorf("x: %w", ErrPageGone)), ErrPageGone)
	require.NoError(t, scrubbed("typing", nil))
}
