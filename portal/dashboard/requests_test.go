package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func TestAFilterIsItsAddress(t *testing.T) {
	t.Parallel()
	for _, f := range []filter{
		{}, {Status: meterkey.AwaitingCode}, {Search: "ana & co", Utility: "CONED", Acts: meterkey.Customer, Tests: true, Archived: true, After: "abc"},
	} {
		u, err := url.Parse(f.address())
		require.NoError(t, err)
		require.Equal(t, f, readFilter(u.Query()))
	}
	require.Equal(t, "/dashboard/requests", filter{}.address())
	require.Empty(t, readFilter(url.Values{"status": {"nonsense"}}).Status)
}

func TestTheListFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	f.record("acme", pastRequest{email: "ana@example.com", name: "Ana", utility: "CONED", asked: true, statuses: byCode, meters: 1})
	f.record("acme", pastRequest{email: "ben@example.com", nickname: "Roof 7", utility: "PSEG", asked: true, statuses: waiting})
	f.record("acme", pastRequest{email: "cy@example.com", utility: "PSEG", asked: true, statuses: failed, reason: meterkey.TooManyLogins})
	f.record("acme", pastRequest{email: "dee@example.com", utility: "DEMO", asked: true, statuses: waiting, test: true})
	v := f.signedIn(patsEmail)
	for query, want := range map[string][]string{
		"":                             {"ana", "ben", "cy"},
		"?tests=yes":                   {"ana", "ben", "cy", "dee"},
		"?status=connected":            {"ana"},
		"?status=failed":               {"cy"},
		"?utility=PSEG":                {"ben", "cy"},
		"?acts=customer":               {"ben"},
		"?acts=requester":              {"cy"},
		"?q=BEN@EX":                    {"ben"},
		"?q=roof":                      {"ben"},
		"?q=ana&status=awaiting_login": nil,
		"?archived=yes":                nil,
		"?utility=PSEG&status=failed":  {"cy"},
	} {
		body := v.get("/dashboard/requests" + query).body
		var found []string
		for _, name := range []string{"ana", "ben", "cy", "dee"} {
			if strings.Contains(body, name+"@example.com</a>") {
				found = append(found, name)
			}
		}
		require.Equal(t, want, found, query)
	}
}

func TestTabsCount(t *testing.T) {
	t.Parallel()
	shown := tabs(filter{Status: meterkey.Declined, Search: "x", After: "y"}, map[meterkey.Status]int{meterkey.Connected: 1200, meterkey.Failed: 2, "": 1})
	require.Equal(t, []tab{
		{"", "All", "/dashboard/requests?q=x", 1203, false},
		{meterkey.Connected, "Connected", "/dashboard/requests?q=x&status=connected", 1200, false},
		{meterkey.Declined, "Declined", "/dashboard/requests?q=x&status=declined", 0, true},
		{meterkey.Failed, "Failed", "/dashboard/requests?q=x&status=failed", 2, false},
	}, shown)
}

func TestPagesOfTheListMissNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	for i := range pageSize + 20 {
		f.record("acme", pastRequest{email: fmt.Sprintf("c%03d@example.com", i), statuses: waiting, ago: time.Duration(i) * time.Minute})
	}
	v := f.signedIn(patsEmail)
	first := v.get("/dashboard/requests").body
	require.Equal(t, pageSize, strings.Count(first, `class="open"`))
	require.Contains(t, first, "c000@example.com")
	_, rest, found := strings.Cut(first, `<a class="button plain" href="/dashboard/requests?after=`)
	require.True(t, found)
	after, _, _ := strings.Cut(rest, `"`)
	second := v.get("/dashboard/requests?after=" + after).body
	require.Equal(t, 20, strings.Count(second, `class="open"`))
	require.Contains(t, second, "c069@example.com")
	require.NotContains(t, second, "Older requests")
	require.Contains(t, second, ">Newest</a>")
	require.Equal(t, "/dashboard/requests", v.get("/dashboard/requests?after=gone").location(), "a page that began after a request that is gone")
}

