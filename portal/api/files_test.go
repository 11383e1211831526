package api

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// oddMeter has in every field what a utility's site could show and a format could stumble over.
func oddMeter(text string) meterkey.Meter {
	return meterkey.Meter{AccountNumber: text, MeterNumber: text, ServiceIdentifier: text, ServiceAddress: text, ServiceClass: text, Tariff: text, Status: text}
}

// TestCSV_ComesBackWhole: whatever a site shows is read back as it was by a reader of CSV, and calculated by none.
func TestCSV_ComesBackWhole(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for text, want := range map[string]string{
		`plain`: `plain`, `a "quoted", one; two`: `a "quoted", one; two`, "two\nlines": "two\nlines", `Zoë Ærø 東京 ☀️`: `Zoë Ærø 東京 ☀️`, ` blank `: ` blank `,
		`=HYPERLINK("https://evil.example","x")`: `'=HYPERLINK("https://evil.example","x")`, `+1 555 0100`: `'+1 555 0100`, `-5`: `'-5`, `@SUM(A1)`: `'@SUM(A1)`,
		"\t=1": "'\t=1", "\n=1": "'\n=1", `'quoted'`: `'quoted'`, "bell\x07": "bell\x07", `001234`: `001234`, `"`: `"`,
	} {
		p := p.fuzzed(t) // each key may ask only so often
		authorization := p.recorded(oddMeter(text))
		meter := get[Authorization](p, "/authorizations/"+authorization.UID+"?include=meters").Meters.Meters[0]
		require.Equal(t, text, *meter.Base.ServiceAddress, "JSON tells it as it is")
		rows := p.csv(authorization.Exports.MetersCSV)
		require.Len(t, rows, 2, "%q", text)
		for column, name := range rows[0] {
			switch name {
			case "billing_account", "meter_number", "service_identifier", "service_address", "service_class", "service_tariff", "service_status":
				require.Equal(t, want, rows[1][column], name)
			case "uid":
				require.Equal(t, meter.UID, rows[1][column])
			case "authorization_uid":
				require.Equal(t, authorization.UID, rows[1][column])
			}
		}
	}
}

// TestFeed_ComesBackWhole: a tariff of any text is read back from the feed, and no other text of the meter is in it.
func TestFeed_ComesBackWhole(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for tariff, want := range map[string]string{
		`<script>&amp;"'</script>`: `<script>&amp;"'</script>`, `]]>`: `]]>`, `Zoë 東京`: `Zoë 東京`, "SC1 \x07\x0b": "SC1 \ufffd\ufffd", "a\u2028b": "a\u2028b",
	} {
		authorization := p.recorded(meterkey.Meter{Tariff: tariff, ServiceAddress: "12 Hidden Lane", MeterNumber: "hidden-1", AccountNumber: "hidden-2", ServiceClass: "gas", Status: "Inactive"})
		feed := p.feed(authorization.Exports.MetersXML)
		require.Len(t, feed.Entries, 1)
		point := feed.Entries[0].Content.UsagePoint
		require.Equal(t, want, point.Tariff)
		require.Equal(t, 1, *point.Kind)
		require.Equal(t, 0, *point.Status)
		require.NotContains(t, strings.ToLower(string(p.do(http.MethodGet, authorization.Exports.MetersXML, ""))), "hidden", "the feed has personal data")

		entry := p.do(http.MethodGet, feed.Entries[0].Links[0].Href, "")
		require.Equal(t, "application/atom+xml;type=entry", p.last.Header.Get("Content-Type"))
		var alone readAtomEntry
		require.NoError(t, xml.Unmarshal(entry, &alone))
		require.Equal(t, feed.Entries[0], alone, "the same meter reads otherwise alone")
		require.Equal(t, authorization.Exports.MetersXML, alone.Links[1].Href)
	}
}

