package api

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
)

// TestMethods: HEAD answers as GET does, without the body; what is not possible names what is.
func TestMethods(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for _, path := range []string{"/forms", "/templates/default", "/meters", "/bills"} {
		body := p.do(http.MethodGet, path, "")
		get := p.last
		require.NotEmpty(t, body)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, p.server.URL+Prefix+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+p.key)
		require.Empty(t, p.send(r), path)
		require.Equal(t, get.StatusCode, p.last.StatusCode, path)
		require.Equal(t, get.Header.Get("Content-Type"), p.last.Header.Get("Content-Type"), path)
	}
	for call, allowed := range map[string]string{
		"OPTIONS /forms": "GET, HEAD, POST", "PATCH /forms/x": "DELETE, GET, HEAD, POST", "DELETE /forms": "GET, HEAD, POST", "POST /templates": "GET, HEAD",
		"PUT /authorizations/x": "DELETE, GET, HEAD, POST", "GET /authorizations/x/revoke": "POST", "DELETE /meters/x": "GET, HEAD, POST",
		"POST /bills": "GET, HEAD", "GET /deliveries/x/redeliver": "POST", "PROPFINDEVERYTHING /forms": "GET, HEAD, POST",
	} {
		method, path, _ := strings.Cut(call, " ")
		e := p.refused(http.StatusMethodNotAllowed, method, path, "")
		require.Equal(t, "method_not_allowed", e.Code, call)
		require.Equal(t, allowed, p.last.Header.Get("Allow"), call)
		require.Contains(t, e.Description, allowed, call)
		require.Contains(t, e.Description, method[:min(len(method), 10)]+" is not possible", call)
	}
	for _, path := range []string{"/forms/x/", "/forms/x/y", "/form", "/Forms", "/authorizations/x/code/again"} {
		require.Equal(t, "not_found", p.refused(http.StatusNotFound, http.MethodGet, path, "").Code, path)
	}
}

// TestHeaders: answers are kept by nobody, are what they say they are, and have a number to ask about.
func TestHeaders(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	seen := map[string]bool{}
	for _, path := range []string{"/forms", "/forms/nothing", "/nothing", "/forms?limit=x"} {
		p.do(http.MethodGet, path, "", "X-Request-Id", "of-the-client's-own")
		require.Equal(t, "no-store", p.last.Header.Get("Cache-Control"), path)
		require.Equal(t, "nosniff", p.last.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "application/json", p.last.Header.Get("Content-Type"), path)
		id := p.last.Header.Get("X-Request-Id")
		require.Regexp(t, `^[0-9a-f-]{36}$`, id, "clients choose no ids for our log")
		require.False(t, seen[id])
		seen[id] = true
	}
}

// TestErrorBodies: to the letter, since programs and people read them.
func TestErrorBodies(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"no object":  {"GET", "/forms/nothing", "", 404, `{"error": "not_found", "error_description": "there is no such form", "url": null}`},
		"no address": {"GET", "/nothing", "", 404, `{"error": "not_found", "error_description": "there is nothing at this address", "url": null}`},
		"limit": {"GET", "/forms?limit=0", "", 400,
			`{"error": "invalid_request", "error_description": "limit: expected number >= 1", "url": null, "fields": {"limit": "expected number >= 1"}}`},
		"cursor": {"GET", "/events?after=nothing", "", 400, `{"error": "invalid_request", "url": null,
			"error_description": "after: there is nothing with this uid in the list: begin without it", "fields": {"after": "there is nothing with this uid in the list: begin without it"}}`},
		"address": {"POST", "/forms", `{"customer_email": "x"}`, 422,
			`{"error": "invalid_request", "error_description": "customer_email: is not an e-mail address", "url": null, "fields": {"customer_email": "is not an e-mail address"}}`},
		"template": {"POST", "/forms", `{"template_uid": "solar"}`, 422, `{"error": "invalid_request", "url": null,
			"error_description": "template_uid: there is no such template; leave it out, or say default", "fields": {"template_uid": "there is no such template; leave it out, or say default"}}`},
		"the past": {"POST", "/forms", `{"scope": {"expires": "2020-01-01T00:00:00Z"}}`, 422, `{"error": "invalid_request", "url": null,
			"error_description": "scope.expires: is in the past: the authorization would end before it begins", "fields": {"scope.expires": "is in the past: the authorization would end before it begins"}}`},
		"missing": {"POST", "/webhooks", `{}`, 422, `{"error": "invalid_request", "error_description": "url: is missing", "url": null, "fields": {"url": "is missing"}}`},
		"a slip": {"POST", "/forms", `{"nickame": "x"}`, 422, `{"error": "invalid_request", "url": null,
			"error_description": "nickame: there is no such field; did you mean nickname?", "fields": {"nickame": "there is no such field; did you mean nickname?"}}`},
		"no JSON": {"POST", "/forms", `{"utility": `, 400, `{"error": "invalid_request", "error_description": "body: unexpected end of JSON input", "url": null,
			"fields": {"body": "unexpected end of JSON input"}}`},
	} {
		body := p.do(c.method, c.path, c.body)
		require.Equal(t, c.status, p.last.StatusCode, name)
		require.JSONEq(t, c.want, string(body), name)
	}
}

