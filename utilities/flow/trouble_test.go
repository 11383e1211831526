package flow

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// What may go wrong while the meters are read or a challenge is answered, and what comes of it.

// reads is how meters are read in one of these tests: steps, and for fields what they call meter and account.
func reads(steps string) string {
	fields := "status: x"
	if strings.Contains(steps, "as: meter") {
		fields = `meter_number: "{meter}"`
	}
	if strings.Contains(steps, "as: account") {
		fields += `, account_number: "{account.number}"`
	}
	return "    read:\n" + steps + "    fields: {" + fields + "}\n"
}

func (t *fixture) stopsReading(want utilities.PageKind) Observation {
	t.Helper()
	meters, seen, err := t.Meters(t.Context())
	t.saw(seen, err, want)
	require.Empty(t, meters, "no list is better than half a list")
	return seen
}

// TestReadingMeetsAnotherPage opens, presses, picks, lists and fetches where another page stands in the way.
func TestReadingMeetsAnotherPage(t *testing.T) {
	pages := map[string]string{
		"home.html": `<button id=go onclick="location='ended.html'">Go</button>`, "ended.html": `<i id=ended>Bye</i>`,
		"captcha.html": `<div class=cf-turnstile>.</div><ul><li>M-1</ul>`, "locked.html": `This account is locked`,
	}
	for name, c := range map[string]struct {
		from, steps string
		want        utilities.PageKind
	}{
		"pressing ends the session":           {"/home.html", `      - {press: "#go"}` + "\n" + `      - {rows: li, as: meter}`, utilities.SessionEnded},
		"no rows behind a check for robots":   {"/captcha.html", `      - {rows: li.none, as: meter}`, utilities.Captcha},
		"no picker on a locked account":       {"/locked.html", `      - {pick: {options: option}, as: account}`, utilities.Locked},
		"a fetch is answered by a page":       {"/locked.html", `      - {fetch: /locked.html, as: meter}`, utilities.Locked},
		"the site refuses with its own 440":   {"/home.html", `      - {fetch: /status/440, as: meter}`, utilities.SessionEnded},
		"the site has had enough of us":       {"/home.html", `      - {fetch: /status/429, as: meter}`, utilities.Unavailable},
		"the site has moved its list":         {"/home.html", `      - {fetch: /status/404, as: meter}`, utilities.Unknown},
		"a page that cannot be reached":       {"/home.html", `      - {open: "https://id.site.example/x"}` + "\n" + `      - {rows: li, as: meter}`, utilities.Unavailable},
		"the token of a request nobody makes": {"/home.html", `      - {fetch: /api/own?page=1, bearer_of: list, as: meter}`, utilities.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			tr := siteOf(t, pages, reads(c.steps+"\n"))
			if c.want == utilities.Unknown {
				tr.flow.RenderWait = 2 * time.Second // waited out in full
			}
			tr.open(c.from)
			if c.want == utilities.Unavailable {
				tr.origins[realID] = "http://127.0.0.1:1"
			}
			seen := tr.stopsReading(c.want)
			require.Equal(t, c.want == utilities.Unknown, seen.Evidence != nil)
			if name == "the site has moved its list" {
				require.Contains(t, seen.Evidence.Outline, "[/status/404 answered with status 404 and no JSON]")
			}
		})
	}
}

// TestReadingNeverReachesARealSite refuses addresses that practising does not replace, also those the site itself answers.
func TestReadingNeverReachesARealSite(t *testing.T) {
	for name, step := range map[string]string{
		"open":  `      - {open: "https://elsewhere.example/list"}`,
		"fetch": `      - {fetch: "https://elsewhere.example/list", as: meter}`,
	} {
		t.Run(name, func(t *testing.T) {
			tr := siteOf(t, map[string]string{"home.html": "Home"}, reads(step+"\n"))
			tr.open("/home.html")
			_, _, err := tr.Meters(t.Context())
			require.ErrorIs(t, err, utilities.ErrOriginNotReplaced)
			require.ErrorContains(t, err, "elsewhere.example")
		})
	}
}

func TestFetchThatIsNeverAnswered(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": "Home"}, reads("      - {fetch: /silent, as: meter}\n"))
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/silent" {
			_, _ = io.WriteString(w, "<h1>Home</h1>") // the test sees what arrives
			return
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	tr.origins[realWWW] = silent.URL
	tr.flow.RenderWait = time.Second
	tr.open("/home.html")
	require.Contains(t, tr.stopsReading(utilities.Unknown).Evidence.Outline, "[/silent did not answer]")
}

