package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// bodies are good ones, for the operations that need one.
var bodies = map[string]string{
	"POST /authorizations/{uid}/code": `{"challenge_id": "c-1", "code": "1"}`,
	"POST /forms/{uid}/test-submit":   `{"scenario": "residential"}`,
	"POST /forms/{uid}":               `{"nickname": "theirs now", "disabled": true}`,
	"POST /authorizations/{uid}":      `{"nickname": "theirs now", "is_archived": true}`,
	"POST /meters/{uid}":              `{"is_archived": true}`,
	"POST /webhooks/{uid}":            `{"enabled": false, "secret": ""}`,
	"POST /events/{uid}":              `{"is_delivered": true}`,
	"POST /meters/ongoing-monitoring": `{"meters": ["1"]}`,
	"POST /webhooks":                  `{"url": "https://8.8.8.8/in"}`,
}

// operations are all that the description names, such as "GET /forms/{uid}".
func (p *party) operations() []string {
	p.t.Helper()
	var all []string
	for path, methods := range member(p.t, p.described.document["paths"]) {
		for method := range member(p.t, methods) {
			all = append(all, strings.ToUpper(method)+" "+path)
		}
	}
	require.Greater(p.t, len(all), 30)
	return all
}

// TestIsolation_OnEveryOperation: whatever operation there is, another requester's object is to it like one that does
// not exist, to the letter, and nothing becomes of the call.
func TestIsolation_OnEveryOperation(t *testing.T) {
	t.Parallel()
	owner, stranger := newParty(t), newParty(t)
	authorization := owner.recorded(manyMeters(1)...)
	meter := get[MeterList](owner, "/meters").Meters[0]
	hook := post[Webhook](owner, "/webhooks", `{"url": "https://8.8.8.8/in"}`)
	delivery := post[Delivery](owner, "/webhooks/"+hook.UID+"/ping", "")
	event := get[EventList](owner, "/events").Events[0]
	theirs := map[string]string{"forms": authorization.FormUID, "authorizations": authorization.UID, "meters": meter.UID, "webhooks": hook.UID,
		"deliveries": delivery.UID, "events": event.UID, "files": authorization.UID, "DataCustodian": authorization.UID, "templates": "theirs"}
	before := owner.everything()

	tried := 0
	for _, operation := range owner.operations() {
		method, path, _ := strings.Cut(operation, " ")
		if !strings.Contains(path, "{uid}") {
			continue
		}
		tried++
		stranger := stranger.fuzzed(t) // each key may ask only so often
		at := func(uid, meter string) string {
			return strings.NewReplacer("{uid}", uid, "{meter}", meter).Replace(path)
		}
		uid := theirs[strings.Split(path, "/")[1]]
		require.NotEmpty(t, uid, "the test does not know whose %s is", path)
		known := stranger.refused(http.StatusNotFound, method, at(uid, meter.UID), bodies[operation])
		unknown := stranger.refused(http.StatusNotFound, method, at("nothing", "nothing"), bodies[operation])
		require.Equal(t, unknown, known, "%s tells that it exists", operation)
	}
	require.Greater(t, tried, 20)
	require.Equal(t, before, owner.everything(), "a stranger changed something")
}

