package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

func TestListAuthorizations(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	firstForm, first := p.connected()
	secondForm := post[Form](p, "/forms", `{"utility": "CONED"}`)
	second := p.signIn(secondForm, "wrong", func(a Authorization) bool { return a.Status == "errored" })
	thirdForm := p.form()
	require.NoError(t, world.requests.Decline(t.Context(), thirdForm.UID))
	third := p.await(thirdForm, func(a Authorization) bool { return a.IsDeclined })
	require.NotNil(t, third.Declined.Value)

	for query, want := range map[string][]string{
		"":                                    {third.UID, second.UID, first.UID},
		"uids=" + first.UID + "," + third.UID: {third.UID, first.UID},
		"forms=" + secondForm.UID:             {second.UID},
		"forms=" + firstForm.UID + ",x":       {first.UID},
		"templates=default":                   {third.UID, second.UID, first.UID},
		"templates=other":                     {},
		"users=" + p.uid:                      {third.UID, second.UID, first.UID},
		"users=other":                         {},
		"referrals=" + first.Referrals[0]:     {first.UID},
		"is_archived=true":                    {},
		"is_declined=true":                    {third.UID},
		"is_declined=False":                   {second.UID, first.UID},
		"is_test=true":                        {third.UID, first.UID},
		"is_revoked=true":                     {},
		"is_expired=false":                    {third.UID, second.UID, first.UID},
		"utility=demo":                        {third.UID, first.UID},
		"utility=Consolidated+Edison":         {second.UID},
		"utility=unheard-of":                  {},
		"limit=1":                             {third.UID},
		"after=" + second.UID:                 {first.UID},
	} {
		list := get[AuthorizationList](p, "/authorizations?"+query)
		require.Equal(t, want, converted(list.Authorizations, func(a Authorization) string { return a.UID }), query)
		require.Equal(t, query == "limit=1", list.Next != nil, query)
	}
	with := get[AuthorizationList](p, "/authorizations?include=meters&expand_meter_blocks=base&uids="+first.UID)
	require.Len(t, with.Authorizations[0].Meters.Meters, 3)
	require.Nil(t, get[AuthorizationList](p, "/authorizations").Authorizations[2].Meters)
}

func TestModifyAuthorization(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	at := "/authorizations/" + authorization.UID
	require.Nil(t, authorization.Nickname)
	changed := post[Authorization](p, at, `{"nickname": "the roof", "is_archived": true}`)
	require.Equal(t, "the roof", *changed.Nickname)
	require.True(t, changed.IsArchived)
	require.Equal(t, changed, get[Authorization](p, at))
	require.Equal(t, changed, post[Authorization](p, at, `{}`))
	require.Contains(t, p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"is_archived": "yes"}`).Fields, "is_archived")
	require.Contains(t, p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"is_archive": true}`).Fields, "is_archive")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization := p.connected()
	at := "/authorizations/" + authorization.UID
	revoked := post[Authorization](p, at+"/revoke", "")
	require.True(t, revoked.IsRevoked)
	require.NotNil(t, revoked.Revoked.Value)
	require.Empty(t, get[MeterList](p, "/meters").Meters)
	require.Empty(t, get[Authorization](p, at+"?include=meters").Meters.Meters)
	again := post[Authorization](p, at+"/revoke", "")
	require.Equal(t, revoked, again, "revoking twice is revoking once")
	require.Len(t, get[AuthorizationList](p, "/authorizations?is_revoked=true").Authorizations, 1)
}

// TestRevoke_OfALiveOne calls the request off as well.
func TestRevoke_OfALiveOne(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	authorization := p.signIn(form, "code", asks(meterkey.NumberCode))
	revoked := post[Authorization](p, "/authorizations/"+authorization.UID+"/revoke", "")
	require.True(t, revoked.IsRevoked)
	require.Nil(t, revoked.MFA.Value)
	require.Equal(t, "canceled", get[Form](p, "/forms/"+form.UID).Status)
}

func TestDeleteAuthorization(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, test := p.connected()
	require.True(t, decoded[Success](p, p.do(http.MethodDelete, "/authorizations/"+test.UID, "")).Success)
	p.refused(http.StatusNotFound, http.MethodGet, "/authorizations/"+test.UID, "")
	require.Empty(t, get[MeterList](p, "/meters").Meters)

	real := p.signIn(post[Form](p, "/forms", `{"utility": "CONED"}`), "ok", isConnected)
	e := p.refused(http.StatusForbidden, http.MethodDelete, "/authorizations/"+real.UID, "")
	require.Contains(t, e.Description, "revoke")
	require.Len(t, get[MeterList](p, "/meters").Meters, 3)
}

// TestAuthorization_WithoutItsForm: the form may be deleted, the authorization stays.
func TestAuthorization_WithoutItsForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization := p.connected()
	p.do(http.MethodDelete, "/forms/"+form.UID, "")
	left := get[Authorization](p, "/authorizations/"+authorization.UID)
	require.Nil(t, left.MFA.Value)
	require.Equal(t, left, get[AuthorizationList](p, "/authorizations").Authorizations[0])
	p.refused(http.StatusConflict, http.MethodPost, "/authorizations/"+authorization.UID+"/code", `{"challenge_id": "c-1", "code": "1"}`)
	again := post[Form](p, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.Equal(t, authorization.Utility, again.Utility)
}

func TestSignature(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	require.NoError(t, world.store.SetConsent(t.Context(), form.UID, store.Consent{At: at, Language: "en", Text: "1", FullName: "Pat Doe"}))
	authorization := p.signIn(form, "ok", isConnected)
	require.Equal(t, "text", authorization.CustomerSignature.Value.Type)
	require.Equal(t, "Pat Doe", authorization.CustomerSignature.Value.FullName)
	require.Equal(t, "checkbox", signature(&store.Consent{At: at}).Value.Type)
	require.Nil(t, signature(nil).Value)
}

func TestExpires(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 31, 1, 2, 3, 4000, time.FixedZone("", 3600))
	require.Equal(t, "2027-01-31T00:02:03.000004+00:00", expires(store.Authorization{Expires: &end}))
	require.Equal(t, "until_revoked", expires(store.Authorization{}))
}

func TestNote_SaysWhenSomethingIsExpected(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	require.Equal(t, Note{Type: "retrying", Msg: "m", TS: Time{at}, ETA: &Time{at}}, note(store.Note{Type: "retrying", Msg: "m", TS: at, ETA: &at}))
	require.Nil(t, note(store.Note{TS: at}).ETA)
}
