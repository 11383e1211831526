package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk"
)

func TestCreateForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for name, c := range map[string]struct {
		body    string
		utility string
		check   func(*testing.T, Form)
	}{
		"nothing":                     {``, "", nil},
		"an empty object":             {`{}`, "", nil},
		"nulls":                       {`{"utility": null, "customer_email": null, "scope": null, "authorization_uid": null, "template_uid": null}`, "", nil},
		"UtilityAPI's clients":        {`{"utility": "DEMO", "template_uid": "default", "send_email": true}`, "DEMO", nil},
		"a utility by another name":   {`{"utility": "PSE&G"}`, "PSEG", nil},
		"a utility by its full name":  {`{"utility": " consolidated edison "}`, "CONED", nil},
		"all that there is":           {`{"template_uid": "default", "customer_email": "pat@example.com", "utility": "CONED", "scope": {"expires": "2030-01-01T00:00:00Z"}, "nickname": "roof 12", "customer_name": "Pat"}`, "CONED", nil},
		"one that ends when revoked":  {`{"scope": {"expires": "until_revoked"}}`, "", nil},
		"something nobody knows here": {`{"webhook_color": {"a": [1]}}`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			form := post[Form](p, "/forms", c.body)
			require.Equal(t, c.utility, form.Utility)
			require.Equal(t, c.utility == "DEMO", form.IsTest)
			require.Equal(t, "awaiting_login", form.Status)
			require.Equal(t, p.uid, form.UserUID)
			requestID, linkedAt, ok := world.key.ReadLinkToken(form.URL[strings.LastIndexByte(form.URL, '/')+1:])
			require.True(t, ok)
			require.Equal(t, form.UID, requestID)
			state, err := world.requests.State(t.Context(), form.UID)
			require.NoError(t, err)
			require.Equal(t, state.LinkedAt, linkedAt)
			read := get[Form](p, "/forms/"+form.UID)
			read.Updated = form.Updated // the projection may have come since
			require.Equal(t, form, read)
		})
	}
}

func TestCreateForm_TellsTheCustomer(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	require.Eventually(t, func() bool { return len(world.site.noticesOf(form.UID, meterkey.NoticeSignIn)) == 1 }, within, 20*time.Millisecond)
	notice := world.site.noticesOf(form.UID, meterkey.NoticeSignIn)[0]
	require.Equal(t, "pat@example.com", notice.Request.CustomerEmail)
	require.Equal(t, "Acme Solar", notice.Request.RequesterName)
	require.Equal(t, form.URL, world.key.Link(p.server.URL, form.UID, notice.LinkedAt), "the notice has another link")
}

func TestCreateForm_StartsNothingOnWrongInput(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for body, field := range map[string]string{
		`{"customer_email": "no address"}`:                                   "customer_email",
		`{"customer_email": "a@b.example\r\nBcc: c@d"}`:                      "customer_email",
		`{"customer_email": "` + strings.Repeat("a", 300) + `@example.com"}`: "customer_email",
		`{"utility": "CONEDD"}`:                                              "utility",
		`{"utility": 7}`:                                                     "utility",
		`{"template_uid": "other"}`:                                          "template_uid",
		`{"authorization_uid": "nothing"}`:                                   "authorization_uid",
		`{"scope": {"expires": "tomorrow"}}`:                                 "scope.expires",
		`{"scope": {"ongoing_end": "2030-13-01T00:00:00Z"}}`:                 "scope.ongoing_end",
		`{"scope": "all"}`:                                                   "scope",
		`{"nickname": "` + strings.Repeat("a", 201) + `"}`:                   "nickname",
		`{"custmer_email": "pat@example.com"}`:                               "custmer_email",
		`{"Utility_": "CONED"}`:                                              "Utility_",
	} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", body)
		require.Contains(t, e.Fields, field, body)
	}
	require.Contains(t, p.refused(422, "POST", "/forms", `{"utility": "CONEDD"}`).Description, "CONED?")
	require.Contains(t, p.refused(422, "POST", "/forms", `{"custmer_email": ""}`).Description, "did you mean customer_email?")
	require.Empty(t, get[FormList](p, "/forms").Forms)
}