func TestStepsSayHowLongEachTook(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	timeline := []meterkey.Moment{
		{Status: meterkey.AwaitingLogin, At: now.Add(-time.Hour)}, {Status: meterkey.SigningIn, At: now.Add(-2 * time.Minute)},
		{Status: meterkey.AwaitingLogin, Reason: meterkey.InvalidCredentials, At: now.Add(-90 * time.Second)},
	}
	shown := steps(timeline, now)
	require.Equal(t, []string{"58 min 0 s", "30 s", "1 min 30 s so far"}, []string{shown[0].Length, shown[1].Length, shown[2].Length})
	require.Equal(t, "The customer's utility did not accept the login.", shown[2].Why)
	ended := steps(append(timeline, meterkey.Moment{Status: meterkey.Declined, At: now}), now)
	require.Equal(t, "the end", ended[3].Length)
}

func TestActionsFitTheRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		past pastRequest
		fits []string
	}{
		"waiting":   {pastRequest{statuses: waiting}, []string{"resend", "cancel", "archive"}},
		"signing":   {pastRequest{utility: "PSEG", statuses: signing}, []string{"cancel", "archive"}},
		"asked":     {pastRequest{utility: "PSEG", statuses: asked}, []string{"resend", "cancel", "archive"}},
		"connected": {pastRequest{utility: "PSEG", statuses: straight}, []string{"resend", "revoke", "archive"}},
		"declined":  {pastRequest{statuses: declined}, []string{"resend", "archive"}},
		"starting":  {pastRequest{}, []string{"archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, options{})
			uid := f.record("acme", c.past)
			v := f.signedIn(patsEmail)
			body := v.get("/dashboard/requests/" + uid).body
			for _, a := range actions() {
				offered := slices.Contains(c.fits, a.Name)
				require.Equal(t, offered, strings.Contains(body, "/"+a.Name+`"`), a.Name)
				status := map[bool]int{true: 200, false: 404}[offered]
				require.Equal(t, status, v.get("/dashboard/requests/"+uid+"/"+a.Name).status, a.Name)
				if !offered {
					require.Equal(t, 404, v.post("/dashboard/requests/"+uid+"/"+a.Name, nil).status, a.Name)
				}
			}
		})
	}
}

// A request that was stored but never started, because Temporal was down, can be sent again.
func TestAStrandedRequestCanBeResent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{})
	require.Equal(t, 404, f.signedIn(patsEmail).get("/dashboard/requests/"+uid+"/resend").status, "it is only now being started")
	old := f.record("acme", pastRequest{ago: 2 * time.Minute})
	require.Equal(t, 200, f.signedIn(patsEmail).get("/dashboard/requests/"+old+"/resend").status)
}

func TestArchivedRequestsComeBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{email: "ana@example.com", statuses: waiting})
	v := f.signedIn(patsEmail)
	require.Contains(t, v.post("/dashboard/requests/"+uid+"/archive", nil).location(), "done=archived")
	require.NotContains(t, v.get("/dashboard/requests").body, "ana@example.com")
	require.Contains(t, v.get("/dashboard/requests?archived=yes").body, "ana@example.com")
	require.Contains(t, v.post("/dashboard/requests/"+uid+"/unarchive", nil).location(), "done=unarchived")
	require.Contains(t, v.get("/dashboard/requests").body, "ana@example.com")
}

// A request that the API closed to the customer says so, wherever it is shown.
func TestClosedRequestsSaySo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{statuses: waiting})
	v := f.signedIn(patsEmail)
	require.NotContains(t, v.get("/dashboard/requests").body, "Closed to the customer")
	closed := true
	_, err := f.store.UpdateRequest(t.Context(), "acme", uid, store.RequestChange{Disabled: &closed})
	require.NoError(t, err)
	require.Contains(t, v.get("/dashboard/requests").body, "Closed to the customer")
	require.Contains(t, v.get("/dashboard/requests/"+uid).body, "Closed to the customer")
}

