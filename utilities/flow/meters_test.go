package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// metersFixture is signed in at a site whose meters are read as the text says.
func metersFixture(t *testing.T, meters string) *fixture {
	t.Helper()
	t.Parallel()
	folder := filepath.Join("testdata", "meters")
	flow, err := os.ReadFile(filepath.Join(folder, "flow.yaml"))
	require.NoError(t, err)
	baseline, _, found := strings.Cut(string(flow), "  meters:")
	require.True(t, found)
	tr := fixtureOf(t, parsed(t, "meters", baseline+"  meters:\n"+meters), folder)
	tr.open("/home.html")
	return tr
}

func TestMetersFromATable(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - press: {css: a, says: list}
      - rows: table tbody tr
        columns:
          number: {attr: data-id}
          account: {header: account}
          address: {header: service address}
          service: {header: service}
          rate: {header: rate plan, match: 'R\d'}
          code: {css: b, match: 'R(\d)'}
          nothing: {css: i}
        next: "#next"
        as: meter
    fields:
      account_number: "{meter.account}"
      meter_number: "{meter.number}"
      service_identifier: "{meter.nothing}"
      service_address: "{meter.address}"
      service_class: "{meter.service}"
      tariff: "{meter.rate}/{meter.code}"
      status: "{meter.nothing}"
`)
	meters := tr.read()
	require.Len(t, meters, 6)
	require.Equal(t, meterkey.Meter{
		AccountNumber: "A-1", MeterNumber: "M-3", ServiceAddress: "1 Elm, 1 Town", ServiceClass: "electric", Tariff: "R1/1",
	}, meters[3])
}

func TestMetersBehindShowMore(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/more.html
      - {rows: li, columns: {number: {match: 'M-\d'}, service: {}}, next: "#more", as: meter}
    fields: {meter_number: "{meter.number}", service_class: "{meter.service}"}
`)
	meters := tr.read()
	require.Len(t, meters, 6)
	require.Equal(t, meterkey.Meter{MeterNumber: "M-5", ServiceClass: "gas"}, meters[5])
}

func TestMetersOfEachAccount(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/pick.html
      - {pick: {options: "#accounts option"}, columns: {number: {}}, as: account}
      - {rows: li, columns: {number: {}}, as: meter, none: [{visible: "#none"}]}
    fields: {account_number: "{account.number}", meter_number: "{meter.number}"}
`)
	require.Equal(t, []meterkey.Meter{
		{AccountNumber: "A-1", MeterNumber: "M-1"}, {AccountNumber: "A-1", MeterNumber: "M-2"}, {AccountNumber: "A-2", MeterNumber: "M-1"},
	}, tr.read())
}

func TestPickerThatLeadsAway(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/menu.html
      - {pick: {list: "#menu", options: "#list a"}, columns: {number: {attr: data-account}}, as: account}
      - {rows: "#meter", columns: {number: {match: 'M-\d+'}}, as: meter}
    fields: {account_number: "{account.number}", meter_number: "{meter.number}"}
`)
	require.Equal(t, []meterkey.Meter{{AccountNumber: "77", MeterNumber: "M-77"}, {AccountNumber: "88", MeterNumber: "M-88"}}, tr.read())
}

func TestOptionalPicker(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/one.html?5
      - {pick: {options: "#accounts option"}, columns: {number: {}}, as: account, optional: true}
      - {press: "#nowhere", optional: true}
      - {rows: "#nothing", columns: {x: {}}, as: extra, optional: true, after: "#meter"}
      - {rows: "#meter", columns: {number: {match: 'M-\d+'}}, as: meter}
    fields: {account_number: "{account.number}", meter_number: "{meter.number}"}
`)
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-5"}}, tr.read())
}

func TestMetersFromJSON(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - {fetch: /session.json, as: session}
      - {press: "#nowhere", unless: "{session.token}"}
      - fetch: https://www.site.example/api/accounts?page={page}
        bearer: "{session.token}"
        items: result.accounts
        page_size: 2
        as: account
      - fetch: https://www.site.example/api/detail
        bearer: "{session.token}"
        post: {account: "{account.number}"}
        as: detail
        optional: true
      - {each: account.services, as: service}
    fields:
      account_number: "{account.number}"
      service_address: "{account.street}, {account.town}"
      service_class: "{service}"
      tariff: ["{detail.rate}", "unknown to {detail.nobody}"]
      status: "{detail.state}"
`)
	require.Equal(t, []meterkey.Meter{
		{AccountNumber: "A-1", ServiceAddress: "1 Elm", ServiceClass: "electric", Tariff: "R of A-1", Status: "active"},
		{AccountNumber: "A-1", ServiceAddress: "1 Elm", ServiceClass: "gas", Tariff: "R of A-1", Status: "active"},
		{AccountNumber: "A-2", ServiceAddress: "2 Elm", ServiceClass: "electric"},
		{AccountNumber: "A-3", ServiceAddress: "3 Elm", ServiceClass: "electric", Tariff: "R of A-3", Status: "active"},
		{AccountNumber: "A-3", ServiceAddress: "3 Elm", ServiceClass: "gas", Tariff: "R of A-3", Status: "active"},
		{AccountNumber: "A-4", ServiceAddress: "4 Elm", ServiceClass: "electric", Tariff: "R of A-4", Status: "active"},
		{AccountNumber: "A-5", ServiceAddress: "5 Elm", ServiceClass: "electric", Tariff: "R of A-5", Status: "active"},
		{AccountNumber: "A-5", ServiceAddress: "5 Elm", ServiceClass: "gas", Tariff: "R of A-5", Status: "active"},
	}, tr.read())
}

