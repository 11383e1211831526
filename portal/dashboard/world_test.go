package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

const (
	patsEmail     = "pat@acme.example"
	rivalsEmail   = "sam@rival.example"
	rightPassword = "correct horse battery"
)

// world is a dashboard on a database of its own. Acme's Pat and Rival's Sam may sign in.
type world struct {
	t       *testing.T
	store   *store.Store
	clock   atomic.Int64 // what the store's clock is ahead of time, in nanoseconds
	hooks   *fakeWebhooks
	key     *portalkey.Key
	server  *httptest.Server
	handler http.Handler
}

// options of a world; zero values serve.
type options struct {
	requests  *workflows.Client // nil: Temporal does not answer
	portalURL string
}

func newWorld(t *testing.T, o options) *world {
	t.Helper()
	w := &world{t: t}
	var err error
	w.store, err = store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "meterkey.db"),
		Now: func() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	w.hooks = &fakeWebhooks{store: w.store}
	w.addPeople()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	assets, err := web.NewAssets()
	require.NoError(t, err)
	w.key, err = portalkey.New(make([]byte, portalkey.Size))
	require.NoError(t, err)
	if o.portalURL == "" {
		o.portalURL = "http://portal.example"
	}
	dashboard, err := New(Deps{Store: w.store, Requests: o.requests, Utilities: catalog, Key: w.key, Assets: assets, Webhooks: w.hooks,
		PortalURL: o.portalURL, Log: zaptest.NewLogger(t)})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(Prefix, http.NewCrossOriginProtection().Handler(dashboard))
	mux.Handle(web.AssetPrefix, assets)
	w.handler = mux
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) addPeople() {
	for _, who := range []struct{ requester, name, email, person string }{
		{"acme", "Acme Solar", patsEmail, "Pat Doe"}, {"rival", "Rival Energy", rivalsEmail, ""},
	} {
		_, err := w.store.PutRequester(w.t.Context(), store.Requester{UID: who.requester, Name: who.name, Email: "requests@" + who.requester + ".example"})
		require.NoError(w.t, err)
		_, err = w.store.AddUser(w.t.Context(), store.User{RequesterUID: who.requester, Email: who.email, Name: who.person}, rightPassword)
		require.NoError(w.t, err)
	}
}

// fakeWebhooks stands for the deliverers of webhooks, whose answers come from the internet.
type fakeWebhooks struct {
	store     *store.Store
	delivered []string
}

func (f *fakeWebhooks) Check(_ context.Context, address string) error {
	if !strings.HasPrefix(address, "https://") || strings.Contains(address, "10.0.0.") {
		return errors.New("this address is private or not https: name one that the internet reaches")
	}
	return nil
}

func (f *fakeWebhooks) NewSecret() (shown, sealed string, err error) {
	return "shown-once", "sealed", nil
}

func (f *fakeWebhooks) Deliver(_ context.Context, uids ...string) {
	f.delivered = append(f.delivered, uids...)
}

func (f *fakeWebhooks) Redeliver(ctx context.Context, requester, uid string) (store.Delivery, error) {
	again, err := f.store.Redeliver(ctx, requester, uid)
	if err == nil {
		f.Deliver(ctx, again.UID)
	}
	return again, err
}

