package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
)

// asked is an authorization whose customer is asked for something.
func (p *party) asked(user string, kind meterkey.ChallengeKind) (Form, Authorization, string) {
	p.t.Helper()
	form := p.form()
	authorization := p.signIn(form, user, asks(kind))
	return form, authorization, "/authorizations/" + authorization.UID
}

func codeBody(challenge, code string) string {
	return `{"challenge_id": "` + challenge + `", "code": "` + code + `"}`
}

// TestCode_WrongThenRight is what a code page of the requester's own does.
func TestCode_WrongThenRight(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization, at := p.asked("code", meterkey.NumberCode)
	first := *authorization.MFA.Value
	require.Equal(t, MFA{Status: "awaiting_code", Kind: "number_code", Prompt: "Enter the code", SentTo: "(***) ***-1234", Options: []Option{},
		Digits: 6, ExpiresAt: first.ExpiresAt, TriesLeft: 3, CanResend: true, ChallengeID: first.ChallengeID, URL: form.URL,
		WhoMustAct: "customer", Message: first.Message}, first)

	post[Authorization](p, at+"/code", codeBody(*first.ChallengeID, "000000"))
	rejected := p.await(form, func(a Authorization) bool { return a.MFA.Value != nil && a.MFA.Value.Reason == "code_rejected" })
	require.Equal(t, 2, rejected.MFA.Value.TriesLeft)
	second := *rejected.MFA.Value.ChallengeID
	require.NotEqual(t, *first.ChallengeID, second)

	e := p.refused(http.StatusConflict, http.MethodPost, at+"/code", codeBody(*first.ChallengeID, "123456"))
	require.Contains(t, e.Description, second, "which challenge is current is not told")
	post[Authorization](p, at+"/code", codeBody(second, "123456"))
	p.await(form, isConnected)
	e = p.refused(http.StatusConflict, http.MethodPost, at+"/code", codeBody(second, "123456"))
	require.Contains(t, e.Description, "connected")
}

func TestCode_Choice(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization, at := p.asked("choice", meterkey.MethodChoice)
	require.Equal(t, []Option{{"sms", "Text message", "***-1234"}, {"mail", "E-mail", ""}}, authorization.MFA.Value.Options)
	post[Authorization](p, at+"/code", codeBody(*authorization.MFA.Value.ChallengeID, "sms"))
	p.await(form, asks(meterkey.NumberCode))
}

func TestResendCode(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization, at := p.asked("code", meterkey.NumberCode)
	first := *authorization.MFA.Value.ChallengeID
	again := post[Authorization](p, at+"/resend-code", "")
	require.NotEqual(t, first, *again.MFA.Value.ChallengeID)
	p.refused(http.StatusConflict, http.MethodPost, at+"/resend-code", `{"challenge_id": "`+first+`"}`)
	post[Authorization](p, at+"/resend-code", `{"challenge_id": "`+*again.MFA.Value.ChallengeID+`"}`)

	_, _, at = p.asked("choice", meterkey.MethodChoice)
	e := p.refused(http.StatusConflict, http.MethodPost, at+"/resend-code", "{}")
	require.Contains(t, e.Description, "does not offer")
}

func TestCode_WrongInput(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization, at := p.asked("code", meterkey.NumberCode)
	for body, field := range map[string]string{
		`{}`: "challenge_id", `{"challenge_id": "c-1"}`: "code", `{"challenge_id": "", "code": "1"}`: "challenge_id",
		`{"challenge_id": "c-1", "code": 123456}`: "code", `{"challenge_id": "c-1", "code": "` + strings.Repeat("1", 201) + `"}`: "code",
	} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, at+"/code", body)
		require.Contains(t, e.Fields, field, body)
	}
	p.refused(http.StatusBadRequest, http.MethodPost, at+"/code", "")
	require.Equal(t, authorization.MFA, get[Authorization](p, at).MFA, "something was typed all the same")
}

// TestCode_WithoutTemporal: nothing is taken, and the client is told to come back.
func TestCode_WithoutTemporal(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization, at := p.asked("code", meterkey.NumberCode)
	log, lines := observer.New(zap.ErrorLevel)
	dead := p.with(func(d *Deps) { d.Requests, d.Log = unreachable(t), zap.New(log) })
	e := dead.refused(http.StatusServiceUnavailable, http.MethodPost, at+"/code", codeBody(*authorization.MFA.Value.ChallengeID, "123456"))
	require.Equal(t, "temporarily_unavailable", e.Code)
	require.NotContains(t, e.Description, "connection refused")
	require.Contains(t, lines.All()[0].ContextMap()["error"], "connection refused", "operators learn why")
	dead.refused(http.StatusServiceUnavailable, http.MethodPost, at+"/revoke", "")
	dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms/"+form.UID, `{"disabled": true}`)
	dead.refused(http.StatusServiceUnavailable, http.MethodDelete, "/forms/"+form.UID, "")
	dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.Eventually(t, func() bool { return get[Authorization](dead, at).MFA.Value.Status == "awaiting_code" }, within, 20*time.Millisecond,
		"the database's last word")
}

func TestIgnoredSince(t *testing.T) {
	t.Parallel()
	at := func(minute int) meterkey.Ignored {
		return meterkey.Ignored{Signal: "submit-code", Why: "because", At: minuteOf(minute)}
	}
	before := meterkey.State{Ignored: []meterkey.Ignored{at(1)}}
	require.Empty(t, ignoredSince(before, before, "submit-code"))
	require.Equal(t, "because", ignoredSince(before, meterkey.State{Ignored: []meterkey.Ignored{at(1), at(2)}}, "submit-code"))
	require.Empty(t, ignoredSince(before, meterkey.State{Ignored: []meterkey.Ignored{at(1), at(2)}}, "leave"))
	require.Equal(t, "because", ignoredSince(meterkey.State{}, before, "submit-code"))
}

// FuzzBodies: whatever is sent to change something, the answer to it is never our fault, and tells no one's secret.
func FuzzBodies(f *testing.F) {
	f.Add("code", `{"challenge_id": "c-1", "code": "1"}`)
	f.Add("resend-code", `{"challenge_id": null}`)
	f.Add("authorization", `{"nickname": 1, "is_archived": null}`)
	f.Add("form", `{"disabled": "x", "customer_email": [[]]}`)
	f.Add("meter", `{"is_archived": {}}`)
	f.Add("historical-collection", `{"meters": [1]}`)
	all := newParty(f)
	f.Fuzz(func(t *testing.T, operation, body string) {
		path, known := map[string]string{"code": "/authorizations/nothing/code", "resend-code": "/authorizations/nothing/resend-code",
			"authorization": "/authorizations/nothing", "form": "/forms/nothing", "meter": "/meters/nothing",
			"historical-collection": "/meters/historical-collection"}[operation]
		if !known {
			return
		}
		p := all.fuzzed(t)
		answer := p.do(http.MethodPost, path, body, "Content-Type", "application/json")
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}, p.last.StatusCode, "%s", answer)
		strictly[Error](t, answer)
		if p.last.StatusCode == http.StatusNotFound && body != "" {
			require.True(t, json.Valid([]byte(body)), "what is no JSON was taken for some")
		}
	})
}
