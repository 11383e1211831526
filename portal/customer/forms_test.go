package customer

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/portalkey"
)

var (
	sixDigits = &meterkey.Challenge{Kind: meterkey.NumberCode, Digits: 6}
	anyDigits = &meterkey.Challenge{Kind: meterkey.NumberCode}
	question  = &meterkey.Challenge{Kind: meterkey.SecurityAnswer}
	ways      = &meterkey.Challenge{Kind: meterkey.MethodChoice, Options: []meterkey.Option{{ID: "sms"}, {ID: "email"}}}
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		challenge            *meterkey.Challenge
		typed, answer, wrong string
	}{
		{sixDigits, "123456", "123456", ""},
		{sixDigits, " 123 456 ", "123456", ""},
		{sixDigits, "123-456", "123456", ""},
		{sixDigits, "12\u00a034\u201356\n", "123456", ""},
		{sixDigits, "", "", "code.empty"},
		{sixDigits, " - ", "", "code.empty"},
		{sixDigits, "12345", "", "code.digits"},
		{sixDigits, "1234567", "", "code.digits"},
		{sixDigits, "12a456", "", "code.wrong_number"},
		{sixDigits, "１２３４５６", "", "code.wrong_number"},
		{anyDigits, "12345678", "12345678", ""},
		{anyDigits, strings.Repeat("1", maxAnswer+1), "", "code.too_long"},
		{question, "  Rex ", "Rex", ""},
		{question, "O'Brien-Smith 7", "O'Brien-Smith 7", ""},
		{question, " \t", "", "code.empty_question"},
		{question, "\xff", "", "code.too_long"},
		{question, strings.Repeat("ñ", maxAnswer), strings.Repeat("ñ", maxAnswer), ""},
		{ways, "email", "email", ""},
		{ways, "fax", "", "choice.empty"},
		{ways, "", "", "choice.empty"},
	} {
		answer, wrong := readAnswer(c.challenge, c.typed)
		require.Equal(t, [2]string{c.answer, c.wrong}, [2]string{answer, wrong}, "%s %q", c.challenge.Kind, c.typed)
	}
}

func posted(t *testing.T, form url.Values) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestReadLogin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		username, password string
		wrong              map[string]string
	}{
		{"anna@example.com", " with blanks ", map[string]string{}},
		{"", "", map[string]string{"username": "sign_in.no_username", "password": "sign_in.no_password"}},
		{"  ", "x", map[string]string{"username": "sign_in.no_username"}},
		{"anna", strings.Repeat("x", maxLogin+1), map[string]string{"password": "sign_in.too_long"}},
		{"anna\x00", "\xff", map[string]string{"username": "sign_in.too_long", "password": "sign_in.too_long"}},
	} {
		form, wrong := readLogin(posted(t, url.Values{"username": {c.username}, "password": {c.password}}))
		require.Equal(t, c.wrong, wrong, "%q", c.username)
		require.Equal(t, c.password, form.Password, "a password is what was typed")
		require.Equal(t, strings.TrimSpace(c.username), form.Username)
	}
}

func FuzzReadAnswer(f *testing.F) {
	for _, seed := range []string{"123456", "123 456", "Rex", "sms", "", "\xff", "１２３"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		for _, c := range []*meterkey.Challenge{sixDigits, anyDigits, question, ways} {
			answer, wrong := readAnswer(c, typed)
			require.NotEqual(t, answer == "", wrong == "", "an answer, or what is wrong")
			require.True(t, utf8.ValidString(answer))
			if c.Kind == meterkey.NumberCode {
				require.Empty(t, strings.Trim(answer, "0123456789"))
			}
		}
	})
}

func FuzzReadLogin(f *testing.F) {
	f.Add("username=anna&password=secret&at=x")
	f.Add("username=%zz&password")
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		form, wrong := readLogin(r)
		if len(wrong) == 0 {
			require.NotEmpty(t, form.Username)
			require.NotEmpty(t, form.Password)
			require.True(t, utf8.ValidString(form.Username+form.Password))
		}
	})
}

// A link that we did not make leads to one and the same page, whatever it is, before anything is looked up.
func FuzzLink(f *testing.F) {
	key, err := portalkey.New([]byte(strings.Repeat("k", portalkey.Size)))
	require.NoError(f, err)
	other, err := portalkey.New([]byte(strings.Repeat("o", portalkey.Size)))
	require.NoError(f, err)
	d := testDeps(f)
	d.Key = key
	h, err := New(d)
	require.NoError(f, err)
	for _, seed := range []string{other.LinkToken("r-1", time.Unix(1, 0)), "r-1..", "...", "%", "r-1.1.AAAAAAAAAAAAAAAAAAAAAA"} {
		f.Add(seed, "login")
	}
	f.Fuzz(func(t *testing.T, token, below string) {
		if _, _, ours := key.ReadLinkToken(token); ours {
			return // nobody can guess that
		}
		address := Prefix + url.PathEscape(token) + "/" + url.PathEscape(below)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, address, nil))
			require.Contains(t, []int{http.StatusNotFound, http.StatusTemporaryRedirect, http.StatusMovedPermanently}, answer.Code)
			require.NotContains(t, answer.Body.String(), "went wrong")
		}
	})
}