// TestBodies_ThatMeanHarm are refused whole, whatever they are made of, and start nothing.
func TestBodies_ThatMeanHarm(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for name, c := range map[string]struct {
		body   string
		status int
		field  string
	}{
		"deep":                     {deep, 400, "body"},
		"a field twice, once odd":  {`{"nickname": "a", "Nickname": "` + strings.Repeat("b", 300) + `"}`, 422, "Nickname"},
		"a field by another case":  {`{"CUSTOMER_EMAIL": "pat@example.com"}`, 422, "CUSTOMER_EMAIL"},
		"a letter that folds":      {`{"nic` + "\u212a" + `name": "x"}`, 422, "nic\u212aname"},
		"no text":                  {"\xff\xfe{}", 400, "body"},
		"a number":                 {"1", 422, "body"},
		"a text":                   {`"x"`, 422, "body"},
		"a list of forms":          {`[{"utility": "DEMO"}]`, 422, "body"},
		"an object for a text":     {`{"nickname": {"$gt": ""}}`, 422, "nickname"},
		"a time that is none":      {`{"scope": {"expires": "2027-02-30T00:00:00Z"}}`, 422, "scope.expires"},
		"a time without its zone":  {`{"scope": {"expires": "2027-01-31T00:00:00"}}`, 422, "scope.expires"},
		"a year too far":           {`{"scope": {"expires": "9999-12-31T23:59:59-12:00"}}`, 422, "scope.expires"},
		"the year nought":          {`{"scope": {"expires": "0000-01-01T00:00:00Z"}}`, 422, "scope.expires"},
		"a scope of one's own":     {`{"scope": {"forever": true}}`, 422, "scope.forever"},
		"an address with a header": {`{"customer_email": "a@b.example\nBcc: c@d.example"}`, 422, "customer_email"},
		"two addresses":            {`{"customer_email": "a@b.example, c@d.example"}`, 422, "customer_email"},
	} {
		e := p.refused(c.status, http.MethodPost, "/forms", c.body)
		require.Contains(t, e.Fields, c.field, name)
	}
	require.Empty(t, get[FormList](p, "/forms").Forms)
}

// TestContentTypes: JSON by its names is taken, and nothing else is guessed at.
func TestContentTypes(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for contentType, status := range map[string]int{"application/json": 200, "application/json; charset=utf-8": 200, "text/plain": 415,
		"multipart/form-data; boundary=x": 415, "application/xml": 415} {
		body := p.do(http.MethodPost, "/webhooks", `{"url": "https://8.8.8.8/in"}`, "Content-Type", contentType)
		require.Equal(t, status, p.last.StatusCode, "%s: %s", contentType, body)
	}
}

// TestDatabaseAway: every operation says that it is our fault, in the envelope, without a word of the cause, and works
// again once the database does.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	away, err := store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "away.db")})
	require.NoError(t, err)
	require.NoError(t, away.Close())
	p := newParty(t)
	gone := p.with(func(d *Deps) { d.Store = away })
	for _, operation := range gone.operations() {
		method, path, _ := strings.Cut(operation, " ")
		body := gone.do(method, strings.NewReplacer("{uid}", "x", "{meter}", "x").Replace(path), bodies[operation])
		require.Equal(t, http.StatusInternalServerError, gone.last.StatusCode, "%s: %s", operation, body)
		e := strictly[Error](t, body)
		require.Equal(t, "server_error", e.Code)
		require.Contains(t, e.Description, gone.last.Header.Get("X-Request-Id"))
		require.NotContains(t, string(body), "sql", "the cause is told")
	}
	gone.outside(DocsPath)
	gone.outside(Prefix + "/openapi.json")
	get[FormList](p, "/forms")
}