// TestIsolation_OfListsAndCursors: filters and cursors that name another requester's things find what those of nobody do.
func TestIsolation_OfListsAndCursors(t *testing.T) {
	t.Parallel()
	owner, stranger := newParty(t), newParty(t)
	authorization := owner.recorded(manyMeters(1)...)
	meter := get[MeterList](owner, "/meters").Meters[0].UID
	event := get[EventList](owner, "/events").Events[0].UID
	for list, theirs := range map[string]string{"forms": authorization.FormUID, "authorizations": authorization.UID, "meters": meter, "events": event} {
		known := stranger.refused(http.StatusBadRequest, http.MethodGet, "/"+list+"?after="+theirs, "")
		require.Equal(t, stranger.refused(http.StatusBadRequest, http.MethodGet, "/"+list+"?after=nothing", ""), known, list)
	}
	for _, query := range []string{"/forms?uids=" + authorization.FormUID, "/authorizations?uids=" + authorization.UID, "/authorizations?forms=" + authorization.FormUID,
		"/authorizations?referrals=" + authorization.Referrals[0], "/authorizations?users=" + owner.uid, "/meters?uids=" + meter,
		"/meters?authorizations=" + authorization.UID, "/meters?users=" + owner.uid, "/bills?meters=" + meter} {
		body := string(stranger.do(http.MethodGet, query, ""))
		require.Equal(t, http.StatusOK, stranger.last.StatusCode, query)
		require.Regexp(t, `^\{"\w+":\[\],"next":null\}\s*$`, body, query)
	}
	require.Len(t, stranger.csv("/meters?authorizations="+authorization.UID, "Accept", "text/csv"), 1)
	require.Empty(t, stranger.feed("/DataCustodian/espi/1_1/resource/UsagePoint").Entries)

	known := stranger.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.Equal(t, stranger.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"authorization_uid": "nothing"}`), known)
}

// TestIsolation_OfMeters: a meter is found under its own authorization alone, also by its owner.
func TestIsolation_OfMeters(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	first, second := p.recorded(manyMeters(1)...), p.recorded(manyMeters(1)...)
	meter := get[MeterList](p, "/meters?authorizations="+first.UID).Meters[0].UID
	p.refused(http.StatusNotFound, http.MethodGet, "/DataCustodian/espi/1_1/resource/Subscription/"+second.UID+"/UsagePoint/"+meter, "")
	p.do(http.MethodGet, "/DataCustodian/espi/1_1/resource/Subscription/"+first.UID+"/UsagePoint/"+meter, "")
	require.Equal(t, http.StatusOK, p.last.StatusCode)
}

// TestKeys_ThatOpenNothing: an expired key, a revoked one, and any key of a requester who was shut out say the same.
func TestKeys_ThatOpenNothing(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	unknown := p.in(t)
	unknown.key = "mk_" + strings.Repeat("a", 52)
	want := unknown.refused(http.StatusUnauthorized, http.MethodGet, "/forms", "")
	require.Equal(t, `Bearer realm="Meterkey API"`, unknown.last.Header.Get("WWW-Authenticate"))

	past := time.Now().Add(-time.Second)
	expired := p.in(t)
	var err error
	_, expired.key, err = world.store.AddKey(t.Context(), p.uid, "expired", &past)
	require.NoError(t, err)
	require.Equal(t, want, expired.refused(http.StatusUnauthorized, http.MethodGet, "/forms", ""))

	get[FormList](p, "/forms")
	_, err = world.store.PutRequester(t.Context(), store.Requester{UID: p.uid, Name: "Acme Solar", Disabled: true})
	require.NoError(t, err)
	require.Equal(t, want, p.refused(http.StatusUnauthorized, http.MethodGet, "/forms", ""))
	_, err = world.store.PutRequester(t.Context(), store.Requester{UID: p.uid, Name: "Acme Solar"})
	require.NoError(t, err)
	get[FormList](p, "/forms")
}

// TestKeys_InEveryOperation: nothing is done or told without a key, not even that an address does not exist.
func TestKeys_InEveryOperation(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for _, operation := range append(p.operations(), "GET /nothing", "PUT /forms", "GET /", "OPTIONS /forms") {
		method, path, _ := strings.Cut(operation, " ")
		e := p.refused(http.StatusUnauthorized, method, path, bodies[operation], "Authorization", "")
		require.Equal(t, "unauthorized", e.Code, operation)
		require.Contains(t, e.Description, "Authorization: Bearer KEY", operation)
	}
}

// TestKeys_AsProgramsWriteThem: the scheme in any case, blanks around the key, and the header before the parameter.
func TestKeys_AsProgramsWriteThem(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for header, status := range map[string]int{"bearer " + p.key: 200, "BEARER  " + p.key + " ": 200, "Bearer" + p.key: 401, p.key: 401,
		"Bearer " + p.key + "x": 401, "Bearer " + strings.ToUpper(p.key): 401, "Token " + p.key: 401} {
		p.do(http.MethodGet, "/forms", "", "Authorization", header)
		require.Equal(t, status, p.last.StatusCode, "%q", header)
	}
	p.refused(http.StatusUnauthorized, http.MethodGet, "/forms?access_token="+p.key, "", "Authorization", "Bearer wrong")
	list := string(p.do(http.MethodGet, "/forms?limit=1&access_token="+p.key, "", "Authorization", "Basic dTpw"))
	require.Equal(t, http.StatusOK, p.last.StatusCode, list)
	require.NotContains(t, fmt.Sprint(p.last.Header)+list, p.key)
}
