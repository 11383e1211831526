package testsubmit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/practiceapi"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/portal/api"
	"github.com/meterkey/meterkey/portal/testsubmit"
)

// pollEvery keeps within what one key may ask in a second.
const pollEvery = 300 * time.Millisecond

// TestScenarios_EndAsTheTableSays plays every scenario through the API, on one form, and looks at what the API says of it.
func TestScenarios_EndAsTheTableSays(t *testing.T) {
	form := call[api.Form](t.Context(), t, http.MethodPost, "/forms", map[string]string{"utility": "DEMO"})
	t.Run("each", func(t *testing.T) {
		for _, s := range testsubmit.Scenarios() {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				tryScenario(t, form.UID, s)
			})
		}
	})
	after := call[api.Form](t.Context(), t, http.MethodGet, "/forms/"+form.UID, nil)
	require.Equal(t, "awaiting_login", after.Status, "nothing happened to the form itself")
	require.Nil(t, after.AuthorizationUID)
}

func tryScenario(t *testing.T, form string, s testsubmit.Scenario) {
	t.Helper()
	ctx := bounded(t)
	utility := "DEMO"
	if s.Name == string(meterkey.CodeTimeout) {
		utility = shortLived
	}
	test := submit(ctx, t, form, utility, s.Name)
	require.Equal(t, s.Name, test.Scenario)
	ended := awaitForm(ctx, t, test.FormUID, s.Status, s.Reason)
	require.True(t, ended.IsTest)
	require.Empty(t, ended.CustomerEmail, "nobody is written to")

	a := awaitAuthorization(ctx, t, test, s)
	require.Equal(t, test.FormUID, a.FormUID)
	require.True(t, a.IsTest)
	require.Equal(t, test.Utility, a.Utility)
	require.Equal(t, s.Status == meterkey.Connected || s.Status == meterkey.Failed, a.MFA.Value == nil)
	meters := call[api.MeterList](ctx, t, http.MethodGet, "/meters?authorizations="+a.UID, nil)
	if s.Status == meterkey.Connected && s.Meters == 0 {
		require.NotEmpty(t, meters.Meters)
	} else {
		require.Len(t, meters.Meters, s.Meters)
	}
	if s.Reason == meterkey.WindowLost || s.Name == "mfa_off" {
		save(ctx, t, test.FormUID, strings.ReplaceAll(s.Name, "_", "-"))
	}
	if s.Status == meterkey.AwaitingCode || s.Status == meterkey.AwaitingChoice {
		goOn(ctx, t, test, s)
	}
	call[api.Success](ctx, t, http.MethodDelete, "/authorizations/"+a.UID, nil)
}

// awaitAuthorization waits until the authorization shows how the scenario ended, which the workflow knows a moment before.
func awaitAuthorization(ctx context.Context, t *testing.T, test api.TestSubmitted, s testsubmit.Scenario) api.Authorization {
	t.Helper()
	want := "errored"
	switch s.Status {
	case meterkey.Connected:
		want = "updated"
	case meterkey.AwaitingCode, meterkey.AwaitingChoice:
		want = "pending"
	}
	var seen api.Authorization
	await(ctx, t, func() bool {
		listed := call[api.AuthorizationList](ctx, t, http.MethodGet, "/authorizations?referrals="+test.Referral, nil)
		require.Len(t, listed.Authorizations, 1)
		seen = listed.Authorizations[0]
		return seen.UID == test.AuthorizationUID && seen.Status == want && len(seen.Notes) > 0
	}, func() string { return fmt.Sprintf("wanted %s, last seen %+v", want, seen) })
	return seen
}

// goOn answers what the utility asks, by the API, as a requester's own code page would.
func goOn(ctx context.Context, t *testing.T, test api.TestSubmitted, s testsubmit.Scenario) {
	t.Helper()
	mfa := awaitMFA(ctx, t, test, s.Status, s.Reason)
	if s.Status == meterkey.AwaitingChoice {
		answer(ctx, t, test, mfa, mfa.Options[0].ID)
		mfa = awaitMFA(ctx, t, test, meterkey.AwaitingCode, "")
	}
	code, err := practiceapi.New(world.Practice.URL()).Code(ctx, test.Utility, test.Practice.Username)
	require.NoError(t, err)
	answer(ctx, t, test, mfa, code)
	awaitForm(ctx, t, test.FormUID, meterkey.Connected, "")
}

