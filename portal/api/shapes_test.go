package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These tests read answers as UtilityAPI's clients do, from what its documentation and their source require.

// keysOf are the names of a JSON object's members.
func keysOf(t testing.TB, object json.RawMessage) []string {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(object, &members), "%s", object)
	return slices.Sorted(maps.Keys(members))
}

func words(text string) []string {
	all := strings.Fields(text)
	slices.Sort(all)
	return all
}

func (p *party) raw(path string) map[string]json.RawMessage {
	p.t.Helper()
	body := p.do(http.MethodGet, path, "")
	require.Equal(p.t, http.StatusOK, p.last.StatusCode, "%s", body)
	return strictly[map[string]json.RawMessage](p.t, body)
}

func TestShapes_Form(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	created := p.do(http.MethodPost, "/forms", "{}")
	require.Equal(t, http.StatusOK, p.last.StatusCode, "clients check for exactly 200")
	utilityAPIs := words("uid created updated template_uid authorization_uid is_archived disabled user_email user_uid url customer_email utility scope")
	require.Subset(t, keysOf(t, created), utilityAPIs)
	require.Contains(t, string(created), `"authorization_uid":null`)
	require.Contains(t, string(created), `"customer_email":""`)
	require.Contains(t, string(created), `"scope":{}`)
	requireEnvelope(t, p, "/forms", "forms")
}

// requireEnvelope: a list has its objects and next, null or an address that leads on.
func requireEnvelope(t testing.TB, p *party, path, name string) {
	t.Helper()
	list := p.raw(path)
	require.Equal(t, []string{name, "next"}[0], slices.DeleteFunc(slices.Collect(maps.Keys(list)), func(k string) bool { return k == "next" })[0])
	require.JSONEq(t, "null", string(list["next"]))
	require.Equal(t, byte('['), list[name][0])
	require.JSONEq(t, "[]", string(newParty(t).raw(path)[name]), "an empty list is no null")
}

// eddieAuthorization is what EDDIE's client reads; every member that it requires is a value here, every one that may be
// null a pointer.
type eddieAuthorization struct {
	UID               string     `json:"uid"`
	Created           time.Time  `json:"created"`
	CustomerEmail     string     `json:"customer_email"`
	CustomerSignature *struct{}  `json:"customer_signature"`
	Declined          *time.Time `json:"declined"`
	IsDeclined        bool       `json:"is_declined"`
	Expires           string     `json:"expires"`
	IsExpired         bool       `json:"is_expired"`
	Exports           map[string]string
	ExportsList       []struct{ Name, Link string } `json:"exports_list"`
	FormUID           *string                       `json:"form_uid"`
	TemplateUID       *string                       `json:"template_uid"`
	Referrals         []string                      `json:"referrals"`
	IsArchived        bool                          `json:"is_archived"`
	IsTest            bool                          `json:"is_test"`
	Notes             []struct {
		Type, Msg string
		TS        time.Time
	} `json:"notes"`
	Nickname  *string    `json:"nickname"`
	Revoked   *time.Time `json:"revoked"`
	IsRevoked bool       `json:"is_revoked"`
	Scope     struct {
		Expires    string
		OngoingEnd *time.Time `json:"ongoing_end"`
	} `json:"scope"`
	Status        string    `json:"status"`
	StatusMessage string    `json:"status_message"`
	StatusTS      time.Time `json:"status_ts"`
	UserEmail     string    `json:"user_email"`
	UserUID       string    `json:"user_uid"`
	UserStatus    string    `json:"user_status"`
	Utility       string    `json:"utility"`
	MFA           any       `json:"mfa"`    // ours
	Meters        any       `json:"meters"` // with include=meters
}

func TestShapes_Authorization(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, connected := p.connected()
	body := p.do(http.MethodGet, "/authorizations/"+connected.UID, "")
	require.Equal(t, words(`uid created customer_email customer_signature declined is_declined expires is_expired exports exports_list form_uid
		template_uid referrals is_archived is_test notes nickname revoked is_revoked scope status status_message status_ts user_email user_uid
		user_status utility mfa`), keysOf(t, body))
	authorization := strictly[eddieAuthorization](t, body)
	require.Equal(t, "updated", authorization.Status)
	require.Equal(t, "active", authorization.UserStatus)
	require.Equal(t, "DEMO", authorization.Utility)
	require.Equal(t, "until_revoked", authorization.Expires)
	require.NotEmpty(t, authorization.StatusMessage)
	types := converted(authorization.Notes, func(n struct {
		Type, Msg string
		TS        time.Time
	}) string {
		return n.Type
	})
	require.Contains(t, types, "meters_full")
	require.Contains(t, types, "access_valid")
	require.Len(t, authorization.Referrals, 1)
	for _, export := range authorization.ExportsList {
		require.Equal(t, export.Link, authorization.Exports[export.Name])
		p.do(http.MethodGet, export.Link, "")
		require.Equal(t, http.StatusOK, p.last.StatusCode, export.Name)
	}
	requireEnvelope(t, p, "/authorizations", "authorizations")
}

