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
	"go.temporal.io/sdk/client"
	"go.uber.org/zap/zaptest"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

const (
	patsEmail     = "pat@acme.example"
	rivalsEmail   = "sam@rival.example"
	rightPassword = "correct horse battery"
)

// fixture is a dashboard on a database of its own. Acme's Pat and Rival's Sam may sign in.
type fixture struct {
	t       *testing.T
	store   *store.Store
	imports *imports.Service
	clock   atomic.Int64 // what the store's clock is ahead of time, in nanoseconds
	hooks   *fakeWebhooks
	key     *portalkey.Key
	server  *httptest.Server
	handler http.Handler
}

// options of a fixture; zero values serve.
type options struct {
	temporal  client.Client // nil: nothing is asked of it
	portalURL string
}

func newFixture(t *testing.T, o options) *fixture {
	t.Helper()
	f := &fixture{t: t}
	var err error
	f.store, err = store.Open(t.Context(), store.Options{File: filepath.Join(t.TempDir(), "meterkey.db"),
		Now: func() time.Time { return time.Now().Add(time.Duration(f.clock.Load())) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.store.Close()) })
	f.hooks = &fakeWebhooks{store: f.store}
	f.addPeople()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	assets, err := web.NewAssets()
	require.NoError(t, err)
	f.key, err = portalkey.New(make([]byte, portalkey.Size))
	require.NoError(t, err)
	if o.portalURL == "" {
		o.portalURL = "http://portal.example"
	}
	sender := requests.Sender{Store: f.store, Requests: sdk.New(o.temporal, recipient(t), nil), Webhooks: f.hooks}
	f.imports = imports.New(o.temporal, sender)
	dashboard, err := New(Deps{Store: f.store, Requests: sender.Requests, Imports: f.imports, Utilities: catalog, Key: f.key, Assets: assets, Webhooks: f.hooks,
		PortalURL: o.portalURL, Log: zaptest.NewLogger(t)})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(Prefix, http.NewCrossOriginProtection().Handler(dashboard))
	mux.Handle(web.AssetPrefix, assets)
	f.handler = mux
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	return f
}