// awaitMFA waits until the authorization shows what is asked.
func awaitMFA(ctx context.Context, t *testing.T, test api.TestSubmitted, status meterkey.Status, reason meterkey.Reason) api.MFA {
	t.Helper()
	var seen api.MFA
	await(ctx, t, func() bool {
		a := call[api.Authorization](ctx, t, http.MethodGet, "/authorizations/"+test.AuthorizationUID, nil)
		require.NotNil(t, a.MFA.Value)
		seen = *a.MFA.Value
		return seen.Status == string(status) && seen.Reason == string(reason)
	}, func() string { return fmt.Sprintf("wanted %s (%s), last seen %+v", status, reason, seen) })
	require.Equal(t, "customer", seen.WhoMustAct)
	return seen
}

func answer(ctx context.Context, t *testing.T, test api.TestSubmitted, asked api.MFA, text string) {
	t.Helper()
	call[api.Authorization](ctx, t, http.MethodPost, "/authorizations/"+test.AuthorizationUID+"/code", api.CodeAnswer{ChallengeID: *asked.ChallengeID, Code: text})
}

func submit(ctx context.Context, t *testing.T, form, utility, scenario string) api.TestSubmitted {
	t.Helper()
	test := call[api.TestSubmitted](ctx, t, http.MethodPost, "/forms/"+form+"/test-submit", map[string]string{"utility": utility, "scenario": scenario})
	require.True(t, test.Success)
	require.NotEmpty(t, test.Referral)
	require.NotEqual(t, form, test.FormUID)
	return test
}

// awaitForm waits until a form stands there.
func awaitForm(ctx context.Context, t *testing.T, uid string, status meterkey.Status, reason meterkey.Reason) api.Form {
	t.Helper()
	var seen api.Form
	await(ctx, t, func() bool {
		seen = call[api.Form](ctx, t, http.MethodGet, "/forms/"+uid, nil)
		return seen.Status == string(status) && seen.Reason == string(reason)
	}, func() string {
		return fmt.Sprintf("wanted %s (%s), last seen %s (%s)", status, reason, seen.Status, seen.Reason)
	})
	return seen
}

// await looks until it is so.
func await(ctx context.Context, t *testing.T, isSo func() bool, otherwise func() string) {
	t.Helper()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !isSo() {
		select {
		case <-ctx.Done():
			require.FailNow(t, "it went another way", otherwise())
		case <-ticker.C:
		}
	}
}

// receiver is a requester's system. It holds what it gets until it is let go, and takes everything then.
type receiver struct {
	*httptest.Server
	release chan struct{}
	held    chan struct{}

	mu     sync.Mutex
	secret string
	events map[string]int // how often each was taken
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{release: make(chan struct{}), held: make(chan struct{}, 100), events: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body) // a body cut short fails the signature
	r.held <- struct{}{}
	select {
	case <-r.release:
	case <-request.Context().Done():
		return
	}
	var told struct{ Events []webhook.Event }
	r.mu.Lock()
	defer r.mu.Unlock()
	signed := webhook.Signature(r.secret, request.Header.Get(webhook.HeaderSalt), body) == request.Header.Get(webhook.HeaderSignature)
	if !signed || json.Unmarshal(body, &told) != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	for _, e := range told.Events {
		r.events[string(e.Type)]++
	}
}

func (r *receiver) took(event string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[event]
}

// TestKilledPortal: a portal that dies in the middle of a delivery and of a test submission costs neither of them anything
// but time; the next portal goes on.
func TestKilledPortal(t *testing.T) {
	ctx := bounded(t)
	form := call[api.Form](ctx, t, http.MethodPost, "/forms", map[string]string{"utility": "DEMO"})
	r := newReceiver(t)
	hook := call[api.Webhook](ctx, t, http.MethodPost, "/webhooks", map[string]string{"url": r.URL})
	r.mu.Lock()
	r.secret = hook.Secret
	r.mu.Unlock()
	test := submit(ctx, t, form.UID, "DEMO", string(meterkey.TooManyLogins))
	<-r.held
	require.NoError(t, world.portal.Kill())
	close(r.release)
	_, err := world.StartPortal(ctx)
	require.NoError(t, err)

	awaitForm(ctx, t, test.FormUID, meterkey.Failed, meterkey.TooManyLogins)
	require.Eventually(t, func() bool {
		return r.took("authorization_created") > 0 && r.took("authorization_update_finished_errored") > 0
	},
		3*time.Minute, pollEvery)
	missed := call[api.EventList](ctx, t, http.MethodGet, "/events?is_delivered=false&limit=1", nil)
	require.NotNil(t, missed.Events)
	call[api.Success](ctx, t, http.MethodDelete, "/webhooks/"+hook.UID, nil)
}
