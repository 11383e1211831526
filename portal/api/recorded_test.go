package api

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// course is a form whose workflow is played by the test: what it would have recorded is recorded, in the order that the
// test chooses.
type course struct {
	p     *party
	uid   string
	state meterkey.State
	at    time.Time
}

// course stores a form whose workflow nobody runs.
func (p *party) course(change ...func(*store.Request)) *course {
	p.t.Helper()
	row := store.Request{RequesterUID: p.uid, TemplateUID: defaultTemplate, CustomerEmail: "pat@example.com", Utility: "CONED"}
	for _, c := range change {
		c(&row)
	}
	row, _, err := world.store.CreateRequest(p.t.Context(), row)
	require.NoError(p.t, err)
	at := row.Created.Add(-time.Hour)
	return &course{p: p, uid: row.UID, at: at, state: meterkey.State{RequestID: row.UID, Requester: p.uid, Utility: row.Utility, LinkedAt: at}}
}

// to makes the next state of the form, without recording it.
func (c *course) to(status meterkey.Status, reason ...meterkey.Reason) meterkey.Projection {
	c.at = c.at.Add(time.Second)
	s := &c.state
	s.Status, s.WaitingOn, s.Since, s.Reason = status, status.WaitingOn(), c.at, ""
	if len(reason) > 0 {
		s.Reason = reason[0]
	}
	s.Revision++
	s.Timeline = append(s.Timeline[:len(s.Timeline):len(s.Timeline)], meterkey.Moment{Status: status, Reason: s.Reason, At: c.at})
	return meterkey.Projection{RunID: "run", State: *s, Request: meterkey.Request{RequestID: c.uid, Requester: c.p.uid, Utility: s.Utility}}
}

// connects makes the states up to the end, with these meters.
func (c *course) connects(meters ...meterkey.Meter) []meterkey.Projection {
	before := []meterkey.Projection{c.to(meterkey.AwaitingLogin), c.to(meterkey.SigningIn), c.to(meterkey.FetchingMeters)}
	c.state.Meters = meters
	return append(before, c.to(meterkey.Connected))
}

// records has the states arrive.
func (c *course) records(projections ...meterkey.Projection) {
	c.p.t.Helper()
	for _, p := range projections {
		require.NoError(c.p.t, record(c.p.t.Context(), p))
	}
}

// recorded is an authorization with these meters, that no workflow knows of.
func (p *party) recorded(meters ...meterkey.Meter) Authorization {
	p.t.Helper()
	c := p.course()
	c.records(c.connects(meters...)...)
	return c.authorization()
}

// authorization is what the form led to.
func (c *course) authorization() Authorization {
	c.p.t.Helper()
	list := get[AuthorizationList](c.p, "/authorizations?forms="+c.uid)
	require.Len(c.p.t, list.Authorizations, 1)
	return list.Authorizations[0]
}

// everything is all that a requester can list, as it is answered.
func (p *party) everything() string {
	p.t.Helper()
	var all strings.Builder
	for _, list := range []string{"/forms", "/authorizations?include=meters", "/meters", "/events", "/webhooks", "/templates"} {
		all.Write(p.do("GET", list, ""))
	}
	return all.String()
}

// TestOutOfOrder: states that arrive late, twice or not at all change nothing that a newer one has said.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	states := c.connects(manyMeters(2)...)
	c.records(states[3])
	connected := c.authorization()
	require.Equal(t, "updated", connected.Status)
	before := p.everything()
	c.records(states[0], states[2], states[3], states[1])
	require.Equal(t, before, p.everything(), "a late state was taken for news")
	require.Equal(t, "connected", get[Form](p, "/forms/"+c.uid).Status)
	require.Len(t, get[MeterList](p, "/meters").Meters, 2)

	kinds := map[string]int{}
	for _, event := range get[EventList](p, "/events").Events {
		kinds[string(event.Type)]++
	}
	require.Equal(t, map[string]int{"form_created": 1, "authorization_created": 1, "authorization_update_started": 1,
		"authorization_update_progress": kinds["authorization_update_progress"], "authorization_update_finished_successful": 1, "meter_created": 2}, kinds,
		"what was skipped is told once")
}

// TestErroredThenConnected: an authorization that failed shows nothing of it once it went well.
func TestErroredThenConnected(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	c.records(c.to(meterkey.AwaitingLogin), c.to(meterkey.SigningIn), c.to(meterkey.AwaitingLogin, meterkey.InvalidCredentials))
	errored := c.authorization()
	require.Equal(t, "errored", errored.Status)
	require.Equal(t, "access_invalid", errored.Notes[0].Type)
	require.Equal(t, "invalid_credentials", errored.MFA.Value.Reason)
	require.Equal(t, "customer", errored.MFA.Value.WhoMustAct)
	require.Empty(t, errored.MFA.Value.Kind, "nothing is asked for but the login")
	require.Nil(t, errored.MFA.Value.ChallengeID)
	c.records(c.to(meterkey.SigningIn))
	require.Equal(t, "pending", c.authorization().Status)
	require.Equal(t, "utility", c.authorization().MFA.Value.WhoMustAct)
	c.state.Meters = manyMeters(1)
	c.records(c.to(meterkey.Connected))
	connected := c.authorization()
	require.Equal(t, errored.UID, connected.UID)
	require.Nil(t, connected.MFA.Value)
	for _, note := range connected.Notes {
		require.NotEqual(t, "access_invalid", note.Type)
	}
	require.Empty(t, get[Form](p, "/forms/"+c.uid).Reason)
}