// TestReadingGoesOnWithout leaves out what is optional.
func TestReadingGoesOnWithout(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": `<ul><li>M-1</li></ul>`}, reads(`      - {fetch: /status/404, as: session, optional: true}
      - {fetch: /api/accounts?page=1, bearer: "{session.token}", as: more, optional: true}
      - {fetch: /api/own?page=1, bearer_of: list, as: own, optional: true}
      - {each: session.list, as: extra, optional: true}
      - {pick: {options: option}, as: account, optional: true}
      - {press: "#menu", optional: true, after: ul}
      - {rows: li, columns: {n: {}}, as: row}
      - {each: row.n, as: meter}
`))
	tr.open("/home.html")
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
}

func TestPagesThatNeverEnd(t *testing.T) {
	t.Run("JSON that is the same on every page", func(t *testing.T) {
		tr := siteOf(t, map[string]string{"home.html": "Home", "list.json": `["M-1", "M-2"]`}, reads("      - {fetch: '/list.json?p={page}&o={offset}', items: '@this', page_size: 2, as: meter}\n"))
		tr.open("/home.html")
		asked := tr.asked("/list.json")
		require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}, {MeterNumber: "M-2"}}, tr.read())
		require.Equal(t, []string{"p=1&o=0", "p=2&o=2"}, *asked)
	})
	t.Run("more of which nothing comes", func(t *testing.T) {
		tr := siteOf(t, map[string]string{"home.html": `<ul><li>M-1</ul><button id=more onclick="document.title += '+'">More</button>`},
			reads("      - {rows: li, columns: {n: {}}, next: '#more', as: row}\n      - {each: row.n, as: meter}\n"))
		tr.flow.RenderWait = 2 * time.Second
		tr.open("/home.html")
		require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
		require.Equal(t, "+", tr.eval(`document.title`), "pressed once")
	})
}

// asked collects the queries of the page's requests to a path.
func (t *fixture) asked(path string) *[]string {
	t.Helper()
	queries := &[]string{}
	require.NoError(t, t.page().Route("**"+path+"*", func(route playwright.Route) {
		if _, query, found := strings.Cut(route.Request().URL(), "?"); found {
			*queries = append(*queries, query)
		}
		if err := route.Continue(); err != nil {
			t.Error(err)
		}
	}))
	return queries
}

// TestAListThatComesLate is not taken for an empty one because the page says so until it has come.
func TestAListThatComesLate(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": `<ul><p>No accounts yet</p></ul><script>setTimeout(() => { document.querySelector('ul').innerHTML = '<li>M-1</li>' }, 150)</script>`},
		reads("      - {rows: li, columns: {n: {}}, as: row}\n      - {each: row.n, as: meter}\n"))
	tr.flow.Settle = 2 * time.Second
	tr.open("/home.html")
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
}

func TestAnAccountThatIsNoLongerOffered(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": `<a href=# class=o>A-1</a><br><a href=# class=o>A-2</a><ul><li>M-1</ul>
		<script>for (const a of document.querySelectorAll('.o')) a.onclick = () => { document.querySelectorAll('.o')[1].remove() }</script>`},
		reads("      - {pick: {options: .o}, columns: {number: {}}, as: account}\n      - {rows: li, columns: {n: {}}, as: row}\n"))
	tr.flow.RenderWait = time.Second
	tr.open("/home.html")
	_, _, err := tr.Meters(t.Context())
	require.EqualError(t, err, "picking an account: number 2 is no longer offered", "half a list is none")
}

func TestAPickerWithAButton(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": `<label><input type=radio name=a class=o value=1>A-1</label><label><input type=radio name=a class=o value=2>A-2</label>
		<button id=show>Show</button><ul></ul><script>document.querySelector('#show').onclick = () => {
		document.querySelector('ul').innerHTML = '<li>M-' + document.querySelector('.o:checked').value + '</li>' }</script>`},
		reads("      - {pick: {options: .o, submit: '#show'}, columns: {number: {attr: value}}, as: account}\n      - {rows: li, columns: {n: {}}, as: row}\n      - {each: row.n, as: meter}\n"))
	tr.open("/home.html")
	require.Equal(t, []meterkey.Meter{{AccountNumber: "1", MeterNumber: "M-1"}, {AccountNumber: "2", MeterNumber: "M-2"}}, tr.read())
}

func TestNagsWhileReading(t *testing.T) {
	tr := siteOf(t, map[string]string{"home.html": `<style>#over { position: fixed; inset: 0; background: white }</style><ul></ul>
		<div id=over><button id=later>Later</button></div><script>document.querySelector('#later').onclick = () => {
		document.querySelector('#over').remove(); document.querySelector('ul').innerHTML = '<li>M-1</li>' }</script>`},
		reads("      - {rows: li, columns: {n: {}}, as: row}\n      - {each: row.n, as: meter}\n"))
	tr.open("/home.html")
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
}

// TestReadingIsInterrupted ends at once, with an error that says why.
func TestReadingIsInterrupted(t *testing.T) {
	for name, step := range map[string]string{
		"listing": "{rows: li.none, as: meter}", "pressing": "{press: '#none'}", "picking": "{pick: {options: .none}, as: account}",
		"awaiting a token": "{fetch: /api/own?page=1, bearer_of: list, as: meter}",
	} {
		t.Run(name, func(t *testing.T) {
			tr := siteOf(t, map[string]string{"home.html": "Home"}, reads("      - "+step+"\n"))
			tr.open("/home.html")
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, _, err := tr.Meters(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NoError(t, tr.page().Close())
			_, _, err = tr.Meters(t.Context())
			require.ErrorIs(t, err, ErrPageGone)
		})
	}
}

func TestChallengesTheFileKnowsNothingOf(t *testing.T) {
	tr := siteOf(t, map[string]string{"code.html": `<input id=code><button id=send>Send</button>`}, "")
	tr.open("/code.html")
	tr.flow.Code, tr.flow.Choice = nil, nil
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.EqualError(t, err, "typing a code: the file of SITE says nothing of one")
	require.Empty(t, *tr.begun)
	_, err = tr.Choose(t.Context(), "sms")
	require.ErrorIs(t, err, ErrNotOffered)
	_, err = tr.ResendCode(t.Context())
	require.ErrorIs(t, err, ErrNotOffered)
}

// TestACodeThatCannotBeSentOff is not typed again; the error tells what lay in the way and not what was typed.
func TestACodeThatCannotBeSentOff(t *testing.T) {
	tr := siteOf(t, map[string]string{"code.html": `<style>#over { position: fixed; inset: 0; background: white }</style>
		<input id=code><button id=send>Send</button><div id=over hidden>Please wait</div>
		<script>code.onblur = () => { over.hidden = false }</script>`}, "")
	tr.open("/code.html")
	_, err := tr.SubmitCode(t.Context(), "424242", "code")
	require.ErrorContains(t, err, "pressing #send")
	require.NotContains(t, err.Error(), "424242")
	require.Equal(t, "424242", tr.eval(`document.querySelector('#code').value`), "typed once")
	require.Equal(t, []string{"code"}, *tr.begun)
	tr.secretsKept("424242")
}

func TestASessionThatEndsBeforeTheCodeIsTyped(t *testing.T) {
	tr := siteOf(t, map[string]string{"ended.html": `<i id=ended>Bye</i>`, "login.html": `<input id=user><input id=password type=password>`}, "")
	for _, path := range []string{"/ended.html", "/login.html"} {
		tr.open(path)
		tr.submit("424242", utilities.SessionEnded)
		seen, err := tr.ResendCode(t.Context())
		require.ErrorIs(t, err, ErrNotOffered, seen.Page)
	}
	require.Empty(t, *tr.begun, "no try is spent on it")
}

func TestEvidenceOfAPageThatIsGone(t *testing.T) {
	tr := siteOf(t, map[string]string{"a.html": "<h1>News</h1>"}, "")
	tr.open("/a.html")
	s, err := tr.takeSnapshot(t.Context())
	require.NoError(t, err)
	require.NoError(t, tr.page().Close())
	e := tr.evidence(t.Context(), s)
	require.Equal(t, &Evidence{URL: realWWW + "/a.html"}, e, "what can be had")
	require.Equal(t, 1, tr.logs.FilterMessage("no screenshot").Len())
	require.Equal(t, 1, tr.logs.FilterMessage("no outline").Len())
}

// TestRunsOnNoPage says so in every way to begin.
func TestRunsOnNoPage(t *testing.T) {
	t.Parallel()
	run := New(&utilities.Utility{Flow: *anyFlow(t).Flow}, func() playwright.Page { return nil }, Options{})
	defer run.Close()
	for name, begin := range map[string]func() error{
		"sign in": func() error { _, err := run.SignIn(t.Context(), login); return err },
		"look":    func() error { _, err := run.Look(t.Context()); return err },
		"glance":  func() error { _, err := run.Glance(t.Context()); return err },
		"code":    func() error { _, err := run.SubmitCode(t.Context(), "424242", "code"); return err },
		"again":   func() error { _, err := run.ResendCode(t.Context()); return err },
		"probe":   func() error { _, err := run.Probe(t.Context()); return err },
		"press":   func() error { return run.press(t.Context(), location{CSS: "a"}) },
		"keys":    func() error { return run.typeText(t.Context(), location{CSS: "a"}, "424242") },
		"escape":  func() error { return run.escape(t.Context()) },
		"meters": func() error {
			run.flow.Meters.Read = []utilities.Reading{{Open: realWWW}}
			_, _, err := run.Meters(t.Context())
			return err
		},
	} {
		err := begin()
		require.ErrorIs(t, err, ErrPageGone, name)
		require.NotContains(t, err.Error(), "424242")
	}
}

func TestProbingASiteThatIsNotThere(t *testing.T) {
	tr := siteOf(t, nil, "")
	tr.origins[realWWW] = "http://127.0.0.1:1"
	_, err := tr.Probe(t.Context())
	require.ErrorIs(t, err, ErrUnavailable)
	tr.origins = utilities.Origins{"https://other.example": "http://127.0.0.1:1"}
	_, err = tr.Probe(t.Context())
	require.ErrorIs(t, err, utilities.ErrOriginNotReplaced)
}
