package api

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func minuteOf(minute int) time.Time { return time.Date(2026, 11, 23, 9, minute, 0, 0, time.UTC) }

func TestMeters(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	_, other := p.connected()
	all := get[MeterList](p, "/meters").Meters
	require.Len(t, all, 6)
	for query, count := range map[string]int{
		"authorizations=" + authorization.UID: 3, "authorizations=" + authorization.UID + "," + other.UID: 6, "uids=" + all[0].UID: 1,
		"users=" + p.uid: 6, "users=other": 0, "utility=demo": 6, "utility=CONED": 0, "is_activated=true": 0, "is_activated=false": 6,
		"is_monitored=true": 0, "is_archived=true": 0, "after=" + all[3].UID: 2, "limit=1000&expand_meter_blocks=base": 6,
	} {
		require.Len(t, get[MeterList](p, "/meters?"+query).Meters, count, query)
	}
	at := "/meters/" + all[0].UID
	require.True(t, post[Meter](p, at, `{"is_archived": true}`).IsArchived)
	require.True(t, post[Meter](p, at, `{}`).IsArchived)
	require.Len(t, get[MeterList](p, "/meters?is_archived=true").Meters, 1)
	require.Contains(t, p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"is_archived": 1}`).Fields, "is_archived")
}

// TestBase: what the site does not show is null, never made up.
func TestBase(t *testing.T) {
	t.Parallel()
	full := base(meterkey.Meter{AccountNumber: "A", MeterNumber: "M", ServiceIdentifier: "S", ServiceAddress: "1 Elm", ServiceClass: "gas", Tariff: "R", Status: "active"})
	require.Equal(t, []string{"M"}, full.MeterNumbers)
	require.Equal(t, "A", *full.BillingAccount)
	require.Equal(t, "R", *full.ServiceTariff)
	require.Equal(t, Base{MeterNumbers: []string{}}, base(meterkey.Meter{}))
}

func TestNotCollected(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	require.JSONEq(t, `{"bills": [], "next": null}`, string(p.do(http.MethodGet, "/bills?meters=1&order=latest_first", "")))
	require.JSONEq(t, `{"intervals": [], "next": null}`, string(p.do(http.MethodGet, "/intervals?authorizations=1", "")))
	for _, path := range []string{"/meters/historical-collection", "/meters/ongoing-monitoring"} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, path, `{"meters": ["1"], "frequency": "monthly"}`)
		require.Contains(t, e.Description, "Meterkey reads the meter list only")
	}
}

// TestManyMeters: a city's account goes through whole, in every format.
func TestManyMeters(t *testing.T) {
	t.Parallel()
	const count = 20_000
	p := newParty(t)
	authorization := p.signIn(p.form(), fmt.Sprintf("meters-%d", count), isConnected)

	seen := map[string]bool{}
	list := *get[Authorization](p, "/authorizations/"+authorization.UID+"?include=meters").Meters
	for {
		for _, meter := range list.Meters {
			seen[meter.Base.MeterNumbers[0]] = true
		}
		if list.Next == nil {
			break
		}
		list = get[MeterList](p, *list.Next)
	}
	require.Len(t, seen, count)

	rows := p.csv("/meters", "Accept", "text/csv")
	require.Len(t, rows, count+1)
	require.Equal(t, rows, p.csv(authorization.Exports.MetersCSV))
	require.Equal(t, "M00000", rows[1][5])
	require.Equal(t, "M19999", rows[count][5])

	require.Len(t, p.feed("/meters", "Accept", "application/atom+xml").Entries, count)
}

// csv reads a CSV file.
func (p *party) csv(path string, headers ...string) [][]string {
	p.t.Helper()
	body := p.do(http.MethodGet, path, "", headers...)
	require.Equal(p.t, http.StatusOK, p.last.StatusCode)
	require.Equal(p.t, "text/csv; charset=utf-8", p.last.Header.Get("Content-Type"))
	require.Contains(p.t, p.last.Header.Get("Content-Disposition"), "meters.csv")
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	require.NoError(p.t, err)
	return rows
}

func TestCSV(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	meter := get[MeterList](p, "/meters").Meters[0]
	rows := p.csv("/meters?limit=1", "Accept", "application/json;q=0.1, text/csv")
	require.Len(t, rows, 4)
	require.Equal(t, csvHeading(), rows[0])
	require.Equal(t, []string{meter.UID, authorization.UID, meter.Created.UTC().Format(timeFormat), "DEMO", "A-1", "M00000", "S0", "1 Elm Street",
		"electric", "RES-1", "active", "false"}, rows[1])
	require.Len(t, p.csv("/meters?users=other", "Accept", "text/csv"), 1)
	p.refused(http.StatusBadRequest, http.MethodGet, "/meters?after=nothing", "", "Accept", "text/csv")
	p.refused(http.StatusNotFound, http.MethodGet, "/files/meters_csv/nothing", "")
}

// TestBrokenOff: a list whose reading fails in the middle is cut off, in every format.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	fails := errors.New("the database has gone")
	pages := meterPages{all: func(yield func([]store.Meter, error) bool) {
		if yield([]store.Meter{{UID: "m"}}, nil) {
			yield(nil, fails)
		}
	}}
	require.ErrorIs(t, writeCSV(&bytes.Buffer{}, pages), fails)
	a := &API{Deps: Deps{Log: zap.NewNop()}}
	require.ErrorIs(t, a.writeFeed(&bytes.Buffer{}, "self", "owner", pages), fails)
	require.Error(t, writeCSV(deadWriter{}, pages))
	require.Error(t, a.writeFeed(deadWriter{}, "self", "owner", pages))
}

type deadWriter struct{}

func (deadWriter) Write([]byte) (int, error) { return 0, errors.New("the client has gone") }

// atomFeed is a Green Button feed as its readers see it.
type atomFeed struct {
	XMLName xml.Name        `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string          `xml:"http://www.w3.org/2005/Atom id"`
	Title   string          `xml:"http://www.w3.org/2005/Atom title"`
	Updated time.Time       `xml:"http://www.w3.org/2005/Atom updated"`
	Links   []atomLink      `xml:"http://www.w3.org/2005/Atom link"`
	Entries []readAtomEntry `xml:"http://www.w3.org/2005/Atom entry"`
}

