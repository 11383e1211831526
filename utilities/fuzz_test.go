package utilities

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

// What comes from elsewhere, namely operators' files and sites' answers, may hold anything. Each of these is also a test over its seeds.

// FuzzParseFile reads utility files of all sorts: what is wrong is told with the file's name, what is right can be followed.
func FuzzParseFile(f *testing.F) {
	for _, text := range []string{good, full, "", "id: [", "- a", "a: &a [*a]", "id: .nan", "id: SITE\nlike: exelon\nwith: {host: x}", "like: ../../x", "\x00", "? [a]\n: b"} {
		f.Add(text)
	}
	names, err := filepath.Glob("*.yaml")
	require.NoError(f, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseFile("site.yaml", []byte(text))
		if err != nil {
			var m *Mistake
			if errors.As(err, &m) {
				require.Positive(t, m.Line)
			}
			require.Contains(t, err.Error(), ".yaml")
			return
		}
		require.Regexp(t, `^[A-Z][A-Z0-9_]*$`, u.ID)
		require.Positive(t, u.WindowLifetime)
		require.NotEmpty(t, u.Flow.wanted)
		for _, e := range u.Flow.wanted {
			require.True(t, balanced(e.CSS), e.CSS)
		}
		requirePageKind(t, recognise(&u.Flow, shown()))
	})
}

func requirePageKind(t *testing.T, kind PageKind) {
	t.Helper()
	require.True(t, kind == Unknown || slices.Contains(precedence, kind), kind)
}

// FuzzOrigins reads files of origins: those that are taken lead there and back again.
func FuzzOrigins(f *testing.F) {
	for _, text := range []string{
		"https://www.site.example: http://site.localhost:4000", "https://a.example/: http://b/", "https://a.example: https://a.example",
		"a: b", "https://[::1]:8: http://x", "https://A.example: http://B.localhost", "https://a: http://b\nhttps://A: http://c", "", "5", "? x",
		"https://u@a.example: http://b",
	} {
		f.Add(text, "/login?a=b")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		file := filepath.Join(t.TempDir(), "origins.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		origins, err := LoadOrigins(file)
		if err != nil {
			require.Contains(t, err.Error(), "origins.yaml")
			return
		}
		require.NotEmpty(t, origins)
		for from, to := range origins {
			address := from + "/" + strings.TrimLeft(path, "/")
			if originOf(address) != from {
				continue // the path is none
			}
			there, err := origins.replace(address)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(there, to+"/"), there)
			require.Equal(t, address, origins.real(there))
		}
	})
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
	everOld := []PageKind{Captcha, Unavailable, Nag, SignedIn, Unknown}
	f.Fuzz(func(t *testing.T, url string, status int, answer, words string, which uint64) {
		for _, u := range embeddedUtilities(t) {
			s := scene{t, &u.Flow, Snapshot{URL: url, Status: status, Loaded: true, Seen: map[Element]Spot{}, Says: map[string]bool{}}}
			for i, element := range u.Flow.wanted {
				if which>>(i%64)&1 == 1 {
					s.Seen[element] = Spot{Nth: i}
				}
			}
			s = s.reading(words)
			old := s.stale(passing...)
			kind := recognise(&u.Flow, old)
			require.Contains(t, everOld, kind, u.ID)
			for name := range u.Flow.Answers {
				s.Snapshot = s.answered(name, status, answer)
			}
			requirePageKind(t, recognise(&u.Flow, s.Snapshot))
			s.Loaded = false
			require.Contains(t, []PageKind{Unavailable, Unknown}, recognise(&u.Flow, s.Snapshot), "a page without a body shows nothing")
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
			r := &reader{Visit: &Visit{flow: &u.Flow}, seen: map[Meter]bool{}}
			r.keep(s)
			for _, m := range r.meters {
				require.NotEqual(t, Meter{}, m)
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
		require.Equal(t, "https://www.site.example", originOf(address))
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
	v := &Visit{secrets: []string{"hunter2"}}
	f.Fuzz(func(t *testing.T, text string) {
		got := v.impersonal(text)
		require.LessOrEqual(t, len(got), outlineLimit)
		require.True(t, utf8.ValidString(got))
		require.NotRegexp(t, `\d{3,}`, got)
		require.NotRegexp(t, bareEmail, got)
		require.NotContains(t, got, v.secrets[0])
	})
}

// FuzzPaths writes the way to a field and reads it again.
func FuzzPaths(f *testing.F) {
	f.Add("flow.pages.locked[0].where")
	f.Add("[][0]..a")
	f.Fuzz(func(t *testing.T, field string) {
		path := undotted(field)
		require.Equal(t, path, undotted(dotted(path)))
		require.False(t, reaches(map[string]any{}, path))
	})
}