func (f *fixture) addPeople() {
	for _, who := range []struct{ requester, name, email, person string }{
		{"acme", "Acme Solar", patsEmail, "Pat Doe"}, {"rival", "Rival Energy", rivalsEmail, ""},
	} {
		_, err := f.store.PutRequester(f.t.Context(), store.Requester{UID: who.requester, Name: who.name, Email: "requests@" + who.requester + ".example"})
		require.NoError(f.t, err)
		_, err = f.store.AddUser(f.t.Context(), store.User{RequesterUID: who.requester, Email: who.email, Name: who.person}, rightPassword)
		require.NoError(f.t, err)
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
	f      *fixture
	client *http.Client
}

func (f *fixture) visitor() *visitor {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(f.t, err)
	return &visitor{f, &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a visitor who has signed in.
func (f *fixture) signedIn(email string) *visitor {
	f.t.Helper()
	v := f.visitor()
	answer := v.post("/dashboard/sign-in", url.Values{"email": {email}, "password": {rightPassword}})
	require.Equal(f.t, http.StatusSeeOther, answer.status)
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
	v.f.t.Helper()
	response, err := v.client.Do(r)
	require.NoError(v.f.t, err)
	return read(v.f.t, response)
}

func (v *visitor) get(path string) answer {
	v.f.t.Helper()
	r, err := http.NewRequestWithContext(v.f.t.Context(), http.MethodGet, v.f.server.URL+path, http.NoBody)
	require.NoError(v.f.t, err)
	return v.do(r)
}

func (v *visitor) post(path string, form url.Values) answer {
	v.f.t.Helper()
	r, err := http.NewRequestWithContext(v.f.t.Context(), http.MethodPost, v.f.server.URL+path, strings.NewReader(form.Encode()))
	require.NoError(v.f.t, err)
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

// pastRequest is one that went through these statuses, the last one entered ago.
type pastRequest struct {
	uid      string // made up if empty
	email    string
	name     string
	nickname string
	utility  string
	asked    bool // the requester named the utility
	test     bool
	statuses []meterkey.Status
	reason   meterkey.Reason // of the last status
	ago      time.Duration
	meters   int
}

// record stores the request as its workflow would have projected it.
func (f *fixture) record(requester string, p pastRequest) string {
	f.t.Helper()
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
	f.at(first, func() {
		_, _, err := f.store.CreateRequest(f.t.Context(), store.Request{UID: p.uid, RequesterUID: requester, CustomerEmail: p.email, CustomerName: p.name,
			Nickname: p.nickname, Utility: named, IsTest: p.test})
		require.NoError(f.t, err)
	})
	state := meterkey.State{RequestID: p.uid, Requester: requester, LinkedAt: first.UTC().Truncate(time.Microsecond)}
	for i, status := range p.statuses {
		at := first.Add(time.Duration(i) * step).UTC()
		reason := meterkey.Reason("")
		if i == len(p.statuses)-1 {
			reason = p.reason
		}
		state.Status, state.Reason, state.WaitingOn, state.Since, state.Revision = status, reason, status.WaitingOn(), at, i+1
		state.Timeline = append(state.Timeline, meterkey.Moment{Status: status, Reason: reason, At: at})
		if p.asked || status != meterkey.AwaitingLogin { // or else the customer has not chosen yet
			state.Utility = p.utility
		}
		state.Challenge, state.Until, state.Meters = nil, nil, nil
		f.furnish(&state, p)
		f.at(at, func() {
			_, err := f.store.Record(f.t.Context(), meterkey.Projection{RunID: "run-" + p.uid, State: state,
				Request: meterkey.Request{RequestID: p.uid, Requester: requester, CustomerEmail: p.email, Utility: named, Test: p.test}})
			require.NoError(f.t, err)
		})
	}
	return p.uid
}

// furnish adds what a status brings with it.
func (f *fixture) furnish(s *meterkey.State, p pastRequest) {
	switch s.Status {
	case meterkey.AwaitingLogin, meterkey.AwaitingMFAOff:
		until := s.Since.Add(7 * 24 * time.Hour)
		s.Until = &until
	case meterkey.AwaitingCode, meterkey.AwaitingChoice:
		until := s.Since.Add(10 * time.Minute)
		s.Until = &until
		s.Challenge = &meterkey.Challenge{ID: "c-1", Kind: meterkey.NumberCode, Prompt: "Enter the code that we sent to your phone", SentTo: "(***) ***-1234",
			Digits: 6, ExpiresAt: until, TriesLeft: 3}
		if s.Status == meterkey.AwaitingChoice {
			s.Challenge.Kind, s.Challenge.Prompt, s.Challenge.SentTo = meterkey.MethodChoice, "How should we send you the code?", ""
			s.Challenge.Options = []meterkey.Option{{ID: "text", Label: "Text message", Target: "(***) ***-1234"}, {ID: "mail", Label: "E-mail", Target: "p***@example.com"}}
		}
	case meterkey.Connected:
		for i := range p.meters {
			s.Meters = append(s.Meters, meterkey.Meter{AccountNumber: fmt.Sprintf("41-%05d", 1001+i/3), MeterNumber: fmt.Sprintf("E-%05d", 71+i),
				ServiceIdentifier: fmt.Sprintf("SP-%04d", i+1), ServiceAddress: fmt.Sprintf("%d Elm Street, Springfield", 12+i),
				ServiceClass: []string{"electric", "gas"}[i%2], Tariff: "EL1 Residential", Status: "active"})
		}
	default:
	}
}

// at does something while the store's clock shows another time.
func (f *fixture) at(moment time.Time, do func()) {
	f.clock.Store(int64(time.Until(moment)))
	defer f.clock.Store(0)
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
