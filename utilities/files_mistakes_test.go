package utilities

import (
	_ "embed"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// full is a file with every section, for mistakes in those that good leaves out.
//
//go:embed testdata/full.yaml
var full string

func TestFullFileIsRead(t *testing.T) {
	t.Parallel()
	_, err := ParseFile("site.yaml", []byte(full))
	require.NoError(t, err)
}

// TestMistakesInEverySection changes one thing in the full file and requires the line and the field of it to be named.
func TestMistakesInEverySection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"website without scheme":    {"website: https://", "website: ", "site.yaml:3: website: "},
		"no name":                   {"name: Some Site", `name: ""`, "site.yaml:2: name: must not be empty"},
		"confirmed on no such day":  {"2026-11-23", "2026-02-30", `site.yaml:8: mfa.confirmed: "2026-02-30" is not a date like 2026-11-23`},
		"faq that is no page":       {"faq: https:", "faq: mailto:", "site.yaml:10: mfa.faq: "},
		"kind nobody knows":         {"security_answer,", "fingerprint,", "mfa.kinds[1]: is fingerprint; must be one of number_code, security_answer, method_choice"},
		"kind written twice":        {"security_answer,", "number_code,", "site.yaml:7: mfa.kinds: "},
		"no source":                 {"  source: a test\n", "", "site.yaml:5: mfa.source: is missing"},
		"time without a unit":       {"render_wait: 30s", "render_wait: 30", "site.yaml:12: flow.render_wait: must be string, not number"},
		"time that is negative":     {"settle: 500ms", "settle: -5s", `site.yaml:13: flow.settle: "-5s" does not have the right form`},
		"no steps":                  {"      - {type: username, into: \"#user\"}\n      - {type: password, into: \"#password\"}\n", "      []\n", "flow.sign_in.steps: must not be empty"},
		"types something else":      {"type: username", "type: email", "site.yaml:17: flow.sign_in.steps[0].type: is email; must be one of username, password"},
		"into and press":            {`into: "#user"}`, `into: "#user", press: b}`, "site.yaml:17: flow.sign_in.steps[0]: says either type and into, or press"},
		"answer without address":    {"login: {url: /api/login}", "login: {}", "site.yaml:20: flow.answers.login.url: is missing"},
		"answer's expression":       {"login: {url: /api/login}", `login: {url: "("}`, `site.yaml:20: flow.answers.login.url: "(" is not a regular expression`},
		"no signed_in":              {"    signed_in: [{url: /home}]\n", "    locked: [{url: /home}]\n", "flow.pages.signed_in: is missing"},
		"page without a mark":       {"signed_in: [{url: /home}]", "signed_in: []", "site.yaml:22: flow.pages.signed_in: must not be empty"},
		"status out of bounds":      {"{url: /home}", "{answer: login, status: 99}", "flow.pages.signed_in[0].status: "},
		"status without answer":     {"{url: /home}", "{status: 200}", "flow.pages.signed_in[0].answer: is missing: status and where speak of an answer"},
		"hidden that is unreadable": {"{url: /home}", `{hidden: "a["}`, `flow.pages.signed_in[0].hidden: "a[" is not a selector`},
		"check of two forms":        {"{url: /home}", "{answer: login, where: {a: {not: 1, like: b}}}", "flow.pages.signed_in[0].where.a: "},
		"nag with nothing to press": {`{press: "#later", when`, `{when`, "site.yaml:24: flow.nags[0].press: is missing"},
		"nag's selector":            {`press: "#later"`, `press: "a("`, `site.yaml:24: flow.nags[0].press: "a(" is not a selector`},
		"nag's mark":                {"when: {text: [offer]}", "when: {url: '['}", `flow.nags[0].when.url: "[" is not a regular expression`},
		"choice without options":    {"    options: \"input[name=way]\"\n", "", "flow.choice.options: is missing"},
		"choice's selector":         {`submit: "#choose"`, `submit: "b)"`, `site.yaml:28: flow.choice.submit: "b)" is not a selector`},
		"code's selector":           {`field: "#code"`, `field: "#code'"`, "site.yaml:30: flow.code.field: "},
		"no tries":                  {"tries: 2", "tries: 0", "site.yaml:31: flow.code.tries: "},
		"prompt of no answer":       {"prompt_from: {answer: login", "prompt_from: {answer: logon", `site.yaml:32: flow.code.prompt_from.answer: flow.answers names no "logon"`},
		"question's selector":       {`field: "#answer"`, `field: "a:not("`, "site.yaml:34: flow.question.field: "},
		"picker's selector":         {`options: "#menu a"`, `options: "a["`, `flow.meters.read[0].pick.options: "a[" is not a selector`},
		"name in capitals":          {"as: account}", "as: Account}", `flow.meters.read[0].as: "Account" does not have the right form`},
		"open of an unknown thing":  {"list/{account.id}", "list/{customer.id}", `site.yaml:38: flow.meters.read[1].open: no step before this one is called "customer"`},
		"open of half an address":   {"open: \"https://www.site.example", "open: \"https://", "site.yaml:38: flow.meters.read[1].open: "},
		"column's expression":       {"{header: meter}", "{match: '('}", `flow.meters.read[2].columns.number.match: "(" is not a regular expression`},
		"column's selector":         {"{header: meter}", "{css: 'td['}", `flow.meters.read[2].columns.number: "td[" is not a selector`},
		"column of no form":         {"{header: meter}", "5", "flow.meters.read[2].columns.number: has none of the forms it may have"},
		"mark of none":              {"none: [{text: nothing}]", "none: [{url: '('}]", "flow.meters.read[2].none[0].url: "},
		"bearer not found yet":      {`bearer: "{account.id}"`, `bearer: "{more.token}"`, `flow.meters.read[3].bearer: no step before this one is called "more"`},
		"fetch of no address":       {`fetch: "/api/`, `fetch: "ftp://x/`, "flow.meters.read[3].fetch: "},
		"each of an unknown list":   {"each: more.list", "each: less.list", `flow.meters.read[4].each: no step before this one is called "less"`},
		"bearer of no answer":       {`bearer: "{account.id}"`, `bearer_of: tokens`, `flow.meters.read[3].bearer_of: flow.answers names no "tokens"`},
		"field of nothing found":    {`"{row.number}"]`, `"{page}{it.number}"]`, `flow.meters.fields.meter_number: no step before this one is called "it"`},
		"empty text of a field":     {`["{meter.number}", "{row.number}"]`, `[]`, "flow.meters.fields.meter_number: "},
		"with, but no like":         {"id: SITE", "id: SITE\nwith: {host: 5}", "site.yaml:2: with.host: must be string, not number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(full, c.from, c.to, 1)
			require.NotEqual(t, full, changed)
			_, err := ParseFile("site.yaml", []byte(changed))
			require.ErrorContains(t, err, c.want)
			var m *Mistake
			require.ErrorAs(t, err, &m, "whoever shows mistakes finds them")
			require.Equal(t, "site.yaml", m.File)
			require.Positive(t, m.Line)
		})
	}
}