// The list shows what happens elsewhere, and neither focus nor scroll are lost over it.
func TestTheListIsLive(t *testing.T) {
	f := newFixture(t, options{})
	f.seed()
	uid := f.record("acme", pastRequest{email: "live@example.com", utility: "PSEG", asked: true, statuses: waiting, ago: 3 * time.Second})
	s := f.open(t, desktop, patsEmail)
	require.NoError(t, s.Locator("#open-"+uid).Focus())
	_, err := s.Evaluate(`() => window.scrollTo(0, 120)`)
	require.NoError(t, err)
	f.record("acme", pastRequest{email: "fresh@example.com", statuses: waiting})
	s.see("text=fresh@example.com")
	focused, err := s.Evaluate(`() => document.activeElement.id`)
	require.NoError(t, err)
	require.Equal(t, "open-"+uid, focused)
	scrolled, err := s.Evaluate(`() => window.scrollY`)
	require.NoError(t, err)
	require.EqualValues(t, 120, scrolled)
}

// A code that is half typed is still there after the page has drawn itself anew.
func TestWhatIsTypedSurvivesWhatIsLive(t *testing.T) {
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{email: "kim@example.com", utility: "CONED", statuses: asked})
	s := f.open(t, desktop, patsEmail)
	s.visit("/dashboard/requests/" + uid)
	const label = "The code of 6 digits that the customer reads out"
	s.fill(label, "123")
	nickname := "Renamed elsewhere"
	_, err := f.store.UpdateRequest(t.Context(), "acme", uid, store.RequestChange{Nickname: &nickname})
	require.NoError(t, err)
	s.see("text=Renamed elsewhere")
	typed, err := s.GetByLabel(label).InputValue()
	require.NoError(t, err)
	require.Equal(t, "123", typed)
}

func TestSearchingAsOneTypes(t *testing.T) {
	f := newFixture(t, options{})
	f.seed()
	s := f.open(t, desktop, patsEmail)
	s.see("text=kim@example.com")
	require.NoError(t, s.GetByLabel("Search").PressSequentially("ana.g"))
	s.gone("text=kim@example.com")
	s.see("text=ana.garcia@example.com")
	require.NoError(t, s.WaitForURL("**/dashboard/requests?q=ana.g"), "the address can be kept")
	value, err := s.GetByLabel("Search").InputValue()
	require.NoError(t, err)
	require.Equal(t, "ana.g", value)
	said, err := s.Locator("#count").TextContent()
	require.NoError(t, err)
	require.Equal(t, "The list shows 1 data request.", said)
}

// From the address bar to the confirmation with the keyboard alone.
func TestTheKeyboardSuffices(t *testing.T) {
	f := newFixture(t, options{})
	uid := f.record("acme", pastRequest{email: "ana@example.com", utility: "PSEG", asked: true, statuses: waiting})
	s := f.open(t, desktop, patsEmail)
	s.tabTo("#open-" + uid)
	require.NoError(t, s.Keyboard().Press("Enter"))
	s.see("h1:has-text('ana@example.com')")
	s.tabTo("#do-archive")
	require.NoError(t, s.Keyboard().Press("Enter"))
	s.see("h1:has-text('Archive the request?')")
	s.tabTo("button:has-text('Archive')")
	require.NoError(t, s.Keyboard().Press("Space"))
	s.see("text=The request is archived")
}

// tabTo presses Tab until the element has the focus.
func (s *browserPage) tabTo(selector string) {
	s.t.Helper()
	for range 60 {
		require.NoError(s.t, s.Keyboard().Press("Tab"))
		has, err := s.Locator(selector).First().Evaluate(`(e) => e === document.activeElement`, nil)
		require.NoError(s.t, err)
		if has == true {
			return
		}
	}
	require.Fail(s.t, "the keyboard does not reach it", selector)
}

func TestWithoutScripts(t *testing.T) {
	f := newFixture(t, options{})
	seeded := f.seed()
	s := f.open(t, phone, patsEmail, unscripted)
	s.fill("Search", "ana")
	s.press("Filter")
	s.see("text=ana.garcia@example.com")
	require.NoError(t, s.Locator("#open-"+seeded.connected).Click())
	s.see("text=5 meters")
	s.visit("/dashboard/numbers")
	require.NoError(t, s.GetByText("The same as a table").First().Click())
	s.see("td.amount")
	s.fits()
}
