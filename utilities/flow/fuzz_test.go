package flow

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// What sites answer may hold anything. Each of these is also a test over its seeds.

func requirePageKind(t *testing.T, kind utilities.PageKind) {
	t.Helper()
	require.True(t, kind == utilities.Unknown || slices.Contains(precedence, kind), kind)
}

// FuzzRecognise shows every flow odd pages: each is taken for one of the known ones, and old signs alone for none but those that count
// however old they are.
func FuzzRecognise(f *testing.F) {
	for _, seed := range []struct{ url, answer, text string }{
		{"https://www.coned.com/en/login", `{"login":false,"loginErrorMsg":"locked"}`, "password match"},
		{"https://secure.bge.com/accounts/dashboard", `{"status":200}`, ""},
		{"chrome-error://chromewebdata/", ``, "x"}, {"%zz", `[[[`, "not a robot"}, {"", `{"status":{"a":[1]}}`, "session ended"},
		{"https://myenergycenter.com/portal/Usage/Index", "null", "site is down"},
	} {
		f.Add(seed.url, 200, seed.answer, seed.text, uint64(0xdeadbeef))
	}
	everOld := []utilities.PageKind{utilities.Captcha, utilities.Unavailable, utilities.Nag, utilities.SignedIn, utilities.Unknown}
	f.Fuzz(func(t *testing.T, url string, status int, answer, words string, which uint64) {
		for _, u := range embeddedUtilities(t) {
			flow := recogniser{&u.Flow}
			wanted, _ := lookedFor(&u.Flow)
			s := testPage{t, flow, snapshot{url: url, status: status, loaded: true, visible: map[utilities.Element]location{}, texts: map[string]bool{}}}
			for i, element := range wanted {
				if which>>(i%64)&1 == 1 {
					s.visible[element] = location{Nth: i}
				}
			}
			s = s.reading(words)
			old := s.withStale(mayLinger...)
			kind := flow.recognise(old)
			require.Contains(t, everOld, kind, u.ID)
			for name := range u.Flow.Answers {
				s.snapshot = s.answered(name, status, answer)
			}
			requirePageKind(t, flow.recognise(s.snapshot))
			s.loaded = false
			require.Contains(t, []utilities.PageKind{utilities.Unavailable, utilities.Unknown}, flow.recognise(s.snapshot), "a page without a body shows nothing")
		}
	})
}

// FuzzAccountLists has every file read what a site may answer for a list of accounts: a meter is lines of text as the site wrote them.
func FuzzAccountLists(f *testing.F) {
	for _, text := range []string{
		`{"accountNumber":"1","address":"1 Elm","serviceType":"GAS"}`, `{"account":1e400,"meter":[1,2]}`, `"0001"`, `[{"a":1}]`, `{`, ``, `null`,
		`{"BillingAccountIdentifier":"{meter.number}","ServiceAddress":" , ,\n x"}`, `{"number":{"number":"7"}}`, `{"meter":"{account}"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, u := range embeddedUtilities(t) {
			s := scope{}
			for _, step := range u.Flow.Meters.Read {
				s = s.with(step.As, gjson.Parse(text))
				s.address(step.Open + step.Fetch)
				if step.Post != nil {
					require.True(t, gjson.Valid(s.json(step.Post)))
				}
			}
			r := &reader{Run: &Run{flow: recogniser{&u.Flow}}, known: map[meterkey.Meter]bool{}}
			r.addMeter(s)
			for _, m := range r.meters {
				require.NotEqual(t, meterkey.Meter{}, m)
				require.Contains(t, []string{"", "electric", "gas", "water"}, m.ServiceClass)
				for _, field := range []string{m.AccountNumber, m.MeterNumber, m.ServiceIdentifier, m.ServiceAddress, m.Tariff, m.Status} {
					require.Equal(t, strings.TrimSpace(field), field)
					require.NotContains(t, field, "\n")
				}
			}
		}
	})
}

// FuzzAddresses puts what a site answered into addresses: it can lead nowhere but where the file says.
func FuzzAddresses(f *testing.F) {
	for _, value := range []string{"1", "../../admin", "1/../2", "1?x=y#z", "https://evil.example", "1 2\r\nX: y", "{a.b}", "ä"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := scope{"a": gjson.Result{Type: gjson.String, Str: value}}
		address := s.address("https://www.site.example/accounts/{a}/meters")
		require.True(t, strings.HasPrefix(address, "https://www.site.example/"), address)
		rest := strings.TrimPrefix(address, "https://www.site.example/accounts/")
		inner, found := strings.CutSuffix(rest, "/meters")
		require.True(t, found, address)
		require.NotContains(t, inner, "/")
		require.Regexp(t, `^[A-Za-z0-9%+._~-]*$`, inner)
	})
}

var (
	bareEmail = regexp.MustCompile(`(^|[^\w.+*•@-])[\w.+-]{2,}@[A-Za-z0-9]`)
	barePhone = regexp.MustCompile(`\d{7,}`)
)

// FuzzMasking never lets a whole telephone number or the name in an address pass, and masks nothing twice.
func FuzzMasking(f *testing.F) {
	for _, text := range []string{
		"Call 212-555-0123", "pat.miller@mail.example", "p***@mail.example or (***) ***-1234", "+1 (212) 555 0123 x", "1234567", "a@b", "@@@", "••• 1", "x2125550123",
		"• 212-555-0123", "AA@0AAA*0000000", "alexxa@mail.example",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masked := maskContacts(text)
		require.NotRegexp(t, bareEmail, masked)
		require.NotRegexp(t, barePhone, masked)
		require.Equal(t, utf8.ValidString(text), utf8.ValidString(masked))
		contact := maskedContact(text)
		require.NotRegexp(t, bareEmail, contact)
		require.NotRegexp(t, barePhone, contact)
	})
}

// FuzzOutlines takes numbers, addresses and what was typed out of whatever a page says.
func FuzzOutlines(f *testing.F) {
	for _, text := range []string{"h1: Welcome Pat", "a: pat@mail.example", "p: 4111 2222 3333 4444", "hunter2hunter2", "1 2 3 4 5 6", "\xff\xfe", "12\xff34", "hun\xffter2"} {
		f.Add(text)
	}
	v := &Run{secrets: []string{"hunter2"}}
	f.Fuzz(func(t *testing.T, text string) {
		got := v.redact(text)
		require.LessOrEqual(t, len(got), outlineLimit)
		require.True(t, utf8.ValidString(got))
		require.NotRegexp(t, `\d{3,}`, got)
		require.NotRegexp(t, bareEmail, got)
		require.NotContains(t, got, v.secrets[0])
	})
}