type readAtomEntry struct {
	ID        string     `xml:"http://www.w3.org/2005/Atom id"`
	Links     []atomLink `xml:"http://www.w3.org/2005/Atom link"`
	Published time.Time  `xml:"http://www.w3.org/2005/Atom published"`
	Content   struct {
		UsagePoint struct {
			Kind    *int   `xml:"http://naesb.org/espi ServiceCategory>kind"`
			Status  *int   `xml:"http://naesb.org/espi status"`
			Tariff  string `xml:"http://naesb.org/espi ServiceDeliveryPoint>tariffProfile"`
			Unknown []struct {
				XMLName xml.Name
			} `xml:",any"`
		} `xml:"http://naesb.org/espi UsagePoint"`
	} `xml:"http://www.w3.org/2005/Atom content"`
}

func (p *party) feed(path string, headers ...string) atomFeed {
	p.t.Helper()
	body := p.do(http.MethodGet, path, "", headers...)
	require.Equal(p.t, http.StatusOK, p.last.StatusCode)
	require.Equal(p.t, "application/atom+xml", p.last.Header.Get("Content-Type"))
	var feed atomFeed
	require.NoError(p.t, xml.Unmarshal(body, &feed), "%s", body)
	for _, person := range []string{"Elm Street", "A-1", "M0000", "pat@example.com"} {
		require.NotContains(p.t, string(body), person, "the feed has personal data")
	}
	return feed
}

func TestUsagePoints(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	authorization := p.signIn(p.form(), "meters-4", isConnected)
	meters := get[MeterList](p, "/meters").Meters
	feed := p.feed(authorization.Exports.MetersXML)
	require.Equal(t, "UsagePoint", feed.Title)
	require.Equal(t, []atomLink{{"self", authorization.Exports.MetersXML, "espi-feed/UsagePoint"}}, feed.Links)
	require.Equal(t, meters[0].Created.UTC(), feed.Updated.UTC())
	require.Len(t, feed.Entries, 4)
	for i, entry := range feed.Entries {
		point := entry.Content.UsagePoint
		require.Regexp(t, `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, entry.ID)
		require.Equal(t, atomLink{"up", authorization.Exports.MetersXML, "espi-feed/UsagePoint"}, entry.Links[1])
		require.Empty(t, point.Unknown)
		require.Equal(t, "RES-1", point.Tariff)
		require.Equal(t, 1, *point.Status)
		if i < 3 { // electric, gas, water
			require.Equal(t, i, *point.Kind)
		} else {
			require.Nil(t, point.Kind)
		}
		require.Equal(t, authorization.Exports.MetersXML+"/"+meters[i].UID, entry.Links[0].Href)
		var alone readAtomEntry
		require.NoError(t, xml.Unmarshal(p.do(http.MethodGet, entry.Links[0].Href, ""), &alone))
		require.Equal(t, entry, alone)
	}
	require.Equal(t, feed.Entries, p.feed("/DataCustodian/espi/1_1/resource/UsagePoint").Entries, "ids change")
	require.Equal(t, feed.Entries, p.feed("/meters?limit=1", "Accept", "application/atom+xml").Entries)
	require.Empty(t, p.feed("/meters?users=other", "Accept", "application/atom+xml").Entries)
	other := p.signIn(p.form(), "ok", isConnected)
	p.refused(http.StatusNotFound, http.MethodGet, other.Exports.MetersXML+"/"+meters[0].UID, "")
	p.refused(http.StatusNotFound, http.MethodGet, other.Exports.MetersXML+"/nothing", "")
}

func TestESPIStatus(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1, *espiStatus("Active"))
	require.Equal(t, 0, *espiStatus("closed"))
	require.Nil(t, espiStatus("pending start"))
	require.Nil(t, espiStatus(""))
}