// eddieMeter takes every member that it does not know for a block, which is an object.
type eddieMeter struct {
	UID               string                           `json:"uid"`
	AuthorizationUID  string                           `json:"authorization_uid"`
	Created           time.Time                        `json:"created"`
	UserEmail         string                           `json:"user_email"`
	UserUID           string                           `json:"user_uid"`
	IsArchived        bool                             `json:"is_archived"`
	IsActivated       bool                             `json:"is_activated"`
	IsExpanded        bool                             `json:"is_expanded"`
	Notes             []struct{ Type, Msg, TS string } `json:"notes"`
	Status            string                           `json:"status"`
	StatusMessage     string                           `json:"status_message"`
	StatusTS          time.Time                        `json:"status_ts"`
	OngoingMonitoring map[string]any                   `json:"ongoing_monitoring"`
	Utility           string                           `json:"utility"`
	BillCount         int                              `json:"bill_count"`
	BillCoverage      [][]time.Time                    `json:"bill_coverage"`
	BillSources       []string                         `json:"bill_sources"`
	IntervalCount     int                              `json:"interval_count"`
	IntervalCoverage  [][]time.Time                    `json:"interval_coverage"`
	IntervalSources   []string                         `json:"interval_sources"`
	Exports           map[string]string                `json:"exports"`
	ExportsList       []struct{ Name, Link string }    `json:"exports_list"`
	Blocks            []string                         `json:"blocks"`
}

type eddieBlock struct {
	ServiceIdentifier *string  `json:"service_identifier"`
	ServiceTariff     *string  `json:"service_tariff"`
	ServiceClass      *string  `json:"service_class"`
	ServiceAddress    *string  `json:"service_address"`
	MeterNumbers      []string `json:"meter_numbers"`
	BillingContact    *string  `json:"billing_contact"`
	BillingAddress    *string  `json:"billing_address"`
	BillingAccount    *string  `json:"billing_account"`
}

func TestShapes_Meter(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	list := p.raw("/meters?authorizations=" + authorization.UID)
	for _, object := range strictly[[]json.RawMessage](t, list["meters"]) {
		var meter eddieMeter
		require.NoError(t, json.Unmarshal(object, &meter))
		members := strictly[map[string]json.RawMessage](t, object)
		for _, known := range fieldNamesOf(eddieMeter{}) {
			require.Contains(t, members, known)
			delete(members, known)
		}
		require.Equal(t, meter.Blocks, slices.Collect(maps.Keys(members)), "what is no field is a block, and blocks are named")
		for name, member := range members {
			require.Equal(t, byte('{'), member[0], "%s is no object", name)
			require.Subset(t, keysOf(t, member), fieldNamesOf(eddieBlock{}))
			var block eddieBlock
			require.NoError(t, json.Unmarshal(member, &block))
			require.NotEmpty(t, block.MeterNumbers)
		}
		require.Equal(t, "off", meter.OngoingMonitoring["frequency"])
		require.Equal(t, words("frequency prepay next_prepay next_refresh fixed_refresh_day"), slices.Sorted(maps.Keys(meter.OngoingMonitoring)))
		require.False(t, meter.IsActivated)
		require.NotNil(t, meter.BillCoverage)
		require.NotNil(t, meter.ExportsList)
	}
	requireEnvelope(t, p, "/meters", "meters")
}

func fieldNamesOf(v any) []string {
	var names []string
	object, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var members map[string]any
	if json.Unmarshal(object, &members) == nil {
		names = slices.Sorted(maps.Keys(members))
	}
	return names
}

// TestShapes_Next: EDDIE takes next for an address and gets it, with the key in the header.
func TestShapes_Next(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.connected()
	var next string
	require.NoError(t, json.Unmarshal(p.raw("/meters?limit=2")["next"], &next))
	address, err := url.Parse(next)
	require.NoError(t, err)
	require.True(t, address.IsAbs())
	require.Len(t, get[MeterList](p, next).Meters, 1)
}

// TestShapes_Times: ISO 8601 with microseconds and +00:00, never Z.
func TestShapes_Times(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	stamp := regexp.MustCompile(`"(created|updated|ts|status_ts)":"([^"]*)"`)
	for _, path := range []string{"/forms", "/authorizations?include=meters", "/meters", "/templates", "/events", "/authorizations/" + authorization.UID} {
		found := stamp.FindAllStringSubmatch(string(p.do(http.MethodGet, path, "")), -1)
		require.NotEmpty(t, found, path)
		for _, one := range found {
			require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$`, one[2], "%s of %s", one[1], path)
		}
	}
}