// TestFeed_IDsStay: readers of feeds know an entry by its id, for ever, and each by one of its own.
func TestFeed_IDsStay(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	c.records(c.connects(manyMeters(3)...)...)
	c2 := p.recorded(manyMeters(1)...)
	self := c.authorization().Exports.MetersXML
	before := p.feed(self)
	again := p.feed(self)
	require.Equal(t, before, again)
	ids := map[string]bool{before.ID: true}
	for _, entry := range append(before.Entries, p.feed(c2.Exports.MetersXML).Entries...) {
		require.False(t, ids[entry.ID], "two things have one id")
		ids[entry.ID] = true
	}
	require.Len(t, p.feed("/DataCustodian/espi/1_1/resource/UsagePoint").Entries, 4)
	// A meter that leaves the list and comes back is the same meter.
	c.state.Meters = manyMeters(3)[:1]
	c.state.LinkedAt = c.at.Add(1)
	c.records(c.to(meterkey.Connected))
	require.Equal(t, before.Entries[:1], p.feed(self).Entries)
	c.state.Meters = manyMeters(3)
	c.records(c.to(meterkey.Connected))
	back := p.feed(self)
	require.Len(t, back.Entries, 3)
	idOf := func(e readAtomEntry) string { return e.ID }
	require.ElementsMatch(t, converted(before.Entries, idOf), converted(back.Entries, idOf))
}

// TestFormats: a client gets the format that it likes best of those there are, and JSON if it likes none.
func TestFormats(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.recorded(manyMeters(1)...)
	for accept, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "application/json": "application/json", "text/html": "application/json", "image/png, */*;q=0.1": "application/json",
		"text/csv": "text/csv; charset=utf-8", "application/json;q=0.5, text/csv;q=0.9": "text/csv; charset=utf-8", "text/csv;q=0.1, application/json": "application/json",
		"application/atom+xml": "application/atom+xml", "text/csv;q=0.2, application/atom+xml;q=0.8": "application/atom+xml",
		"text/csv;q=0, application/json": "application/json",
	} {
		p.do(http.MethodGet, "/meters", "", "Accept", accept)
		require.Equal(t, http.StatusOK, p.last.StatusCode, accept)
		require.Equal(t, want, p.last.Header.Get("Content-Type"), "%q", accept)
	}
	e := p.refused(http.StatusBadRequest, http.MethodGet, "/meters", "", "Accept", strings.Repeat("text/csv,", 200))
	require.Contains(t, e.Fields, "Accept")
	for _, accept := range []string{"text/csv", "application/atom+xml"} {
		e := p.refused(http.StatusBadRequest, http.MethodGet, "/meters?limit=0", "", "Accept", accept)
		require.Contains(t, e.Fields, "limit", "an error is told in JSON, whatever was asked for")
		p.refused(http.StatusNotFound, http.MethodGet, "/files/meters_csv/nothing", "", "Accept", accept)
	}
}

// TestFiles_OfNothing are files all the same.
func TestFiles_OfNothing(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	c.records(c.to(meterkey.AwaitingLogin), c.to(meterkey.SigningIn))
	a := c.authorization()
	require.Equal(t, [][]string{csvHeading()}, p.csv(a.Exports.MetersCSV))
	feed := p.feed(a.Exports.MetersXML)
	require.Empty(t, feed.Entries)
	require.False(t, feed.Updated.IsZero(), "a feed must say when it was made")
	require.Equal(t, []Meter{}, get[Authorization](p, "/authorizations/"+a.UID+"?include=meters").Meters.Meters)
}

// walk reads a list page by page and returns its uids in order, with how many pages there were.
func (p *party) walk(path, name string) (uids []string, pages int) {
	p.t.Helper()
	for path != "" {
		pages++
		list := p.raw(path)
		var objects []struct{ UID string }
		var next *string
		require.NoError(p.t, json.Unmarshal(list[name], &objects))
		require.NoError(p.t, json.Unmarshal(list["next"], &next))
		for _, object := range objects {
			uids = append(uids, object.UID)
		}
		path = ""
		if next != nil {
			path = *next
		}
		require.Less(p.t, pages, 50, "next never ends")
	}
	return uids, pages
}