// visitor is somebody at a browser without scripts.
type visitor struct {
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &visitor{w, &http.Client{Jar: jar, Timeout: 3 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a visitor who has signed in.
func (w *world) signedIn(email string) *visitor {
	w.t.Helper()
	v := w.visitor()
	answer := v.post("/dashboard/sign-in", url.Values{"email": {email}, "password": {rightPassword}})
	require.Equal(w.t, http.StatusSeeOther, answer.status)
	return v
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) location() string { return a.header.Get("Location") }

func (v *visitor) do(r *http.Request) answer {
	v.w.t.Helper()
	response, err := v.client.Do(r)
	require.NoError(v.w.t, err)
	return read(v.w.t, response)
}

func (v *visitor) get(path string) answer {
	v.w.t.Helper()
	r, err := http.NewRequestWithContext(v.w.t.Context(), http.MethodGet, v.w.server.URL+path, http.NoBody)
	require.NoError(v.w.t, err)
	return v.do(r)
}

func (v *visitor) post(path string, form url.Values) answer {
	v.w.t.Helper()
	r, err := http.NewRequestWithContext(v.w.t.Context(), http.MethodPost, v.w.server.URL+path, strings.NewReader(form.Encode()))
	require.NoError(v.w.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// recipient is one that logins and codes are sealed to.
func recipient(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	return identity.Recipient().String()
}

// past is a request that went through these statuses, the last one entered ago.
type past struct {
	uid      string // made up if empty
	email    string
	name     string
	nickname string
	utility  string
	asked    bool // the requester named the utility
	test     bool
	statuses []workflows.Status
	reason   workflows.Reason // of the last status
	ago      time.Duration
	meters   int
}

// record stores the request as its workflow would have projected it.
func (w *world) record(requester string, p past) string {
	w.t.Helper()
	if p.uid == "" {
		p.uid = store.NewUID()
	}
	const step = 40 * time.Second
	last := time.Now().Add(-p.ago)
	first := last.Add(-time.Duration(max(0, len(p.statuses)-1)) * step)
	named := ""
	if p.asked {
		named = p.utility
	}
	w.at(first, func() {
		_, _, err := w.store.CreateRequest(w.t.Context(), store.Request{UID: p.uid, RequesterUID: requester, CustomerEmail: p.email, CustomerName: p.name,
			Nickname: p.nickname, Utility: named, IsTest: p.test})
		require.NoError(w.t, err)
	})
	state := workflows.State{RequestID: p.uid, Requester: requester, LinkedAt: first.UTC().Truncate(time.Microsecond)}
	for i, status := range p.statuses {
		at := first.Add(time.Duration(i) * step).UTC()
		reason := workflows.Reason("")
		if i == len(p.statuses)-1 {
			reason = p.reason
		}
		state.Status, state.Reason, state.WaitingOn, state.Since, state.Version = status, reason, status.WaitingOn(), at, i+1
		state.Timeline = append(state.Timeline, workflows.Moment{Status: status, Reason: reason, At: at})
		if p.asked || status != workflows.AwaitingLogin { // or else the customer has not chosen yet
			state.Utility = p.utility
		}
		state.Challenge, state.Until, state.Meters = nil, nil, nil
		w.furnish(&state, p)
		w.at(at, func() {
			_, err := w.store.Record(w.t.Context(), workflows.Projection{RunID: "run-" + p.uid, State: state,
				Request: workflows.Request{RequestID: p.uid, Requester: requester, CustomerEmail: p.email, Utility: named, Test: p.test}})
			require.NoError(w.t, err)
		})
	}
	return p.uid
}

// furnish adds what a status brings with it.
func (w *world) furnish(s *workflows.State, p past) {
	switch s.Status {
	case workflows.AwaitingLogin, workflows.AwaitingMFAOff:
		until := s.Since.Add(7 * 24 * time.Hour)
		s.Until = &until
	case workflows.AwaitingCode, workflows.AwaitingChoice:
		until := s.Since.Add(10 * time.Minute)
		s.Until = &until
		s.Challenge = &workflows.Challenge{ID: "c-1", Kind: workflows.NumberCode, Prompt: "Enter the code that we sent to your phone", SentTo: "(***) ***-1234",
			Digits: 6, ExpiresAt: until, TriesLeft: 3}
		if s.Status == workflows.AwaitingChoice {
			s.Challenge.Kind, s.Challenge.Prompt, s.Challenge.SentTo = workflows.MethodChoice, "How should we send you the code?", ""
			s.Challenge.Options = []workflows.Option{{ID: "text", Label: "Text message", Target: "(***) ***-1234"}, {ID: "mail", Label: "E-mail", Target: "p***@example.com"}}
		}
	case workflows.Connected:
		for i := range p.meters {
			s.Meters = append(s.Meters, workflows.Meter{AccountNumber: fmt.Sprintf("41-%05d", 1001+i/3), MeterNumber: fmt.Sprintf("E-%05d", 71+i),
				ServiceIdentifier: fmt.Sprintf("SP-%04d", i+1), ServiceAddress: fmt.Sprintf("%d Elm Street, Springfield", 12+i),
				ServiceClass: []string{"electric", "gas"}[i%2], Tariff: "EL1 Residential", Status: "active"})
		}
	default:
	}
}

// at does something while the store's clock shows another time.
func (w *world) at(moment time.Time, do func()) {
	w.clock.Store(int64(time.Until(moment)))
	defer w.clock.Store(0)
	do()
}

// read reads an answer to its end.
func read(t *testing.T, response *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{response.StatusCode, response.Header, string(body)}
}