// TestRevoked_StaysSo: what still arrives of a revoked authorization adds nothing, and it can still be named and filed.
func TestRevoked_StaysSo(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	states := c.connects(manyMeters(2)...)
	c.records(states[:3]...)
	uid := c.authorization().UID
	at := "/authorizations/" + uid
	revoked := post[Authorization](p, at+"/revoke", "{}")
	require.True(t, revoked.IsRevoked)
	c.records(states[3])
	require.Empty(t, get[MeterList](p, "/meters").Meters, "meters came after the permission was taken back")
	require.Empty(t, get[Authorization](p, at+"?include=meters").Meters.Meters)
	require.Len(t, p.csv(revoked.Exports.MetersCSV), 1)
	require.Empty(t, p.feed(revoked.Exports.MetersXML).Entries)
	e := p.refused(409, "POST", at+"/code", codeBody("c-1", "123456")) // Temporal knows nothing of it, as of all that is long over
	require.Contains(t, e.Description, "no code is awaited")
	p.refused(409, "POST", at+"/resend-code", "")
	require.Equal(t, "kept", *post[Authorization](p, at, `{"nickname": "kept", "is_archived": true}`).Nickname)
	require.Len(t, get[AuthorizationList](p, "/authorizations?is_revoked=true&is_archived=true").Authorizations, 1)
	require.Empty(t, get[AuthorizationList](p, "/authorizations?is_revoked=false").Authorizations)
	again := post[Authorization](p, at+"/revoke", "")
	require.Equal(t, revoked.Revoked, again.Revoked)
	revocations := 0
	for _, event := range get[EventList](p, "/events").Events {
		if event.Type == store.EventAuthorizationRevoked {
			revocations++
		}
	}
	require.Equal(t, 1, revocations)
}

// TestExpired: an authorization whose time has come says so, and is found by it.
func TestExpired(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	end := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	c := p.course(func(r *store.Request) { r.Scope.Expires = end.Format(time.RFC3339) })
	c.records(c.connects(manyMeters(1)...)...)
	_, err := world.store.ExpireAuthorizations(t.Context(), time.Now())
	require.NoError(t, err)
	expired := c.authorization()
	require.True(t, expired.IsExpired)
	require.Equal(t, end.Format(timeFormat), expired.Expires)
	require.Len(t, get[AuthorizationList](p, "/authorizations?is_expired=true").Authorizations, 1)
	require.Empty(t, get[AuthorizationList](p, "/authorizations?is_expired=false").Authorizations)
	require.Equal(t, "authorization_expired", string(get[EventList](p, "/events?limit=1").Events[0].Type))
}

// TestDeclined_IsNoConsent: who said no has signed nothing and has no meters.
func TestDeclined_IsNoConsent(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	c.records(c.to(meterkey.AwaitingLogin), c.to(meterkey.Declined))
	declined := c.authorization()
	require.True(t, declined.IsDeclined)
	require.Equal(t, c.at.UTC().Format(timeFormat), declined.Declined.Value.UTC().Format(timeFormat))
	require.Nil(t, declined.CustomerSignature.Value)
	require.Nil(t, declined.MFA.Value)
	p.refused(409, "POST", "/authorizations/"+declined.UID+"/code", codeBody("c-1", "1"))
}

// TestArchived: what is archived is still there, and found by it.
func TestArchived(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	a := p.recorded(manyMeters(2)...)
	meters := get[MeterList](p, "/meters").Meters
	post[Meter](p, "/meters/"+meters[1].UID, `{"is_archived": true}`)
	require.True(t, get[Meter](p, "/meters/"+meters[1].UID).IsArchived)
	for query, want := range map[string][]string{"": {meters[0].UID, meters[1].UID}, "?is_archived=true": {meters[1].UID}, "?is_archived=0": {meters[0].UID},
		"?is_archived=true&uids=" + meters[0].UID: {}, "?is_archived=true&authorizations=" + a.UID: {meters[1].UID}} {
		require.Equal(t, want, converted(get[MeterList](p, "/meters"+query).Meters, func(m Meter) string { return m.UID }), query)
		require.Len(t, p.csv("/meters"+query, "Accept", "text/csv"), len(want)+1, query)
		require.Len(t, p.feed("/meters"+query, "Accept", "application/atom+xml").Entries, len(want), query)
	}
	require.False(t, post[Meter](p, "/meters/"+meters[1].UID, `{"is_archived": false}`).IsArchived)
	p.refused(404, "POST", "/meters/nothing", `{"is_archived": true}`)
}
