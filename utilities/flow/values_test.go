package flow

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey/utilities"
)

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
	require.Equal(t, "second 7", s.first(utilities.Texts{"{a.city}", "second {a.n}", "third"}))
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
	o := optionList{{Value: "Email"}, {Value: "2125550123"}, {Value: "sms"}, {Value: "sms"}}
	require.Equal(t, []string{"Email", "option-2", "sms-3", "sms-4"}, []string{o.id(0), o.id(1), o.id(2), o.id(3)})
	_, ok := o.locate("sms-4")
	require.True(t, ok)
	_, ok = o.locate("fax")
	require.False(t, ok)
}

func TestScrub(t *testing.T) {
	t.Parallel()
	err := scrub("typing", fmt.Errorf("timeout: fill(\"hunter2\")\nCall log: hunter2"), "hunter2", "")
	require.EqualError(t, err, `typing: timeout: fill("`+redacted+`")`)
	require.ErrorIs(t, scrub("typing", fmt.Errorf("x: %w", ErrPageGone)), ErrPageGone)
	require.NoError(t, scrub("typing", nil))
}