func TestTokenOfThePageItself(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/own.html
      - {fetch: "/api/own?page=1", bearer_of: list, items: result.accounts, as: account}
    fields: {account_number: "{account.number}"}
`)
	require.Equal(t, []meterkey.Meter{{AccountNumber: "A-1"}, {AccountNumber: "A-2"}}, tr.read())
	for _, entry := range tr.logs.All() {
		require.NotContains(t, toText(entry.ContextMap()), "own-token")
	}
}

func TestNoMeters(t *testing.T) {
	for name, step := range map[string]string{
		"rows":  `{rows: li, columns: {number: {}}, as: meter}`,
		"press": `{press: "#nowhere"}`,
		"pick":  `{pick: {options: option}, as: meter}`,
		"fetch": `{fetch: /home.html, as: meter}`,
	} {
		t.Run(name, func(t *testing.T) {
			tr := metersFixture(t, "\n    read:\n      - open: https://www.site.example/none.html\n      - "+step+"\n    fields: {meter_number: x}\n")
			require.Empty(t, tr.read())
		})
	}
}

func TestReadingStops(t *testing.T) {
	for name, c := range map[string]struct {
		steps string
		want  utilities.PageKind
	}{
		"session ended":       {"- open: https://www.site.example/ended.html\n      - {rows: li}", utilities.SessionEnded},
		"login form is back":  {"- open: https://www.site.example/login.html\n      - {rows: li}", utilities.SessionEnded},
		"refused by the JSON": {"- fetch: /api/accounts?page=1", utilities.SessionEnded},
		"site is down":        {"- open: https://www.site.example/status/503\n      - {rows: li}", utilities.Unavailable},
		"JSON is down":        {"- fetch: /status/502", utilities.Unavailable},
		"no JSON":             {"- fetch: /home.html", utilities.Unknown},
		"JSON of other form":  {"- {fetch: /session.json, items: list}", utilities.Unknown},
		"new page":            {"- open: https://www.site.example/new.html\n      - {rows: li}", utilities.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			tr := metersFixture(t, "\n    read:\n      "+c.steps+"\n    fields: {meter_number: x}\n")
			tr.flow.RenderWait = 3 * time.Second
			meters, seen, err := tr.Meters(t.Context())
			tr.saw(seen, err, c.want)
			require.Empty(t, meters)
			if c.want == utilities.Unknown {
				require.NotNil(t, seen.Evidence)
				require.NotContains(t, seen.Evidence.Outline, "Pat Miller")
			}
		})
	}
}

// TestPageThatNeverFinishes: a list that does not come is asked for once more.
func TestPageThatNeverFinishes(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - open: https://www.site.example/stuck.html
      - {rows: li, columns: {number: {}}, as: meter}
    fields: {meter_number: "{meter.number}"}
`)
	tr.flow.RenderWait = 3 * time.Second
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M-1"}}, tr.read())
}

func TestManyMeters(t *testing.T) {
	tr := metersFixture(t, `
    read:
      - {rows: li, columns: {number: {}}, as: meter}
    fields: {meter_number: "{meter.number}"}
`)
	tr.eval(`document.body.innerHTML = '<ul>' + Array.from({ length: 20000 }, (_, i) => '<li>M-' + i + '</li>').join('') + '</ul>'`)
	require.Len(t, tr.read(), 20000)
}
