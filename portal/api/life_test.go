package api

import (
	"net/http"
	"testing"
	"time"

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

// TestTerminated: an operator ends the run of a request that waits for a code; the API says so, whatever the run says.
func TestTerminated(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	asked := p.signIn(form, "code", asks(meterkey.NumberCode))
	require.NoError(t, world.temporal.TerminateWorkflow(t.Context(), meterkey.WorkflowID(form.UID), "", "an operator's reason"))
	row, err := world.store.RequestByID(t.Context(), form.UID)
	require.NoError(t, err)
	_, err = world.store.RecordTerminated(t.Context(), form.UID, row.RunID, time.Now())
	require.NoError(t, err)

	ended := get[Form](p, "/forms/"+form.UID)
	require.Equal(t, "failed", ended.Status)
	require.Equal(t, "terminated", ended.Reason)
	require.Equal(t, form.URL, ended.URL)
	authorization := get[Authorization](p, "/authorizations/"+asked.UID)
	require.Equal(t, "errored", authorization.Status)
	require.Equal(t, "request_terminated", authorization.Notes[0].Type)
	require.Nil(t, authorization.MFA.Value)
	e := p.refused(http.StatusConflict, http.MethodPost, "/authorizations/"+asked.UID+"/code", codeBody(*asked.MFA.Value.ChallengeID, "123456"))
	require.Contains(t, e.Description, "no code is awaited: the data request is failed")

	require.Equal(t, "failed", post[Form](p, "/forms/"+form.UID, `{"disabled": true}`).Status)
	require.Equal(t, "awaiting_login", post[Form](p, "/forms/"+form.UID, `{"disabled": false}`).Status)
	require.Equal(t, asked.UID, p.signIn(form, "ok", isConnected).UID)
}