// TestModifyForm_ByAnotherNameOfItsUtility: a client that sends back what it knows the utility by changes nothing.
func TestModifyForm_ByAnotherNameOfItsUtility(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	c := p.course()
	c.records(c.to(meterkey.AwaitingLogin))
	at := "/forms/" + c.uid
	same := post[Form](p, at, `{"utility": "con edison", "customer_email": " pat@example.com ", "nickname": "n"}`)
	require.Equal(t, "CONED", same.Utility)
	require.Equal(t, "n", same.Nickname)
	p.refused(http.StatusUnprocessableEntity, http.MethodPost, at, `{"utility": "CONEDD"}`)
	e := p.refused(http.StatusConflict, http.MethodPost, at, `{"utility": "PSEG", "nickname": "other"}`)
	require.Contains(t, e.Description, "utility: the form is open")
	require.Equal(t, "n", get[Form](p, at).Nickname, "half of a refused change was made")
}

// TestModifyForm_BetweenPracticeAndReal: whether only practice sites may be opened for a form follows its utility. A
// customer's login must never be typed into a practice site, nor a practice customer's into a real one.
func TestModifyForm_BetweenPracticeAndReal(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for from, c := range map[string]struct {
		test, staysTest bool
		to              string
	}{"DEMO": {true, false, "CONED"}, "CONED": {false, true, "DEMO"}, "PSEG": {true, true, "BGE"}, "BGE": {false, false, "PSEG"}} {
		form := p.course(func(r *store.Request) { r.Utility, r.IsTest = from, c.test })
		form.records(form.to(meterkey.Canceled))
		changed := post[Form](p, "/forms/"+form.uid, `{"utility": "`+c.to+`"}`)
		require.Equal(t, c.to, changed.Utility)
		require.Equal(t, c.staysTest, changed.IsTest, "from %s to %s", from, c.to)
		row, err := world.store.Request(t.Context(), p.uid, form.uid)
		require.NoError(t, err)
		require.Equal(t, c.staysTest, workflowRequest(store.Requester{UID: p.uid}, row).Test)
	}
}

// TestCode_Blank: a code of blanks would cost the customer a try.
func TestCode_Blank(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	_, authorization, at := p.asked("code", meterkey.NumberCode)
	challenge := *authorization.MFA.Value.ChallengeID
	for _, blank := range []string{" ", `\t\n`, `\u00a0`} {
		e := p.refused(http.StatusUnprocessableEntity, http.MethodPost, at+"/code", codeBody(challenge, blank))
		require.Equal(t, map[string]string{"code": "is blank"}, e.Fields)
	}
	require.Equal(t, 3, get[Authorization](p, at).MFA.Value.TriesLeft)
	after := post[Authorization](p, at+"/code", codeBody(challenge, " 123456 "))
	require.NotEqual(t, "code_rejected", after.StatusMessage)
}

// TestSlips: what is nearly a field is one's mistake, what is far from all of them is somebody else's field.
func TestSlips(t *testing.T) {
	t.Parallel()
	known := []string{"customer_email", "utility", "url"}
	for written, meant := range map[string]string{"custmer_email": "customer_email", "Utility": "utility", "UTILITY": "utility", "utilities": "", "uri": "url",
		"send_email": "", strings.Repeat("u", 64): "", "utilit": "utility"} {
		found := slips([]string{written}, known)
		require.Equal(t, meant, found[written], written)
	}
	require.Empty(t, slips([]string{"utility", "utilite"}, known), "the field itself is there")
	require.Equal(t, map[string]string{"Utility": "utility"}, slips([]string{"utility", "Utility"}, known), "the decoder takes it for the field")
	var decoded Fields[FormChange]
	require.NoError(t, json.Unmarshal([]byte(`{"Nickname": "x", "colour": 1}`), &decoded))
	require.Equal(t, map[string]string{"Nickname": "nickname"}, decoded.slips)
}
