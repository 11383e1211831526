package flow

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

const (
	realWWW = "https://www.site.example"
	realID  = "https://id.site.example"
)

// login is what every fixture signs in with: words that nothing else contains.
var login = meterkey.Credentials{Username: "quokka-user", Password: "Quokka pass#1"}

// fixture is a run on one of the small sites under testdata, with what it did besides.
type fixture struct {
	*testing.T
	*Run
	pages *[]playwright.Page // the last is the current one
	begun *[]string
	logs  *observer.ObservedLogs
}

// serve serves a folder of testdata on two hosts. Beside files there are /go?to=… to redirect with real addresses, /status/503, and
// some JSON under /api.
func serve(t *testing.T, folder string) utilities.Origins {
	t.Helper()
	origins := utilities.Origins{}
	files := http.FileServer(http.Dir(folder))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /go", func(w http.ResponseWriter, r *http.Request) {
		to, err := origins.Replace(r.URL.Query().Get("to"))
		if err != nil {
			to = r.URL.Query().Get("to")
		}
		http.Redirect(w, r, to, http.StatusFound) //nolint:gosec // a test's own site
	})
	mux.HandleFunc("GET /status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.PathValue("code"))
		if err != nil {
			code = http.StatusBadRequest
		}
		http.Error(w, "status", code)
	})
	mux.HandleFunc("GET /api/accounts", needs("Bearer t-1", accounts))
	mux.HandleFunc("GET /api/own", needs("Bearer own-token", accounts))
	mux.HandleFunc("POST /api/detail", needs("Bearer t-1", detail))
	mux.HandleFunc("/", files.ServeHTTP)
	for _, real := range []string{realWWW, realID} {
		server := httptest.NewServer(noStore(mux))
		t.Cleanup(server.Close)
		origins[real] = server.URL
	}
	return origins
}

func needs(authorization string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// accounts answers two accounts a page, five in all.
func accounts(w http.ResponseWriter, r *http.Request) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		http.Error(w, "which page?", http.StatusBadRequest)
		return
	}
	list := []map[string]any{}
	for n := 2*page - 1; n <= min(2*page, 5); n++ {
		list = append(list, map[string]any{"number": "A-" + strconv.Itoa(n), "street": strconv.Itoa(n) + " Elm", "town": "", "services": []string{"ELEC", "GAS"}[:1+n%2]})
	}
	writeJSON(w, map[string]any{"result": map[string]any{"accounts": list}})
}

// detail knows more of every account but A-2.
func detail(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Account string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Account == "A-2" {
		http.Error(w, "<html>nothing</html>", http.StatusNotFound)
		return
	}
	writeJSON(w, map[string]any{"rate": "R of " + asked.Account, "state": "Active"})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "text/html") // as some sites do
	if err := json.NewEncoder(w).Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// newFixture follows testdata/<name>/flow.yaml through the site beside it.
func newFixture(t *testing.T, name string) *fixture {
	t.Helper()
	t.Parallel()
	folder := filepath.Join("testdata", name)
	flow, err := os.ReadFile(filepath.Join(folder, "flow.yaml"))
	require.NoError(t, err)
	return fixtureOf(t, parsed(t, name, string(flow)), folder)
}

// parsed reads a flow and makes it hurry.
func parsed(t *testing.T, name, flow string) *utilities.Utility {
	t.Helper()
	u, err := utilities.ParseFile(name+".yaml", []byte(head+flow))
	require.NoError(t, err)
	u.Flow.Settle, u.Flow.RenderWait = 600*time.Millisecond, 20*time.Second
	return u
}

func fixtureOf(t *testing.T, u *utilities.Utility, folder string) *fixture {
	t.Helper()
	origins := serve(t, folder)
	core, logs := observer.New(zap.DebugLevel)
	tr := &fixture{T: t, pages: &[]playwright.Page{NewPage(t)}, begun: &[]string{}, logs: logs}
	tr.Run = New(u, tr.page, Options{Origins: origins, Log: zap.New(core), BeginOnce: func(step string) error {
		*tr.begun = append(*tr.begun, step)
		return nil
	}})
	t.Cleanup(tr.Close)
	return tr
}

func (t *fixture) page() playwright.Page { return (*t.pages)[len(*t.pages)-1] }

// signIn signs in and expects a page.
func (t *fixture) signIn(want utilities.PageKind) Observation {
	t.Helper()
	seen, err := t.SignIn(t.Context(), login)
	return t.saw(seen, err, want)
}

func (t *fixture) submit(code string, want utilities.PageKind) Observation {
	t.Helper()
	seen, err := t.SubmitCode(t.Context(), code, "code")
	return t.saw(seen, err, want)
}

func (t *fixture) saw(seen Observation, err error, want utilities.PageKind) Observation {
	t.Helper()
	require.NoError(t, err)
	outline := ""
	if seen.Evidence != nil {
		outline = seen.Evidence.URL + "\n" + seen.Evidence.Outline
	}
	require.Equal(t, want, seen.Page, outline)
	return seen
}

// read reads the meters and expects the list to be read.
func (t *fixture) read() []meterkey.Meter {
	t.Helper()
	meters, seen, err := t.Meters(t.Context())
	t.saw(seen, err, utilities.SignedIn)
	return meters
}

// open goes to a page of the site without the run.
func (t *fixture) open(path string) {
	t.Helper()
	_, err := t.page().Goto(t.origins[realWWW] + path)
	require.NoError(t, err)
}

// eval asks the page something.
func (t *fixture) eval(script string) any {
	t.Helper()
	value, err := t.page().Evaluate(script)
	require.NoError(t, err)
	return value
}

// secretsKept requires that no log line holds what was typed.
func (t *fixture) secretsKept(typed ...string) {
	t.Helper()
	for _, entry := range t.logs.All() {
		text := entry.Message
		for key, value := range entry.ContextMap() {
			text += " " + key + "=" + toText(value)
		}
		for _, secret := range append(typed, login.Username, login.Password, url.QueryEscape(login.Password)) {
			require.NotContains(t, text, secret)
		}
	}
}
