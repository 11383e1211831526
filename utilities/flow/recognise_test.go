package flow

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

// anyFlow is a flow with every kind of mark.
func anyFlow(t *testing.T) recogniser {
	t.Helper()
	u, err := utilities.ParseFile("any.yaml", []byte(head+`
flow:
  sign_in:
    open: https://www.site.example/login
    steps:
      - {type: username, into: "#user"}
      - {type: password, into: "#password"}
      - press: "#go"
  answers:
    login: {url: /api/login}
    verify: {url: /api/verify}
  pages:
    signed_in:
      - url: ^https://www\.site\.example/home
    rejected_login:
      - {answer: login, where: {status: {not: "200"}}}
      - {visible: "#error", hidden: "#code"}
    rejected_code:
      - {answer: verify, where: {right: false}}
      - {answer: verify, status: 403}
      - {visible: {css: "#error", says: Code}, text: [try again, once more]}
    locked:
      - {answer: login, where: {message: {like: "lock(ed)?"}}}
    question_form:
      - {visible: "#code", answer: login, where: {numeric: false}}
  nags:
    - press: "#later"
    - {press: "#close", when: {url: /home}}
  choice: {options: "input[name=way]"}
  code: {field: "#code"}
  question: {}
  meters:
    read: [{rows: "tr"}]
    fields: {meter_number: "x"}
`))
	require.NoError(t, err)
	return recogniser{&u.Flow}
}

const head = `id: SITE
name: Some Site
mfa: {policy: interactive, kinds: [number_code, security_answer, method_choice], confirmed: 2026-11-23, source: a test}
`

// oneTimeCode is what every file looks for beside its own code field.
const oneTimeCode = `input[autocomplete="one-time-code"]`

// shown is a snapshot in which selectors show.
func shown(selectors ...string) snapshot {
	s := snapshot{url: "https://www.site.example/login", loaded: true, visible: map[utilities.Element]location{}, texts: map[string]bool{}}
	for _, css := range selectors {
		s.visible[utilities.Element{CSS: css}] = location{CSS: css, Enabled: true}
	}
	return s
}

func (s snapshot) at(url string) snapshot { s.url = url; return s }

func (s snapshot) saying(css, says string) snapshot {
	s.visible[utilities.Element{CSS: css, Says: says}] = location{CSS: css}
	return s
}

func (s snapshot) text(text string) snapshot { s.texts[text] = true; return s }

func (s snapshot) answered(name string, status int, body string) snapshot {
	s.answers = append(s.answers, answer{name: name, status: status, body: body})
	return s
}

