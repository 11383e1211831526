package utilities

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// good is a small file without a mistake; tests change a line of it.
const good = `id: SITE
name: Some Site
aliases: [some]
mfa:
  policy: interactive
  kinds: [number_code]
  confirmed: 2026-11-23
  source: a test
flow:
  sign_in:
    open: https://www.site.example/login
    steps:
      - {type: username, into: "#user"}
      - {type: password, into: ["#password", {css: "input", says: "x"}]}
      - press: {css: button, says: Go}
  answers:
    login: {url: /api/login}
  pages:
    signed_in:
      - url: /home
    locked:
      - {answer: login, where: {message: {like: locked}}}
  code:
    digits: 6
  meters:
    read:
      - {fetch: https://www.site.example/list, items: all, as: meter}
    fields:
      meter_number: "{meter.number}"
unverified:
  - flow.pages.locked[0].where
`

func TestParseFile(t *testing.T) {
	t.Parallel()
	u, err := ParseFile("site.yaml", []byte(good))
	require.NoError(t, err)
	require.Equal(t, "SITE", u.ID)
	require.Equal(t, "site.yaml", u.File)
	require.Equal(t, 10*time.Minute, u.WindowLifetime)
	require.Equal(t, 45*time.Second, u.Flow.RenderWait)
	require.Equal(t, 3, u.Flow.Code.Tries)
	require.Equal(t, Target{{CSS: "#password"}, {CSS: "input", Says: "x"}}, u.Flow.SignIn.Steps[1].Into)
	require.Equal(t, []string{"flow.pages.locked[0].where"}, u.Unverified)
}