func TestListForms(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var newestFirst []string
	for i := range 5 {
		form := post[Form](p, "/forms", fmt.Sprintf(`{"utility": "CONED", "nickname": "n%d"}`, i))
		newestFirst = append([]string{form.UID}, newestFirst...)
	}
	test := p.form()

	var seen []string
	pages := 0
	for next := "/forms?limit=2&utility=coned&access_token=x"; next != ""; pages++ {
		list := get[FormList](p, next)
		for _, form := range list.Forms {
			seen = append(seen, form.UID)
		}
		next = ""
		if list.Next != nil {
			next = *list.Next
			require.NotContains(t, next, "access_token")
			require.True(t, strings.HasPrefix(next, p.server.URL+"/api/v2/forms?"))
		}
	}
	require.Equal(t, newestFirst, seen)
	require.Equal(t, 3, pages)

	only := func(query string) []string {
		return converted(get[FormList](p, "/forms?"+query).Forms, func(f Form) string { return f.UID })
	}
	require.Equal(t, []string{test.UID}, only("is_test=true"))
	require.Equal(t, newestFirst, only("is_test=false"))
	require.Equal(t, []string{newestFirst[3], newestFirst[0]}[1:], only("uids="+newestFirst[0]))
	require.Len(t, only("uids="+newestFirst[0]+","+newestFirst[1]), 2)
	require.Len(t, only("templates=default"), 6)
	require.Empty(t, only("templates=other"))
	require.Empty(t, only("statuses=connected,failed"))
	require.Empty(t, only("utility=SCE"))
	post[Form](p, "/forms/"+test.UID, `{"is_archived": true}`)
	require.Equal(t, []string{test.UID}, only("is_archived=1"))
}

func TestModifyForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	at := "/forms/" + form.UID
	changed := post[Form](p, at, `{"nickname": "roof", "customer_name": "Pat", "is_archived": true}`)
	require.Equal(t, "roof", changed.Nickname)
	require.Equal(t, "Pat", changed.CustomerName)
	require.True(t, changed.IsArchived)
	require.Equal(t, form.URL, changed.URL)
	require.Equal(t, "roof", post[Form](p, at, `{}`).Nickname)

	e := p.refused(http.StatusConflict, http.MethodPost, at, `{"customer_email": "lee@example.com"}`)
	require.Contains(t, e.Description, "customer_email")
	p.refused(http.StatusConflict, http.MethodPost, at, `{"utility": "CONED"}`)
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"disabled": "yes"}`)

	closed := post[Form](p, at, `{"disabled": true}`)
	require.True(t, closed.Disabled)
	require.Equal(t, "canceled", closed.Status)
	require.Equal(t, form.URL, closed.URL)
	require.Equal(t, closed.Status, post[Form](p, at, `{"disabled": true}`).Status, "closing twice is closing once")

	p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"customer_email": "nobody"}`)
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"utility": "nothing"}`)
	opened := post[Form](p, at, `{"disabled": false, "customer_email": "lee@example.com", "utility": "CONED"}`)
	require.False(t, opened.Disabled)
	require.Equal(t, "awaiting_login", opened.Status)
	require.NotEqual(t, form.URL, opened.URL, "the old link works again")
	request, err := world.requests.Request(t.Context(), form.UID)
	require.NoError(t, err)
	require.Equal(t, "lee@example.com", request.CustomerEmail)
	require.Equal(t, "CONED", request.Utility)
}

// TestNamesAreOneLine: names go into subjects, tables and files, each of which is broken by a line's end.
func TestNamesAreOneLine(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization := p.connected()
	for _, at := range []struct{ path, field string }{
		{"/forms", "nickname"}, {"/forms", "customer_name"}, {"/forms/" + form.UID, "nickname"}, {"/forms/" + form.UID, "customer_name"},
		{"/authorizations/" + authorization.UID, "nickname"},
	} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, at.path, `{"`+at.field+`": "Pat\nBcc: all@example.com"}`)
		require.Contains(t, e.Fields[at.field], "one line of plain text", at.path)
	}
	require.Equal(t, "Zoë 日本", post[Form](p, "/forms/"+form.UID, `{"nickname": "Zoë 日本"}`).Nickname)
}

// TestModifyForm_OpensOnlyWhatWasClosed: a client that sends all fields back must not start anything.
func TestModifyForm_OpensOnlyWhatWasClosed(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, _ := p.connected()
	again := post[Form](p, "/forms/"+form.UID, `{"disabled": false, "nickname": "n"}`)
	require.Equal(t, "connected", again.Status)
	require.Equal(t, form.URL, again.URL)
}

func TestDeleteForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	require.True(t, decoded[Success](p, p.do(http.MethodDelete, "/forms/"+form.UID, "")).Success)
	p.refused(http.StatusNotFound, http.MethodGet, "/forms/"+form.UID, "")
	p.refused(http.StatusNotFound, http.MethodDelete, "/forms/"+form.UID, "")
	require.Empty(t, get[FormList](p, "/forms").Forms)
	state, err := world.requests.Wait(t.Context(), form.UID, func(s meterkey.State) bool { return s.Status.Terminal() })
	require.NoError(t, err)
	require.Equal(t, meterkey.Canceled, state.Status)
}

// TestIsolation: to another requester, nothing is there.
func TestIsolation(t *testing.T) {
	t.Parallel()
	owner, stranger := newParty(t), newParty(t)
	form, authorization := owner.connected()
	meter := get[MeterList](owner, "/meters").Meters[0]
	for call, body := range map[string]string{
		"GET /forms/" + form.UID: "", "POST /forms/" + form.UID: "{}", "DELETE /forms/" + form.UID: "",
		"GET /authorizations/" + authorization.UID: "", "POST /authorizations/" + authorization.UID: "{}",
		"DELETE /authorizations/" + authorization.UID: "", "POST /authorizations/" + authorization.UID + "/revoke": "",
		"POST /authorizations/" + authorization.UID + "/code":        `{"challenge_id": "c-1", "code": "1"}`,
		"POST /authorizations/" + authorization.UID + "/resend-code": "",
		"GET /meters/" + meter.UID:                                   "", "POST /meters/" + meter.UID: "{}",
		"GET /files/meters_csv/" + authorization.UID:                                                          "",
		"GET /DataCustodian/espi/1_1/resource/Subscription/" + authorization.UID + "/UsagePoint":              "",
		"GET /DataCustodian/espi/1_1/resource/Subscription/" + authorization.UID + "/UsagePoint/" + meter.UID: "",
	} {
		method, path, _ := strings.Cut(call, " ")
		theirs := stranger.refused(http.StatusNotFound, method, path, body)
		nobodys := stranger.refused(http.StatusNotFound, method, strings.NewReplacer(form.UID, "nothing", authorization.UID, "nothing", meter.UID, "nothing").Replace(path), body)
		require.Equal(t, nobodys, theirs, "%s tells that it exists", call)
	}
	e := stranger.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.Contains(t, e.Fields, "authorization_uid")
	require.Empty(t, get[FormList](stranger, "/forms?uids="+form.UID).Forms)
	require.Empty(t, get[AuthorizationList](stranger, "/authorizations?uids="+authorization.UID).Authorizations)
	require.Empty(t, get[MeterList](stranger, "/meters?authorizations="+authorization.UID).Meters)
	stranger.refused(http.StatusBadRequest, http.MethodGet, "/meters?after="+meter.UID, "")
	require.Equal(t, authorization.UID, get[Authorization](owner, "/authorizations/"+authorization.UID).UID)
}

// TestReauthorization_OfAnOpenForm sends that form again.
func TestReauthorization_OfAnOpenForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form := p.form()
	authorization := p.signIn(form, "wrong", func(a Authorization) bool { return a.Status == "errored" })
	again := post[Form](p, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.Equal(t, form.UID, again.UID)
	require.Equal(t, authorization.UID, *again.AuthorizationUID)
	require.NotEqual(t, form.URL, again.URL, "the old link is not dead")
	e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"authorization_uid": "`+authorization.UID+`", "utility": "CONED"}`)
	require.Contains(t, e.Fields, "utility")
	e = p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"authorization_uid": "`+authorization.UID+`", "customer_email": "lee@example.com"}`)
	require.Contains(t, e.Fields, "customer_email")
	require.Len(t, get[FormList](p, "/forms").Forms, 1)
}

// TestReauthorization_OfAnEndedForm makes a new form that leads to the same authorization.
func TestReauthorization_OfAnEndedForm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	form, authorization := p.connected()
	meters := get[MeterList](p, "/meters").Meters
	again := post[Form](p, "/forms", `{"authorization_uid": "`+authorization.UID+`"}`)
	require.NotEqual(t, form.UID, again.UID)
	require.Equal(t, authorization.UID, *again.AuthorizationUID)
	require.Equal(t, form.CustomerEmail, again.CustomerEmail)
	require.Equal(t, form.Utility, again.Utility)
	renewed := p.signIn(again, "ok", isConnected)
	require.Equal(t, authorization.UID, renewed.UID)
	require.Equal(t, again.UID, renewed.FormUID)
	require.Len(t, get[AuthorizationList](p, "/authorizations").Authorizations, 1)
	require.Equal(t, converted(meters, func(m Meter) string { return m.UID }),
		converted(get[MeterList](p, "/meters").Meters, func(m Meter) string { return m.UID }), "meters have new uids")
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	body := `{"utility": "DEMO", "nickname": "once"}`
	first := p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k 1")
	require.Equal(t, http.StatusOK, p.last.StatusCode)
	require.Empty(t, p.last.Header.Get("Idempotent-Replayed"))
	again := p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k 1")
	require.Equal(t, http.StatusOK, p.last.StatusCode)
	require.Equal(t, "true", p.last.Header.Get("Idempotent-Replayed"))
	require.Equal(t, string(first), string(again))
	require.Len(t, get[FormList](p, "/forms").Forms, 1)

	kept, mine, err := world.store.ReserveKey(t.Context(), store.Idempotency{RequesterUID: p.uid, Key: "k 1"})
	require.NoError(t, err)
	require.False(t, mine)
	require.NotContains(t, string(kept.Body), "once", "the answer is stored in the clear")
	otherKey, err := portalkey.New(make([]byte, portalkey.Size))
	require.NoError(t, err)
	p.with(func(d *Deps) { d.Key = otherKey }).refused(http.StatusInternalServerError, http.MethodPost, "/forms", body, "Idempotency-Key", "k 1")

	e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"utility": "SCE"}`, "Idempotency-Key", "k 1")
	require.Contains(t, e.Description, "Idempotency-Key")
	require.NotEqual(t, string(first), string(p.do(http.MethodPost, "/forms", body, "Idempotency-Key", "k 2")))
	other := newParty(t)
	require.NotEqual(t, strictly[Form](t, first).UID, post[Form](other, "/forms", body, "Idempotency-Key", "k 1").UID)

	for _, key := range []string{strings.Repeat("k", 256), "schlüssel"} {
		e := p.refused(http.StatusBadRequest, http.MethodPost, "/forms", body, "Idempotency-Key", key)
		require.Contains(t, e.Fields, "Idempotency-Key")
	}
}