func (s snapshot) withStale(kinds ...utilities.PageKind) snapshot {
	s.stale = map[utilities.PageKind]bool{}
	for _, kind := range kinds {
		s.stale[kind] = true
	}
	return s
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	const home = "https://www.site.example/home"
	broken, blank := shown(), shown().at(home)
	broken.status, blank.loaded = 503, false
	late := shown()
	late.loaded, late.url = false, "chrome-error://chromewebdata/"
	gone := shown("#later", "#close").at(home)
	gone.dismissed = []*utilities.Dismissal{&f.Nags[0]}
	elsewhere := shown("#code", "#error")
	elsewhere.excluded = []utilities.PageKind{utilities.CodeForm}
	for name, c := range map[string]struct {
		seen snapshot
		want utilities.PageKind
	}{
		"nothing known":                      {shown("#other"), utilities.Unknown},
		"login form by its fields":           {shown("#user"), utilities.LoginForm},
		"password field alone":               {shown("#password"), utilities.LoginForm},
		"address":                            {shown().at(home), utilities.SignedIn},
		"address, whatever the case":         {shown().at("https://WWW.site.example/HOME"), utilities.SignedIn},
		"no body yet":                        {blank, utilities.Unknown},
		"server error":                       {broken, utilities.Unavailable},
		"browser's own error page":           {late, utilities.Unavailable},
		"code field":                         {shown("#code"), utilities.CodeForm},
		"code field by purpose":              {shown(oneTimeCode), utilities.CodeForm},
		"code form over the address":         {shown("#code").at(home), utilities.CodeForm},
		"code form before the choice":        {shown("#code", "input[name=way]"), utilities.CodeForm},
		"choice":                             {shown("input[name=way]"), utilities.ChoiceForm},
		"question by the answer":             {shown("#code").answered("login", 200, `{"numeric":false}`), utilities.QuestionForm},
		"answer without the field":           {shown().answered("login", 200, `{"numeric":false}`), utilities.Unknown},
		"refused by the answer":              {shown("#user").answered("login", 200, `{"status":"401"}`), utilities.RejectedLogin},
		"number as good as text":             {shown("#user").answered("login", 200, `{"status":200}`), utilities.LoginForm},
		"absent value proves nothing":        {shown("#user").answered("login", 200, `{}`), utilities.LoginForm},
		"locked beats refused":               {shown("#user").answered("login", 200, `{"status":"401","message":"LOCKED out"}`), utilities.Locked},
		"another answer's status":            {shown().answered("verify", 403, `{}`), utilities.RejectedCode},
		"status of another answer":           {shown().answered("login", 403, `{}`), utilities.Unknown},
		"message over the login form":        {shown("#user", "#error"), utilities.RejectedLogin},
		"message over the code form":         {shown("#code", "#error"), utilities.CodeForm},
		"message with words and text":        {shown("#code").saying("#error", "Code").text("once more"), utilities.RejectedCode},
		"message with words alone":           {shown("#code").saying("#error", "Code"), utilities.CodeForm},
		"nag":                                {shown("#later").at(home), utilities.Nag},
		"nag where it does not apply":        {shown("#close"), utilities.Unknown},
		"nag over a form":                    {shown("#later", "#user"), utilities.Nag},
		"nag pressed, another in the way":    {gone, utilities.Nag},
		"captcha beats everything":           {shown(".h-captcha:not([data-size=\"invisible\"])", "#error", "#later"), utilities.Captcha},
		"wording in general use":             {shown("#password").text("account has been locked"), utilities.Locked},
		"outage":                             {shown().text("service unavailable"), utilities.Unavailable},
		"outage announced over a form":       {shown("#password", "input[type=password]").text("service unavailable"), utilities.LoginForm},
		"old message does not count":         {shown("#user", "#error").withStale(utilities.RejectedLogin, utilities.LoginForm), utilities.Unknown},
		"answer counts over the old message": {shown("#error").answered("login", 200, `{"status":"1"}`).withStale(utilities.RejectedLogin), utilities.RejectedLogin},
		"old form, new page":                 {shown("#user").at(home).withStale(utilities.LoginForm), utilities.SignedIn},
		"what cannot come of the act":        {elsewhere, utilities.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, f.recognise(c.seen))
		})
	}
}

func TestPrecedenceNamesEveryPage(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, []utilities.PageKind{
		utilities.SignedIn, utilities.LoginForm, utilities.CodeForm, utilities.ChoiceForm, utilities.QuestionForm, utilities.RejectedLogin, utilities.RejectedCode, utilities.Locked, utilities.Captcha, utilities.PasswordExpired,
		utilities.RegistrationUnfinished, utilities.Nag, utilities.SessionEnded, utilities.Unavailable,
	}, precedence)
}

func TestMeaningWhenQuiet(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	for name, c := range map[string]struct {
		seen snapshot
		late bool
		want utilities.PageKind
	}{
		"form came back":              {shown("#user"), false, utilities.RejectedLogin},
		"old message stays":           {shown("#user", "#error").withStale(utilities.RejectedLogin, utilities.LoginForm), false, utilities.RejectedLogin},
		"old form stays":              {shown("#user").withStale(utilities.LoginForm), false, ""},
		"old form stays for long":     {shown("#user").withStale(utilities.LoginForm), true, utilities.RejectedLogin},
		"something else means itself": {shown("#other"), true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, afterLogin.meaning(f, c.seen, c.late))
		})
	}
}