// TestMistakesInSharedFlows names the shared file where the mistake is in it, and the own file where that is to blame.
func TestMistakesInSharedFlows(t *testing.T) {
	t.Parallel()
	before, flow, _ := strings.Cut(full, "flow:\n")
	flow = "flow:\n" + strings.ReplaceAll(flow, "www.site.example", "${host}")
	own := before + "like: family\nwith: {host: www.site.example}\n"
	for name, c := range map[string]struct{ own, shared, want string }{
		"selector":            {own, strings.Replace(flow, `field: "#code"`, `field: "["`, 1), `shared/family.yaml:20: flow.code.field: "[" is not a selector`},
		"address made up":     {strings.Replace(own, "host: www.site.example", `host: ""`, 1), flow, "shared/family.yaml:5: flow.sign_in.open: "},
		"own field":           {strings.Replace(own, "2026-11-23", "once", 1), flow, `own.yaml:8: mfa.confirmed: "once" is not a date`},
		"own unverified":      {own + "unverified: [flow.nothing]\n", flow, "own.yaml:13: unverified[0]: there is no field flow.nothing"},
		"unverified, no list": {own + "unverified: 5\n", flow, "own.yaml:13: unverified: must be array, not number"},
		"with, no map":        {strings.Replace(own, "{host: www.site.example}", "5", 1), flow, "own.yaml:12: with: shared/family.yaml also needs host"},
		"no YAML":             {own, "flow: [", "shared/family.yaml:1: "},
		"two values missing":  {strings.Replace(own, "{host: www.site.example}", "{}", 1), strings.Replace(flow, "#code", "#${field}", 1), "also needs field, host"},
		"both have a mistake": {strings.Replace(own, "policy: turn_off", "policy: none", 1), strings.Replace(flow, "tries: 2", "tries: two", 1), "shared/family.yaml:21: flow.code.tries: must be integer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := fstest.MapFS{"shared/family.yaml": {Data: []byte(c.shared)}}
			_, err := parseFile("own.yaml", []byte(c.own), folder)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := parseFile("own.yaml", []byte(own), fstest.MapFS{"shared/family.yaml": {Data: []byte(flow)}})
	require.NoError(t, err)
}

// TestOwnSharedFlowWins lets an operator's folder replace a shared flow that is built in.
func TestOwnSharedFlowWins(t *testing.T) {
	t.Parallel()
	before, flow, _ := strings.Cut(full, "flow:\n")
	dir := t.TempDir()
	write(t, dir, "site.yaml", before+"like: exelon\nwith: {host: secure.site.example}\n")
	c, err := Load(dir)
	require.NoError(t, err)
	u, err := c.Find("SITE")
	require.NoError(t, err)
	require.Equal(t, "https://secure.site.example/accounts/login", u.Flow.SignIn.Open, "the one that is built in")

	write(t, dir, "shared/exelon.yaml", "flow:\n"+flow)
	c, err = Load(dir)
	require.NoError(t, err)
	u, err = c.Find("SITE")
	require.NoError(t, err)
	require.Equal(t, "https://www.site.example/login", u.Flow.SignIn.Open)
	bge, err := c.Find("BGE")
	require.NoError(t, err)
	require.Equal(t, "https://secure.bge.com/accounts/login", bge.Flow.SignIn.Open, "files that are built in stay as they are")
}

// broken is a folder in which one file cannot be read.
type broken struct{ fstest.MapFS }

func (b broken) ReadFile(name string) ([]byte, error) {
	if name == "site.yaml" {
		return nil, errors.New("input/output error")
	}
	return b.MapFS.ReadFile(name)
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	folder := broken{fstest.MapFS{"site.yaml": {Data: []byte(full)}}}
	err := loadFolder(folder, "", map[string]*Utility{})
	require.EqualError(t, err, "reading utility file site.yaml: input/output error")
}

func TestMistakeWithoutAField(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &Mistake{File: "a.yaml", Line: 3, Problem: "is odd"}, "a.yaml:3: is odd")
	require.EqualError(t, syntaxMistake("a.yaml", errors.New("is odd")), "a.yaml: is odd")
}