func TestMistakesNameFileLineAndField(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"no id":                {"id: SITE\n", "", "site.yaml:1: id: is missing"},
		"id in small letters":  {"id: SITE", "id: site", `site.yaml:1: id: "site" does not have the right form`},
		"unknown field":        {"aliases: [some]", "alias: [some]", "site.yaml:3: alias: is not a known field"},
		"unknown field inside": {"    digits: 6", "    digts: 6", "site.yaml:24: flow.code.digts: is not a known field"},
		"wrong type":           {"digits: 6", "digits: six", "site.yaml:24: flow.code.digits: must be integer, not string"},
		"policy":               {"policy: interactive", "policy: ask", "site.yaml:5: mfa.policy: is ask; must be one of interactive, turn_off"},
		"no policy":            {"  policy: interactive\n", "", "site.yaml:4: mfa.policy: is missing"},
		"unknown page":         {"    locked:\n", "    blocked:\n", "flow.pages.blocked: is not a known field"},
		"empty mark":           {"- url: /home", "- {}", "site.yaml:20: flow.pages.signed_in[0]: must not be empty"},
		"not a date":           {"2026-11-23", "yesterday", `site.yaml:7: mfa.confirmed: "yesterday" is not a date`},
		"target of no form":    {`into: "#user"`, "into: 5", "site.yaml:13: flow.sign_in.steps[0].into: has none of the forms"},
		"element without css":  {"{css: button, says: Go}", "{says: Go}", "site.yaml:15: flow.sign_in.steps[2].press.css: is missing"},
		"selector":             {`into: "#user"`, `into: "input[name=user"`, `site.yaml:13: flow.sign_in.steps[0].into: "input[name=user" is not a selector`},
		"regular expression":   {"url: /home", "url: (home", `site.yaml:20: flow.pages.signed_in[0].url: "(home" is not a regular expression`},
		"like":                 {"like: locked", "like: '['", `flow.pages.locked[0].where.message.like: "[" is not a regular expression`},
		"unknown answer":       {"{answer: login,", "{answer: logon,", `site.yaml:22: flow.pages.locked[0].answer: flow.answers names no "logon"`},
		"where without answer": {"{answer: login, where", "{where", "flow.pages.locked[0].answer: is missing"},
		"address":              {"open: https://www.site.example/login", "open: https:///login", "site.yaml:11: flow.sign_in.open:"},
		"username twice":       {"type: password", "type: username", "site.yaml:12: flow.sign_in.steps: type the username exactly once"},
		"type without into":    {`{type: username, into: "#user"}`, `{type: username}`, "site.yaml:13: flow.sign_in.steps[0]: says either type and into, or press"},
		"no code section":      {"  code:\n    digits: 6\n", "", "site.yaml:9: flow.code: is missing"},
		"choice without form":  {"[number_code]", "[number_code, method_choice]", "site.yaml:9: flow.choice: is missing"},
		"turned off, no FAQ":   {"interactive", "turn_off", "site.yaml:4: mfa.faq: is missing"},
		"unverified nothing":   {"locked[0].where", "locked[1].where", "site.yaml:31: unverified[0]: there is no field flow.pages.locked[1].where"},
		"reading of two kinds": {"{fetch: https", "{rows: tr, fetch: https", "flow.meters.read[0]: says exactly one of open, press, pick, rows, fetch, each"},
		"reading of nothing":   {"{fetch: https://www.site.example/list, items", "{items", "flow.meters.read[0]: says exactly one of"},
		"name not found":       {"{meter.number}", "{account.number}", `site.yaml:29: flow.meters.fields.meter_number: no step before this one is called "account"`},
		"our field":            {"meter_number:", "meter_no:", "site.yaml:29: flow.meters.fields.meter_no: is not a known field"},
		"page size in vain":    {"items: all", "items: all, page_size: 5", "flow.meters.read[0].page_size: the address has neither {page} nor {offset} in it"},
		"after, not optional":  {"items: all", "items: all, after: a", "flow.meters.read[0].after: is for optional steps"},
		"duration":             {"id: SITE", "id: SITE\nwindow_lifetime: soon", "site.yaml:2: window_lifetime:"},
		"written twice":        {"name: Some Site", "name: Some Site\nname: Other", "site.yaml:3: "},
		"no YAML":              {"name: Some Site", "name: [Some", "site.yaml:"},
		"unknown shared flow":  {"id: SITE", "id: SITE\nlike: nothing", "site.yaml:2: like: there is no shared flow of this name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(good, c.from, c.to, 1)
			require.NotEqual(t, good, changed)
			_, err := ParseFile("site.yaml", []byte(changed))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSeveralMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseFile("site.yaml", []byte(strings.NewReplacer("digits: 6", "digits: six", "policy: interactive", "policy: ask").Replace(good)))
	require.ErrorContains(t, err, "site.yaml:5: mfa.policy")
	require.ErrorContains(t, err, "site.yaml:24: flow.code.digits")
	var m *Mistake
	require.ErrorAs(t, err, &m)
	require.Equal(t, 5, m.Line)
}

func TestSharedFlow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before, flow, _ := strings.Cut(good, "flow:\n")
	flow, _, _ = strings.Cut(flow, "unverified:")
	base := "flow:\n" + strings.ReplaceAll(flow, "www.site.example", "${host}") + "unverified:\n  - flow.code.digits\n"
	own := before + "like: family\nwith: {host: one.site.example}\nunverified: [flow.meters]\n"
	write(t, dir, "shared/family.yaml", base)
	write(t, dir, "one.yaml", own)
	c, err := Load(dir)
	require.NoError(t, err)
	u, err := c.Find("SITE")
	require.NoError(t, err)
	require.Equal(t, "https://one.site.example/login", u.Flow.SignIn.Open)
	require.Equal(t, []string{"flow.meters", "flow.code.digits"}, u.Unverified)

	write(t, dir, "one.yaml", strings.Replace(own, "host: one", "hots: one", 1))
	_, err = Load(dir)
	require.ErrorContains(t, err, "one.yaml:10: with: shared/family.yaml also needs host")

	write(t, dir, "one.yaml", own)
	write(t, dir, "shared/family.yaml", strings.Replace(base, "digits: 6", "digits: six", 1))
	_, err = Load(dir)
	require.ErrorContains(t, err, "shared/family.yaml:16: flow.code.digits: must be integer")

	write(t, dir, "shared/family.yaml", strings.Replace(base, "flow.code.digits", "flow.code.number", 1))
	_, err = Load(dir)
	require.ErrorContains(t, err, "shared/family.yaml:23: unverified[0]: there is no field flow.code.number")
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

func TestSchemaDescribesEveryField(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", schema["$schema"])
	defs, ok := schema["$defs"].(map[string]any)
	require.True(t, ok)
	var described func(where string, node any)
	described = func(where string, node any) {
		object, ok := node.(map[string]any)
		if !ok {
			return
		}
		if fields, ok := object["properties"].(map[string]any); ok {
			for name, field := range fields {
				shape, ok := field.(map[string]any)
				require.True(t, ok)
				ref, _ := shape["$ref"].(string)
				target, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
				require.True(t, shape["description"] != nil || target["description"] != nil, "%s.%s has no description", where, name)
			}
		}
		for key, inner := range object {
			described(where+"."+key, inner)
		}
	}
	described("", schema)
}
