package flow

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/utilities"
)

// What page.js tells of a page, asked of a real one.

// plainFlow recognises nothing but its own login form and home page.
const plainFlow = `
flow:
  sign_in:
    open: https://www.site.example/login.html
    steps:
      - {type: username, into: "#user"}
      - {type: password, into: "#password"}
      - press: "#go"
  answers:
    list: {url: '/own\.json'}
  pages:
    signed_in: [{url: /home}]
    session_ended: [{visible: "#ended"}]
  nags:
    - press: "#later"
  choice: {options: "input[name=way]"}
  code: {field: "#code", submit: "#send"}
`

// siteOf serves files by their names and visits them by the plain flow, with meters read as told.
func siteOf(t *testing.T, pages map[string]string, meters string) *fixture {
	t.Helper()
	t.Parallel()
	folder := t.TempDir()
	for name, text := range pages {
		if filepath.Ext(name) == ".html" {
			text = "<!doctype html>" + text
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	if meters == "" {
		meters = "    read: [{rows: li}]\n    fields: {meter_number: x}\n"
	}
	return fixtureOf(t, parsed(t, "site", plainFlow+"  meters:\n"+meters), folder)
}

// finds looks at the page for elements alone.
func (t *fixture) finds(elements ...utilities.Element) snapshot {
	t.Helper()
	t.elements, t.texts = elements, []string{}
	s, err := t.takeSnapshot(t.Context())
	require.NoError(t, err)
	return s
}

func TestWhatShows(t *testing.T) {
	page := `<style>.far { position: absolute; left: -9999px } .low { position: absolute; top: 9000px } .empty { width: 0; height: 0; overflow: hidden }</style>`
	shows := map[string]bool{}
	for i, c := range []struct {
		html  string // the element with id=X is meant
		shows bool
	}{
		{`<button id=X>Go</button>`, true},
		{`<button id=X disabled>Go</button>`, true},
		{`<button id=X class=low>far down</button>`, true},
		{`<select><option id=X>one</select>`, true},
		{`<input id=X type=radio style="opacity:0"><label for=X>hidden behind its label</label>`, true},
		{`<label><input id=X type=checkbox style="display:none">within its label</label>`, true},
		{`<details open><summary>s</summary><b id=X>open</b></details>`, true},
		{`<button id=X hidden>Go</button>`, false},
		{`<button id=X style="display:none">Go</button>`, false},
		{`<div style="display:none"><button id=X>Go</button></div>`, false},
		{`<button id=X style="visibility:hidden">Go</button>`, false},
		{`<button id=X style="opacity:0">Go</button>`, false},
		{`<div style="opacity:0"><button id=X>Go</button></div>`, false},
		{`<button id=X class=far>Go</button>`, false},
		{`<div id=X class=empty></div>`, false},
		{`<input id=X type=hidden>`, false},
		{`<input id=X type=radio hidden><label for=X hidden>gone too</label>`, false},
		{`<select hidden><option id=X>one</select>`, false},
		{`<details><summary>s</summary><b id=X>closed</b></details>`, false},
		{`<template><b id=X>never drawn</b></template>`, false},
	} {
		id := fmt.Sprintf("x%d", i)
		page += strings.ReplaceAll(c.html, "X", id)
		shows["#"+id] = c.shows
	}
	tr := siteOf(t, map[string]string{"a.html": page}, "")
	tr.open("/a.html")
	var wanted []utilities.Element
	for css := range shows {
		wanted = append(wanted, utilities.Element{CSS: css})
	}
	s := tr.finds(wanted...)
	for css, want := range shows {
		require.Equal(t, want, s.shows(utilities.Target{{CSS: css}}), tr.eval(`document.querySelector('`+css+`')?.parentElement.outerHTML ?? ''`))
	}
}

func TestWhatCanBePressed(t *testing.T) {
	tr := siteOf(t, map[string]string{"a.html": `<button id=a>x</button><button id=b disabled>x</button><a id=c aria-disabled=true href=#>x</a>
		<a id=d class="button disabled" href=#>x</a><a id=e class=disabled-looks href=#>x</a><p><i>1</i></p><p><i>2</i></p>
		<input type=radio id=r style="display:none"><label>other</label><label for=r>mine</label>`}, "")
	tr.open("/a.html")
	s := tr.finds(utilities.Element{CSS: "#a"}, utilities.Element{CSS: "#b"}, utilities.Element{CSS: "#c"}, utilities.Element{CSS: "#d"}, utilities.Element{CSS: "#e"}, utilities.Element{CSS: "i", Says: "2"}, utilities.Element{CSS: "#r"})
	for css, want := range map[string]bool{"#a": true, "#b": false, "#c": false, "#d": false, "#e": true} {
		_, ok := s.pressable(utilities.Target{{CSS: css}})
		require.Equal(t, want, ok, css)
	}
	got, ok := s.pressable(utilities.Target{{CSS: "#b"}, {CSS: "#e"}})
	require.True(t, ok)
	require.Equal(t, utilities.Target{{CSS: "#e"}}, got, "the first that can be pressed")
	require.Equal(t, 1, s.visible[utilities.Element{CSS: "i", Says: "2"}].Nth, "the one with the words")
	require.Equal(t, location{CSS: "label", Nth: 1, Enabled: true, Tag: "INPUT"}, s.visible[utilities.Element{CSS: "#r"}], "a person presses the label")
}

func TestTheWordsOfAnElement(t *testing.T) {
	says := map[string]bool{ // whether the element says "sign in"
		`<button id=X>Sign  <b>in</b></button>`:                          true,
		`<button id=X aria-label="SIGN IN"><svg></svg>x</button>`:        false, // what shows counts
		`<button id=X aria-label="Sign in" style="width:9px">`:           true,
		`<input id=X type=submit value="Sign in now">`:                   true,
		`<input id=X type=button value="sign in">`:                       true,
		`<a id=X title="Sign in" style="display:block;height:9px">`:      true,
		`<img id=X alt="sign in" width=9 height=9>`:                      true,
		`<input id=X value="sign in">`:                                   false, // what somebody typed
		`<input id=X type=password value="sign in">`:                     false,
		`<button id=X>Sign<br>out</button>`:                              false,
		`<label><input id=X type=radio>Sign in by text</label>`:          true,
		`<button id=X><span hidden>sign in</span>other</button>`:         false,
		`<button id=X style="text-transform:uppercase">sign in</button>`: true,
	}
	page, wanted, byCSS := "", []utilities.Element{}, map[string]string{}
	for html := range says {
		css := fmt.Sprintf("#x%d", len(wanted))
		page += "<div>" + strings.ReplaceAll(html, "X", css[1:]) + "</div>"
		wanted, byCSS[css] = append(wanted, utilities.Element{CSS: css, Says: "Sign in"}), html
	}
	tr := siteOf(t, map[string]string{"a.html": page}, "")
	tr.open("/a.html")
	s := tr.finds(wanted...)
	for _, e := range wanted {
		require.Equal(t, says[byCSS[e.CSS]], s.shows(utilities.Target{e}), byCSS[e.CSS])
	}
}

// told calls one of page.js's functions.
func told[T any](t *fixture, call map[string]any) T {
	t.Helper()
	var returned T
	require.NoError(t, t.evaluate(t.Context(), nil, call, &returned))
	return returned
}

func css(list ...string) []map[string]string {
	var elements []utilities.Element
	for _, selector := range list {
		elements = append(elements, utilities.Element{CSS: selector})
	}
	return selectors(elements)
}

func TestCellsOfRows(t *testing.T) {
	tr := siteOf(t, map[string]string{"a.html": `
		<table><tr><th>Account</th><th>Account number</th><th>Meter<br>No.</th><th></th></tr>
		<tr class=r data-id=" 7 "><td> 1 </td><td>2
		 3</td><td>M-1 <i>old</i></td><td><a href="/x?y">open</a></td></tr><tr class=r><td>4</td></tr></table>
		<select><option class=o value=v1>First  one</option><option class=o value=v2>Second</option></select>`}, "")
	tr.open("/a.html")
	rows := told[[]map[string]string](tr, map[string]any{"do": "rows", "target": css(".none", "tr.r"), "columns": map[string]any{
		"exact": map[string]string{"header": "account"}, "part": map[string]string{"header": "meter no"}, "number": map[string]string{"header": "ACCOUNT NUMBER"},
		"nothing": map[string]string{"header": "tariff"}, "link": map[string]string{"css": "a", "attr": "href"}, "own": map[string]string{"attr": "data-id"},
		"inner": map[string]string{"css": "i"}, "row": map[string]string{"css": ".r"},
	}})
	require.Equal(t, []map[string]string{
		{"exact": "1", "part": "M-1 old", "number": "2 3", "nothing": "", "link": "/x?y", "own": "7", "inner": "old", "row": "1 2 3 M-1 old open"},
		{"exact": "4", "part": "", "number": "", "nothing": "", "link": "", "own": "", "inner": "", "row": "4"},
	}, rows)
	options := told[[]map[string]string](tr, map[string]any{"do": "rows", "target": css(".o"), "columns": map[string]any{
		"text": map[string]string{}, "value": map[string]string{"attr": "value"},
	}})
	require.Equal(t, []map[string]string{{"text": "First one", "value": "v1"}, {"text": "Second", "value": "v2"}}, options, "of a list that is closed too")
}

func TestWhatAFieldAsks(t *testing.T) {
	long := strings.Repeat("word ", 100)
	tr := siteOf(t, map[string]string{"a.html": `<label for=a>Your  code</label><input id=a>
		<p id=l1>Type what</p><p id=l2>we sent</p><input id=b aria-labelledby="l2 l1">
		<section>We sent a code to p***. <input id=c></section><input id=d aria-label="Code"><input id=e>
		<label for=f></label><section>Around <input id=f></section><label for=g>` + long + `</label><input id=g>
		<form>Outer <section>Inner <input id=h></section></form>`}, "")
	tr.open("/a.html")
	for id, want := range map[string]string{
		"#a": "Your code", "#b": "we sent", "#c": "We sent a code to p***.", "#d": "Code", "#e": "", "#f": "Around", "#g": strings.TrimSpace(long)[:200],
		"#h": "Inner", "#none": "",
	} {
		require.Equal(t, want, told[string](tr, map[string]any{"do": "prompt", "target": css(id)}), id)
	}
	require.Equal(t, "Your code", told[string](tr, map[string]any{"do": "text", "target": css("#none", "label")}), "of the first that shows")
	require.Empty(t, told[string](tr, map[string]any{"do": "text", "target": css("#e")}))
	require.Empty(t, told[string](tr, map[string]any{"do": "around", "target": css("#a")}), "it stands in no form")
}

func TestWhatOptionsAreCalled(t *testing.T) {
	tr := siteOf(t, map[string]string{"a.html": `<input type=radio name=w id=w1 value=sms><label for=w1>Text me</label> <b id=to>***-0123</b>
		<button class=b data-value=mail>Mail</button><button class=b id=call>Call</button><button class=b>Other</button><button class=b hidden>Fax</button>`}, "")
	tr.open("/a.html")
	options := func(target string) optionList {
		return told[optionList](tr, map[string]any{"do": "options", "target": css("#none", target), "targets": map[string]any{"sms": css("#to"), "mail": css("#nowhere")}})
	}
	radio := options("[name=w]")
	require.Len(t, radio, 1)
	require.Equal(t, [3]string{"sms", "Text me", "***-0123"}, [3]string{radio[0].Value, radio[0].Label, radio[0].Target})
	var got [][2]string
	for _, o := range options("button.b") {
		got = append(got, [2]string{o.Value, o.Label})
		require.Empty(t, o.Target)
	}
	require.Equal(t, [][2]string{{"mail", "Mail"}, {"call", "Call"}, {"", "Other"}}, got, "as far as they show")
}

func TestOutlineOfAPage(t *testing.T) {
	many := strings.Repeat("<button>more</button>", 300)
	tr := siteOf(t, map[string]string{"a.html": `<h1>Sign in</h1><form id=f action="/secret-path"><label>User <input name=user id=u autocomplete=username value="quokka-user"></label>
		<select id=s><option>Pat Miller</select><textarea>quokka words</textarea><button type=submit data-se=go>Go on</button></form><div role=alert>Try again</div>
		<p>Private textOf</p><input type=hidden name=token value=t0ken>` + many}, "")
	tr.open("/a.html")
	outline := told[string](tr, map[string]any{"do": "outline"})
	lines := strings.Split(outline, "\n")
	require.Equal(t, []string{
		"h1: Sign in", "form id=f", "label: User", "input id=u name=user autocomplete=username", "select id=s", "textarea", "button type=submit data-se=go: Go on",
		"div role=alert: Try again", "input type=hidden name=token (hidden)", "button: more",
	}, lines[:10])
	require.Len(t, lines, 200, "a page of any length has an outline of bounded length")
	for _, private := range []string{"quokka", "Pat Miller", "Private", "t0ken", "secret-path"} {
		require.NotContains(t, outline, private)
	}
}

func TestFramesWithinFrames(t *testing.T) {
	nested := "<b class=deep>4</b>"
	for n := 3; n >= 0; n-- {
		inner, err := json.Marshal(nested)
		require.NoError(t, err)
		nested = fmt.Sprintf(`<b class=n%d>x</b><iframe></iframe><script>document.querySelector('iframe').srcdoc = %s</script>`, n, strings.ReplaceAll(string(inner), "</", `<\/`))
	}
	tr := siteOf(t, map[string]string{"a.html": nested + `<iframe hidden srcdoc="<b class=unseen>x</b>"></iframe>`}, "")
	tr.open("/a.html")
	depth := func(css string) int {
		at, ok := tr.finds(utilities.Element{CSS: css}).locate(utilities.Target{{CSS: css}})
		if !ok {
			return -1
		}
		return len(at.Frames)
	}
	for n := range 4 {
		require.Eventually(t, func() bool { return depth(fmt.Sprintf(".n%d", n)) == n }, 3*callWait, pollInterval, "frame %d", n)
	}
	require.Equal(t, -1, depth(".deep"), "so deep nobody looks")
	require.Equal(t, -1, depth(".unseen"), "nor into frames that do not show")
}

// TestLookTellsEveryPageKind shows a tiny page of each kind.
func TestLookTellsEveryPageKind(t *testing.T) {
	pages := map[utilities.PageKind]string{
		utilities.SignedIn: `home`, utilities.LoginForm: `<input id=user>`, utilities.CodeForm: `<input id=code>`, utilities.ChoiceForm: `<input name=way type=radio>`,
		utilities.RejectedLogin: `<input type=password> Incorrect password`, utilities.RejectedCode: `<input id=code> The code is incorrect.`,
		utilities.Locked: `This account is locked`, utilities.Captcha: `<div class=cf-turnstile>.</div>`, utilities.PasswordExpired: `Your password has expired`,
		utilities.RegistrationUnfinished: `Finish your registration`, utilities.SessionEnded: `<i id=ended>Bye</i>`, utilities.Unavailable: `Down for maintenance`, utilities.Unknown: `<h1>News</h1>`,
	}
	files := map[string]string{}
	for kind, html := range pages {
		files[string(kind)+".html"] = html
	}
	files["home.html"] = pages[utilities.SignedIn]
	tr := siteOf(t, files, "")
	for kind := range pages {
		path := "/" + string(kind) + ".html"
		tr.flow.RenderWait = callWait
		switch kind {
		case utilities.SignedIn:
			path = "/home.html"
		case utilities.Unknown:
			tr.flow.RenderWait = pollInterval
		}
		tr.open(path)
		seen, err := tr.Look(t.Context())
		tr.saw(seen, err, kind)
		require.Equal(t, kind == utilities.Unknown, seen.Evidence != nil, "evidence is for what is not known")
		require.Equal(t, kind == utilities.CodeForm || kind == utilities.ChoiceForm || kind == utilities.RejectedCode, seen.Challenge != nil, kind)
		require.False(t, seen.Typed)
	}
	for status, want := range map[string]utilities.PageKind{"500": utilities.Unavailable, "503": utilities.Unavailable, "429": utilities.Unavailable, "404": utilities.Unknown, "403": utilities.Unknown} {
		tr.flow.RenderWait = callWait
		tr.open("/status/" + status)
		kind, err := tr.Glance(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, kind, status)
	}
}
