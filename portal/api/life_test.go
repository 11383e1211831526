package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// TestLife walks one customer from the form to the meters, as a requester's program sees it.
func TestLife(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	require.Equal(t, "awaiting_login", form.Status)
	require.Contains(t, form.URL, p.server.URL+"/r/"+form.UID+".")
	require.Nil(t, form.AuthorizationUID)
	require.True(t, form.IsTest)

	authorization := p.signIn(form, "code", asks(meterkey.NumberCode))
	require.Equal(t, "pending", authorization.Status)
	mfa := *authorization.MFA.Value
	require.Equal(t, "awaiting_code", mfa.Status)
	require.Equal(t, "(***) ***-1234", mfa.SentTo)
	require.Equal(t, 3, mfa.TriesLeft)
	require.Equal(t, "customer", mfa.WhoMustAct)
	require.Equal(t, form.URL, mfa.URL)

	after := post[Authorization](p, "/authorizations/"+authorization.UID+"/code", `{"challenge_id": "`+*mfa.ChallengeID+`", "code": "123456"}`)
	require.True(t, after.MFA.Value == nil || after.MFA.Value.Status != "awaiting_code", "%+v", after)

	authorization = p.await(form, isConnected)
	require.Nil(t, authorization.MFA.Value)
	require.Equal(t, form.UID, authorization.FormUID)
	with := get[Authorization](p, "/authorizations/"+authorization.UID+"?include=meters")
	require.Len(t, with.Meters.Meters, 3)
	require.Nil(t, with.Meters.Next)
	meters := get[MeterList](p, "/meters?authorizations="+authorization.UID)
	require.Equal(t, with.Meters.Meters, meters.Meters)
	require.Equal(t, []string{"M00000"}, meters.Meters[0].Base.MeterNumbers)
	require.Equal(t, meters.Meters[0], get[Meter](p, "/meters/"+meters.Meters[0].UID))
	p.refused(http.StatusNotFound, http.MethodGet, "/meters/nothing", "")
}
