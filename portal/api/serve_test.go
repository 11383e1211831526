package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	list := get[FormList](p, "/forms")
	require.Empty(t, list.Forms)

	for name, header := range map[string]string{"none": "", "unknown": "Bearer mk_nothing", "other scheme": "Basic " + p.key, "empty": "Bearer "} {
		e := p.refused(http.StatusUnauthorized, http.MethodGet, "/forms", "", "Authorization", header)
		require.Equal(t, "unauthorized", e.Code, name)
		require.NotEmpty(t, p.last.Header.Get("WWW-Authenticate"), name)
	}
	p.do(http.MethodGet, "/forms?access_token="+url.QueryEscape(p.key), "", "Authorization", "")
	require.Equal(t, http.StatusOK, p.last.StatusCode)
	p.refused(http.StatusUnauthorized, http.MethodGet, "/nothing", "", "Authorization", "")

	keys, err := world.store.Keys(t.Context(), p.uid)
	require.NoError(t, err)
	require.NoError(t, world.store.RevokeKey(t.Context(), p.uid, keys[0].UID))
	p.refused(http.StatusUnauthorized, http.MethodGet, "/forms", "")
}

// TestEnvelope holds that every refusal is answered in the one envelope, with the right status and naming the field.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for name, c := range map[string]struct {
		status                     int
		method, path, body, header string
		field                      string
	}{
		"no such address":       {404, "GET", "/nothing", "", "", ""},
		"outside of the API":    {404, "GET", p.server.URL + "/api/nothing", "", "", ""},
		"no such method":        {405, "PUT", "/forms", "{}", "", ""},
		"no such form":          {404, "GET", "/forms/nothing", "", "", ""},
		"uid no one can have":   {404, "GET", "/forms/%00%27", "", "", "uid"},
		"uid too long":          {404, "GET", "/forms/" + strings.Repeat("a", 65), "", "", "uid"},
		"no JSON":               {400, "POST", "/forms", "{", "", "body"},
		"two documents":         {400, "POST", "/forms", "{}{}", "", "body"},
		"not an object":         {422, "POST", "/forms", "[]", "", "body"},
		"wrong type":            {422, "POST", "/forms", `{"customer_email": 5}`, "", "customer_email"},
		"not JSON by its label": {415, "POST", "/forms", "a=b", "application/x-www-form-urlencoded", "body"},
		"too long":              {413, "POST", "/forms", `{"nickname": "` + strings.Repeat("a", maxBody) + `"}`, "", ""},
		"limit is no number":    {400, "GET", "/forms?limit=many", "", "", "limit"},
		"limit too high":        {400, "GET", "/forms?limit=1001", "", "", "limit"},
		"limit too low":         {400, "GET", "/forms?limit=0", "", "", "limit"},
		"flag is neither":       {400, "GET", "/authorizations?is_test=maybe", "", "", "is_test"},
		"cursor of nobody":      {400, "GET", "/meters?after=nothing", "", "", "after"},
		"cursor no one can be":  {400, "GET", "/meters?after=%27", "", "", "after"},
		"unreadable meter":      {422, "POST", "/meters/historical-collection", `{"meters": ["1"]}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			headers := []string{}
			if c.header != "" {
				headers = append(headers, "Content-Type", c.header)
			}
			e := p.refused(c.status, c.method, c.path, c.body, headers...)
			require.Nil(t, e.URL)
			require.NotEmpty(t, p.last.Header.Get("X-Request-Id"))
			if c.field != "" {
				require.Contains(t, e.Fields, c.field)
				require.Contains(t, e.Description, c.field+": ")
			}
			if c.status == http.StatusMethodNotAllowed {
				require.Equal(t, "GET, HEAD, POST", p.last.Header.Get("Allow"))
			}
		})
	}
	require.Empty(t, get[FormList](p, "/forms").Forms, "something was started all the same")
}

// TestEnvelope_RepeatsNoSecret: what was sent may be a password in the wrong field.
func TestEnvelope_RepeatsNoSecret(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for _, body := range []string{`{"customer_email": ["hunter2"]}`, `{"utility": {"a": "hunter2"}}`, `{"nickname": "hunter2"`} {
		require.NotContains(t, string(p.do(http.MethodPost, "/forms", body)), "hunter2")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for range 10 * requestsPerSecond {
		p.do(http.MethodGet, "/templates", "")
		if p.last.StatusCode == http.StatusTooManyRequests {
			require.Equal(t, "1", p.last.Header.Get("Retry-After"))
			e := p.refused(http.StatusTooManyRequests, http.MethodGet, "/templates", "")
			require.Equal(t, "too_many_requests", e.Code)
			other := newParty(t)
			get[TemplateList](other, "/templates")
			return
		}
		require.Equal(t, http.StatusOK, p.last.StatusCode)
	}
	require.Fail(t, "nothing limits the rate")
}

func TestPanic_IsOurFault(t *testing.T) {
	t.Parallel()
	log, lines := observer.New(zap.ErrorLevel)
	a := &API{Deps: Deps{Log: zap.New(log)}}
	answer := httptest.NewRecorder()
	a.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the cause") })).
		ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	require.Equal(t, http.StatusInternalServerError, answer.Code)
	e := strictly[Error](t, answer.Body.Bytes())
	require.Equal(t, "server_error", e.Code)
	require.NotContains(t, answer.Body.String(), "the cause")
	id := answer.Header().Get("X-Request-Id")
	require.Contains(t, e.Description, id)
	require.Equal(t, id, lines.All()[0].ContextMap()["request_id"])
}

// TestPanic_InTheMiddle cuts the connection: the part that was sent must not pass for the whole.
func TestPanic_InTheMiddle(t *testing.T) {
	t.Parallel()
	a := &API{Deps: Deps{Log: zap.NewNop()}}
	handler := a.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		panic("too late")
	}))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	})
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	list := get[TemplateList](p, "/templates")
	require.Len(t, list.Templates, 1)
	require.Equal(t, "default", list.Templates[0].UID)
	require.Contains(t, list.Templates[0].Utilities, "CONED")
	require.Equal(t, list.Templates[0], get[Template](p, "/templates/default"))
	p.refused(http.StatusNotFound, http.MethodGet, "/templates/other", "")
}
