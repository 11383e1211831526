package flow

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

func TestCheckForms(t *testing.T) {
	t.Parallel()
	u, err := utilities.ParseFile("a.yaml", []byte(head+`
flow:
  sign_in: {open: "https://www.site.example/", steps: [{type: username, into: a}, {type: password, into: b}]}
  answers: {x: {url: /x}}
  pages:
    signed_in:
      - {answer: x, where: {a: 200, b: {not: false}, c: {like: "^o"}}}
  code: {}
  choice: {options: c}
  meters: {read: [{rows: r}], fields: {tariff: x}}
`))
	require.NoError(t, err)
	mark := u.Flow.Pages[utilities.SignedIn][0]
	for body, want := range map[string]bool{
		`{"a":200,"b":true,"c":"OK"}`:  true,
		`{"a":"200","b":1,"c":"okay"}`: true,
		`{"a":201,"b":true,"c":"ok"}`:  false,
		`{"a":200,"b":false,"c":"ok"}`: false,
		`{"a":200,"c":"ok"}`:           false,
		`{"a":200,"b":true,"c":"no"}`:  false,
		`{"a":200,"b":true}`:           false,
		`["a"]`:                        false,
	} {
		require.Equal(t, want, shown().answered("x", 200, body).bears(mark), body)
	}
	require.False(t, shown().bears(mark), "no answer at all")
}
func TestChecksOfLongNumbers(t *testing.T) {
	t.Parallel()
	u, err := utilities.ParseFile("a.yaml", []byte(head+`
flow:
  sign_in: {open: "https://www.site.example/", steps: [{type: username, into: a}, {type: password, into: b}]}
  answers: {x: {url: /x}}
  pages:
    signed_in: [{answer: x, where: {ok: true}}]
    locked: [{answer: x, status: 423}]
    rejected_login: [{answer: x, where: {error.code: "0042", "tries.#": 2}}]
  code: {}
  choice: {options: c}
  meters: {read: [{rows: r}], fields: {tariff: x}}
`))
	require.NoError(t, err)
	f := recogniser{&u.Flow}
	for _, c := range []struct {
		status int
		body   string
		want   utilities.PageKind
	}{
		{200, `{"ok":true}`, utilities.SignedIn}, {200, `{"ok":"true"}`, utilities.SignedIn}, {200, `{"ok":null}`, utilities.Unknown}, {200, `{"ok":1}`, utilities.Unknown},
		{423, `{}`, utilities.Locked}, {423, `{"ok":true}`, utilities.Locked},
		{200, `{"error":{"code":"0042"},"tries":[1,2]}`, utilities.RejectedLogin}, {200, `{"error":{"code":42},"tries":[1,2]}`, utilities.Unknown},
		{200, `{"error":{"code":"0042"},"tries":[]}`, utilities.Unknown}, {200, `[]`, utilities.Unknown},
	} {
		require.Equal(t, c.want, f.recognise(shown().answered("x", c.status, c.body)), "%d %s", c.status, c.body)
	}
}
