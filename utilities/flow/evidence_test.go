package flow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// TestRedact takes what may be somebody's out of the outline of a page that an operator will read.
func TestRedact(t *testing.T) {
	t.Parallel()
	v := &Run{secrets: []string{"quokka-user", "", "Quokka pass#1"}}
	for text, want := range map[string]string{
		"h1: Welcome back, Pat Miller\nbutton: Go": "h1: Welcome …\nbutton: Go",
		"p: HELLO Pat":                                  "p: HELLO …",
		"a: Signed in as pat":                           "a: Signed in as …",
		"h2: Account 1234 5678 9012":                    "h2: Account [number]",
		"p: call 212-555-0123 now":                      "p: call [number] now",
		"p: 12 of 20":                                   "p: 12 of 20",
		"p: no. 4711":                                   "p: no. [number]",
		"a: pat.miller+x@mail.example":                  "a: [address]",
		"p: p***@mail.example":                          "p: [address]",
		"label: User name quokka-user":                  "label: User name [redacted]",
		"p: Quokka pass#1":                              "p: [redacted]",
		"div: within this, think":                       "div: within this, think",
		"input type=text id=account name=acct (hidden)": "input type=text id=account name=acct (hidden)",
	} {
		require.Equal(t, want, v.redact(text), text)
	}
}

func TestOutlinesAreBounded(t *testing.T) {
	t.Parallel()
	got := new(Run).redact(strings.Repeat("ä button: Go\n", 2000))
	require.LessOrEqual(t, len(got), outlineLimit)
	require.Greater(t, len(got), outlineLimit-4)
	require.True(t, strings.HasPrefix(got, "ä button: Go\n"))
	odd := new(Run).redact("x" + strings.Repeat("ä", outlineLimit))
	require.NotContains(t, odd, "\ufffd")
	require.Equal(t, strings.ToValidUTF8(odd, "?"), odd, "no letter is cut in half")
}

func TestAddressesOfEvidence(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://www.site.example/a/b?user=pat&token=t#frag": "https://www.site.example/a/b",
		"https://pat:secret@www.site.example/":               "https://www.site.example/",
		"https://www.site.example/a%20b":                     "https://www.site.example/a%20b",
		"about:blank":                                        "about:blank",
		"https://www.site.example/%zz?token=t":               "",
		"":                                                   "",
	} {
		require.Equal(t, want, withoutQuery(address), address)
	}
}

func TestContactsOfManyForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Call (212) 555-0123":                   "Call ***0123",
		"Call +1 212 555 0123.":                 "Call ***0123.",
		"Call 212.555.0123":                     "Call ***0123",
		"Text xxx-xxx-0123":                     "Text xxx-xxx-0123",
		"Text XXX-XXX-0123":                     "Text XXX-XXX-0123",
		"Text •••-•••-0123":                     "Text •••-•••-0123",
		"Mail a@b.example and cd@b.example":     "Mail a***@b.example and c***@b.example",
		"Mail pat.miller+bills@mail.example":    "Mail p***@mail.example",
		"Mail p••••r@mail.example":              "Mail p••••r@mail.example",
		"Mail alexxa@mail.example":              "Mail a***@mail.example",
		"Mail p***@m***.example":                "Mail p***@m***.example",
		"• 212-555-0123":                        "***0123",
		"Text (212) ***-0123":                   "Text ***0123",
		"Wait 30 seconds":                       "Wait 30 seconds",
		"Enter the 6-digit code within 10 min.": "Enter the 6-digit code within 10 min.",
		"":                                      "",
	} {
		require.Equal(t, want, maskContacts(text), text)
	}
}

func TestTheFirstContactCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		texts []string
		want  string
	}{
		{[]string{"", "no contact", "to ***-***-0123"}, "***-***-0123"},
		{[]string{"to p***@mail.example", "or (***) ***-0123"}, "p***@mail.example"},
		{[]string{"to (***) ***-0123 or p***@mail.example"}, "p***@mail.example"},
		{[]string{"to 212-555-0123"}, "***0123"},
		{[]string{"********"}, ""},
		{nil, ""},
	} {
		require.Equal(t, c.want, maskedContact(c.texts...), "%q", c.texts)
	}
}

func TestOptionsForTheCustomer(t *testing.T) {
	t.Parallel()
	o := optionList{
		{Value: "sms", Label: "Text me", Target: "212-555-0123"},
		{Value: "pat@mail.example", Label: "Mail pat@mail.example"},
		{Value: "", Label: "Use an app"},
		{Value: "sms-0", Label: "Text"},
		{Value: "A very long value that is no plain name at all", Label: "Call"},
	}
	require.Equal(t, []meterkey.Option{
		{ID: "sms", Label: "Text me", Target: "***0123"},
		{ID: "option-2", Label: "Mail p***@mail.example", Target: "p***@mail.example"},
		{ID: "option-3", Label: "Use an app"},
		{ID: "option-4", Label: "Text"},
		{ID: "option-5", Label: "Call"},
	}, o.forCustomer())
	for i, option := range o.forCustomer() {
		o[i].Location.Nth = i + 1
		spot, ok := o.locate(option.ID)
		require.True(t, ok)
		require.Equal(t, i+1, spot.Nth, "what the customer chose is what is pressed")
	}
	require.Empty(t, optionList(nil).forCustomer())
}
