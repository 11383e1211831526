package utilities

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// anyFlow is a flow with every kind of mark.
func anyFlow(t *testing.T) *Flow {
	t.Helper()
	u, err := ParseFile("any.yaml", []byte(head+`
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
	return &u.Flow
}

const head = `id: SITE
name: Some Site
mfa: {policy: interactive, kinds: [number_code, security_answer, method_choice], confirmed: 2026-11-23, source: a test}
`

// page is a snapshot in which selectors show.
func shown(selectors ...string) Snapshot {
	s := Snapshot{URL: "https://www.site.example/login", Loaded: true, Seen: map[Element]Spot{}, Says: map[string]bool{}}
	for _, css := range selectors {
		s.Seen[Element{CSS: css}] = Spot{CSS: css, Enabled: true}
	}
	return s
}

func (s Snapshot) at(url string) Snapshot { s.URL = url; return s }

func (s Snapshot) saying(css, says string) Snapshot {
	s.Seen[Element{CSS: css, Says: says}] = Spot{CSS: css}
	return s
}

func (s Snapshot) text(text string) Snapshot { s.Says[text] = true; return s }

func (s Snapshot) answered(name string, status int, body string) Snapshot {
	s.Answers = append(s.Answers, Received{Name: name, Status: status, Body: body})
	return s
}

func (s Snapshot) stale(kinds ...PageKind) Snapshot {
	s.Stale = map[PageKind]bool{}
	for _, kind := range kinds {
		s.Stale[kind] = true
	}
	return s
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	const home = "https://www.site.example/home"
	broken, blank := shown(), shown().at(home)
	broken.Status, blank.Loaded = 503, false
	late := shown()
	late.Loaded, late.URL = false, "chrome-error://chromewebdata/"
	gone := shown("#later", "#close").at(home)
	gone.Dismissed = []*Dismissal{&f.Nags[0]}
	elsewhere := shown("#code", "#error")
	elsewhere.Beside = []PageKind{CodeForm}
	for name, c := range map[string]struct {
		seen Snapshot
		want PageKind
	}{
		"nothing known":                      {shown("#other"), Unknown},
		"login form by its fields":           {shown("#user"), LoginForm},
		"password field alone":               {shown("#password"), LoginForm},
		"address":                            {shown().at(home), SignedIn},
		"address, whatever the case":         {shown().at("https://WWW.site.example/HOME"), SignedIn},
		"no body yet":                        {blank, Unknown},
		"server error":                       {broken, Unavailable},
		"browser's own error page":           {late, Unavailable},
		"code field":                         {shown("#code"), CodeForm},
		"code field by purpose":              {shown(oneTimeCode.CSS), CodeForm},
		"code form over the address":         {shown("#code").at(home), CodeForm},
		"code form before the choice":        {shown("#code", "input[name=way]"), CodeForm},
		"choice":                             {shown("input[name=way]"), ChoiceForm},
		"question by the answer":             {shown("#code").answered("login", 200, `{"numeric":false}`), QuestionForm},
		"answer without the field":           {shown().answered("login", 200, `{"numeric":false}`), Unknown},
		"refused by the answer":              {shown("#user").answered("login", 200, `{"status":"401"}`), RejectedLogin},
		"number as good as text":             {shown("#user").answered("login", 200, `{"status":200}`), LoginForm},
		"absent value proves nothing":        {shown("#user").answered("login", 200, `{}`), LoginForm},
		"locked beats refused":               {shown("#user").answered("login", 200, `{"status":"401","message":"LOCKED out"}`), Locked},
		"another answer's status":            {shown().answered("verify", 403, `{}`), RejectedCode},
		"status of another answer":           {shown().answered("login", 403, `{}`), Unknown},
		"message over the login form":        {shown("#user", "#error"), RejectedLogin},
		"message over the code form":         {shown("#code", "#error"), CodeForm},
		"message with words and text":        {shown("#code").saying("#error", "Code").text("once more"), RejectedCode},
		"message with words alone":           {shown("#code").saying("#error", "Code"), CodeForm},
		"nag":                                {shown("#later").at(home), Nag},
		"nag where it does not apply":        {shown("#close"), Unknown},
		"nag over a form":                    {shown("#later", "#user"), Nag},
		"nag pressed, another in the way":    {gone, Nag},
		"captcha beats everything":           {shown(".h-captcha:not([data-size=\"invisible\"])", "#error", "#later"), Captcha},
		"wording in general use":             {shown("#password").text("account has been locked"), Locked},
		"outage":                             {shown().text("service unavailable"), Unavailable},
		"outage announced over a form":       {shown("#password", "input[type=password]").text("service unavailable"), LoginForm},
		"old message does not count":         {shown("#user", "#error").stale(RejectedLogin, LoginForm), Unknown},
		"answer counts over the old message": {shown("#error").answered("login", 200, `{"status":"1"}`).stale(RejectedLogin), RejectedLogin},
		"old form, new page":                 {shown("#user").at(home).stale(LoginForm), SignedIn},
		"what cannot come of the act":        {elsewhere, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, recognise(f, c.seen))
		})
	}
}

func TestPrecedenceNamesEveryPage(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, []PageKind{
		SignedIn, LoginForm, CodeForm, ChoiceForm, QuestionForm, RejectedLogin, RejectedCode, Locked, Captcha, PasswordExpired,
		RegistrationUnfinished, Nag, SessionEnded, Unavailable,
	}, precedence)
}

func TestSettled(t *testing.T) {
	t.Parallel()
	f := anyFlow(t)
	for name, c := range map[string]struct {
		seen Snapshot
		late bool
		want PageKind
	}{
		"form came back":              {shown("#user"), false, RejectedLogin},
		"old message stays":           {shown("#user", "#error").stale(RejectedLogin, LoginForm), false, RejectedLogin},
		"old form stays":              {shown("#user").stale(LoginForm), false, ""},
		"old form stays for long":     {shown("#user").stale(LoginForm), true, RejectedLogin},
		"something else means itself": {shown("#other"), true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, afterLogin.settled(f, c.seen, c.late))
		})
	}
}