// TestIdempotency_WrongInputGivesTheKeyBack: the corrected call may use it.
func TestIdempotency_WrongInputGivesTheKeyBack(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"utility": "nothing"}`, "Idempotency-Key", "k")
	require.Equal(t, "DEMO", post[Form](p, "/forms", `{"utility": "DEMO"}`, "Idempotency-Key", "k").Utility)
}

func TestIdempotency_AtOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var all sync.WaitGroup
	answers := make(chan string, 8)
	for range cap(answers) { // all in the same moment
		all.Go(func() {
			p := p.in(t)
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				body := p.do(http.MethodPost, "/forms", `{"utility": "DEMO"}`, "Idempotency-Key", "k")
				if p.last.StatusCode != http.StatusConflict {
					answers <- string(body)
					return
				}
			}
		})
	}
	all.Wait()
	close(answers)
	first := <-answers
	for answer := range answers {
		require.Equal(t, first, answer)
	}
	require.Len(t, get[FormList](p, "/forms").Forms, 1)
}

// TestStartFails: between the database and Temporal a call may break. Repeating it with its key, or getting the form,
// ends with one request that was sent once.
func TestStartFails(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	dead := p.with(func(d *Deps) { d.Requests = unreachable(t) })
	body := `{"utility": "DEMO", "customer_email": "pat@example.com"}`
	e := dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms", body, "Idempotency-Key", "k")
	require.Equal(t, "temporarily_unavailable", e.Code)
	require.Equal(t, "1", dead.last.Header.Get("Retry-After"))
	stored := get[FormList](p, "/forms").Forms
	require.Len(t, stored, 1)
	require.Empty(t, stored[0].URL)
	require.Contains(t, e.Description, stored[0].UID)

	e = p.refused(http.StatusUnprocessableEntity, http.MethodPost, "/forms", `{"utility": "SCE"}`, "Idempotency-Key", "k")
	require.Contains(t, e.Description, "Idempotency-Key")
	form := post[Form](p, "/forms", body, "Idempotency-Key", "k")
	require.Equal(t, stored[0].UID, form.UID)
	require.Equal(t, "awaiting_login", form.Status)

	dead.refused(http.StatusServiceUnavailable, http.MethodPost, "/forms", body)
	forgotten := get[FormList](p, "/forms").Forms[0]
	require.Empty(t, forgotten.URL)
	require.Equal(t, "awaiting_login", get[Form](p, "/forms/"+forgotten.UID).Status)
	require.Eventually(t, func() bool { return len(world.site.noticesOf(forgotten.UID, meterkey.NoticeSignIn)) == 1 }, within, 20*time.Millisecond)
	require.Len(t, get[FormList](p, "/forms").Forms, 2)
}

// unreachable is a client of a Temporal server that is not there.
func unreachable(t testing.TB) *sdk.Client {
	t.Helper()
	address, err := devenv.FreeAddress("")
	require.NoError(t, err)
	c, err := client.NewLazyClient(client.Options{HostPort: address, Logger: logging.Temporal(zap.NewNop())})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return sdk.New(c, "", nil)
}

// FuzzCreateForm: whatever is sent, the answer is a form or the envelope.
func FuzzCreateForm(f *testing.F) {
	for _, body := range []string{``, `{}`, `null`, `[]`, `{"utility":"DEMO"}`, `{"scope":{"expires":"x"}}`, `{"custmer_email":1}`, `{"utility":"\u0000"}`, "\xff", `{"a":1}{"b":2}`} {
		f.Add(body)
	}
	all := newParty(f)
	f.Fuzz(func(t *testing.T, body string) {
		var decodes Fields[NewForm]
		if json.Unmarshal([]byte(body), &decodes) == nil && body != "null" {
			return // it would start a workflow: TestCreateForm's business
		}
		p := all.fuzzed(t)
		answer := p.do(http.MethodPost, "/forms", body+" ")
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, p.last.StatusCode, "%s", answer)
		strictly[Error](t, answer)
	})
}

// FuzzParameters: no parameter and no cursor gets more than an envelope out of the API.
func FuzzParameters(f *testing.F) {
	f.Add("forms", "after", "x", "limit", "5")
	f.Add("authorizations", "is_test", "1", "uids", ",,")
	f.Add("meters", "utility", "PSE&G", "include", "meters")
	f.Add("events", "is_delivered", "no", "after", "\x00")
	all := newParty(f)
	f.Fuzz(func(t *testing.T, list, name, value, other, another string) {
		p := all.fuzzed(t)
		switch list {
		case "forms", "authorizations", "meters", "events", "templates":
		default:
			list = "forms"
		}
		query := url.Values{name: {value}, other: {another}}
		query.Del("access_token")
		answer := p.do(http.MethodGet, "/"+list+"?"+query.Encode(), "")
		if p.last.StatusCode != http.StatusOK {
			require.Equal(t, http.StatusBadRequest, p.last.StatusCode, "%s", answer)
			strictly[Error](t, answer)
		}
	})
}

// FuzzIdempotencyKey: a key that can be sent is taken or refused by name.
func FuzzIdempotencyKey(f *testing.F) {
	f.Add("k")
	f.Add(strings.Repeat("k", 300))
	f.Add("é")
	f.Fuzz(func(t *testing.T, key string) {
		require.Equal(t, len(key) <= maxIdempotencyKey && strings.Trim(key, printable()) == "", validKey(key))
		require.Len(t, uidFor("r", key), 16)
	})
}

// printable are the characters that a key may have.
func printable() string {
	var all strings.Builder
	for c := ' '; c <= '~'; c++ {
		all.WriteRune(c)
	}
	return all.String()
}