// TestPaging_AtItsEdges: pages of any size make up the list, each object once, and a page that is just full is the last.
func TestPaging_AtItsEdges(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	const count = 4
	for range count {
		p.recorded(manyMeters(1)...)
	}
	for _, list := range []string{"forms", "authorizations", "meters", "events"} {
		p := p.fuzzed(t) // each key may ask only so often
		all, pages := p.walk("/"+list+"?limit=1000", list)
		require.Equal(t, 1, pages, list)
		require.GreaterOrEqual(t, len(all), count, list)
		for _, limit := range []int{1, 3, len(all) - 1, len(all)} {
			paged, pages := p.fuzzed(t).walk("/"+list+"?limit="+strconv.Itoa(limit), list)
			require.Equal(t, all, paged, "%s by %d", list, limit)
			require.Equal(t, (len(all)+limit-1)/limit, pages, "%s by %d: an empty page at the end", list, limit)
		}
		after, _ := p.walk("/"+list+"?after="+all[len(all)-1], list)
		require.Empty(t, after, "after the last %s", list)
	}
	filtered, pages := p.walk("/meters?utility=con+edison&is_archived=false&limit=1&include=meters", "meters")
	require.Len(t, filtered, count)
	require.Equal(t, count, pages)
}

// TestPaging_WhileItChanges: what is added shows on no later page, and whoever deletes what is listed can go on.
func TestPaging_WhileItChanges(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var forms []string // newest first
	for range 4 {
		forms = append([]string{p.course().uid}, forms...)
	}
	first := get[FormList](p, "/forms?limit=2")
	p.course()
	decoded[Success](p, p.do(http.MethodDelete, "/forms/"+forms[1], ""))
	rest := get[FormList](p, *first.Next)
	require.Equal(t, forms[2:], converted(rest.Forms, func(f Form) string { return f.UID }))
	require.Nil(t, rest.Next)
	p.refused(http.StatusNotFound, http.MethodGet, "/forms/"+forms[1], "")
	stranger := newParty(t)
	stranger.refused(http.StatusBadRequest, http.MethodGet, "/forms?after="+forms[1], "")
}

// TestFilters_Narrow: each filter narrows further, several values widen it, and what is empty narrows nothing.
func TestFilters_Narrow(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	first, second := p.recorded(manyMeters(1)...), p.recorded(manyMeters(2)...)
	for query, want := range map[string]int{
		"uids=" + first.UID: 1, "uids=" + first.UID + "," + second.UID + ",nothing": 2, "uids=" + first.UID + "&forms=" + second.FormUID: 0,
		"referrals=" + first.Referrals[0] + "," + second.Referrals[0]: 2, "referrals=nothing": 0, "utility=": 2, "uids=": 2,
		"templates=other,default": 2, "users=nobody," + p.uid: 2, "is_test=false&is_declined=0&is_revoked=f&is_expired=FALSE": 2, "include=meters,bills": 2,
		"unheard_of=1": 2, "utility=%FF%FE": 0, "uids=%00": 0, "forms=%27%20OR%201=1--": 0,
	} {
		require.Len(t, get[AuthorizationList](p, "/authorizations?"+query).Authorizations, want, query)
	}
	e := p.refused(http.StatusBadRequest, http.MethodGet, "/authorizations?uids="+strings.Repeat("a,", 1001), "")
	require.Contains(t, e.Fields, "uids")
	p.refused(http.StatusBadRequest, http.MethodGet, "/meters?utility="+strings.Repeat("u", 101), "")
	e = p.refused(http.StatusBadRequest, http.MethodGet, "/forms?limit=-1&is_test=2", "")
	require.Len(t, e.Fields, 2, "every mistake is named: %v", e.Fields)
}
