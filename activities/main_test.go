package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// one real Chromium, one practice server and one identity for all tests of this package.
var (
	shared   *activities.BrowserActivities
	sites    *practice.Server
	evidence string
)

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "setting the tests up:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "meterkey-activities-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder of the tests' own
	if sites, err = practice.Start(ctx, practice.Options{FormDelay: 30 * time.Millisecond, EndsAfter: time.Second, ResendAfter: time.Millisecond}); err != nil {
		return 1, err
	}
	defer func() { _ = sites.Close(context.Background()) }() // nothing of it outlives the process
	if shared, err = openBrowser(ctx, dir); err != nil {
		return 1, err
	}
	code := m.Run()
	return code, shared.Host.Shutdown(context.Background())
}

func openBrowser(ctx context.Context, dir string) (*activities.BrowserActivities, error) {
	catalog, err := utilities.Load("")
	if err != nil {
		return nil, err
	}
	identity, err := sealed.LoadOrCreate(filepath.Join(dir, "identity.txt"))
	if err != nil {
		return nil, err
	}
	host, err := browser.Open(ctx, browser.Options{Dir: filepath.Join(dir, "host"), Capacity: 20, Log: zap.NewNop(),
		Args: []string{"--proxy-server=127.0.0.1:9", "--proxy-bypass-list=*.localhost;127.0.0.1"}})
	evidence = filepath.Join(dir, "evidence")
	return &activities.BrowserActivities{Host: host, Utilities: catalog, Origins: sites.Origins(), Identity: identity,
		Evidence: activities.Evidence{Dir: evidence}, Presence: presence(atThePage), Now: time.Now, Log: zap.NewNop()}, err
}

// account is one practice account and the activities that work for it: the shared ones, with a database of its own.
type account struct {
	*activities.BrowserActivities
	t       *testing.T
	env     *testsuite.TestActivityEnvironment
	utility string
	user    string
	id      string
}

func newAccount(t *testing.T, utility, kind string) *account {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(2 * time.Minute)
	b := *shared
	b.Recorder = newRecorder(record(func(meterkey.Projection) error { return nil }))
	for _, f := range []any{b.Login, b.HoldWindow, b.SubmitCode, b.ResendCode, b.FetchMeterList, b.CloseWindow} {
		env.RegisterActivity(f)
	}
	id := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-").Replace(t.Name()))
	a := &account{BrowserActivities: &b, t: t, env: env, utility: utility, user: kind + "." + id + "@example.com", id: id}
	t.Cleanup(a.closeAll)
	return a
}

// closeAll closes the windows that the test left open.
func (a *account) closeAll() {
	for _, w := range a.Host.Windows() {
		if strings.HasPrefix(w.Owner, a.id+"/") {
			require.NoError(a.t, a.Host.CloseWindow(context.Background(), w.ID))
		}
	}
}

// close closes a window as the workflow has it closed.
func (a *account) close(w *workflows.Window) {
	a.t.Helper()
	require.NoError(a.t, a.CloseWindow(context.Background(), workflows.CloseWindowInput{RequestID: a.id, Window: *w}))
}

// open tells whether a window is open.
func (a *account) open(w *workflows.Window) bool {
	return slices.ContainsFunc(a.Host.Windows(), func(i browser.Info) bool { return i.ID == w.ID })
}

// window is the browser's own handle of a window.
func (a *account) window(w *workflows.Window) *browser.Window {
	a.t.Helper()
	held, err := a.Host.Window(a.t.Context(), w.ID)
	require.NoError(a.t, err)
	return held
}

func (a *account) seal(text string) meterkey.Sealed {
	a.t.Helper()
	s, err := meterkey.Seal(a.Identity.Recipient(), text)
	require.NoError(a.t, err)
	return s
}

// task is what the workflow tells an activity of the account's request at a status.
func (a *account) task(status meterkey.Status, w *workflows.Window) workflows.Task {
	now := time.Now().UTC()
	return workflows.Task{
		Request: meterkey.Request{RequestID: a.id, Requester: "acme", Utility: a.utility, CustomerEmail: "c@example.com"},
		Progress: workflows.Progress{SignIns: 1, Window: w, State: meterkey.State{
			RequestID: a.id, Requester: "acme", Utility: a.utility, Status: status, WaitingOn: status.WaitingOn(), Since: now,
			Timeline: []meterkey.Moment{{Status: status, At: now}}, LinkedAt: now.Truncate(time.Microsecond), Revision: 2,
		}},
	}
}

// asked is a task at a status in which a challenge is open.
func (a *account) asked(status meterkey.Status, w *workflows.Window, c meterkey.Challenge) workflows.Task {
	t := a.task(status, w)
	t.Progress.Challenges, t.Progress.State.Challenge = 1, &c
	return t
}

func (a *account) loginInput() workflows.LoginInput {
	a.t.Helper()
	s, err := meterkey.SealCredentials(a.Identity.Recipient(), meterkey.Credentials{Username: a.user, Password: practice.Password})
	require.NoError(a.t, err)
	return workflows.LoginInput{Task: a.task(meterkey.SigningIn, nil), Credentials: s}
}

func (a *account) login() workflows.PageResult { return a.do(a.Login, a.loginInput()) }

func (a *account) submitInput(w *workflows.Window, challenge string, kind meterkey.ChallengeKind, text string) workflows.SubmitCodeInput {
	a.t.Helper()
	return workflows.SubmitCodeInput{Code: a.seal(text),
		Task: a.asked(meterkey.SubmittingCode, w, meterkey.Challenge{ID: challenge, Kind: kind, TriesLeft: 2})}
}

func (a *account) submit(w *workflows.Window, challenge string, kind meterkey.ChallengeKind, text string) workflows.PageResult {
	a.t.Helper()
	return a.do(a.SubmitCode, a.submitInput(w, challenge, kind, text))
}

func (a *account) holdInput(w *workflows.Window) workflows.HoldWindowInput {
	t := a.asked(meterkey.AwaitingCode, w, meterkey.Challenge{ID: "c-1", Kind: meterkey.NumberCode, TriesLeft: 3})
	return workflows.HoldWindowInput{Task: t, Notice: meterkey.Notice{ID: a.id, Kind: meterkey.NoticeCodeNeeded, To: meterkey.ToCustomer, Request: t.Request}}
}

func (a *account) hold(w *workflows.Window) workflows.PageResult {
	a.t.Helper()
	return a.do(a.HoldWindow, a.holdInput(w))
}

func (a *account) do(f any, in any) workflows.PageResult {
	a.t.Helper()
	value, err := a.env.ExecuteActivity(f, in)
	require.NoError(a.t, err)
	var found workflows.PageResult
	require.NoError(a.t, value.Get(&found))
	return found
}

// phone is the newest code on the practice phone, or the security answer.
func (a *account) phone() string {
	a.t.Helper()
	var inbox []struct{ Code string }
	require.Eventually(a.t, func() bool {
		a.get("/inbox/", &inbox)
		return len(inbox) > 0
	}, 20*time.Second, 20*time.Millisecond)
	return inbox[len(inbox)-1].Code
}

// ledger is what the practice site counted.
func (a *account) ledger() map[string]int {
	a.t.Helper()
	l := map[string]int{}
	a.get("/ledger/", &l)
	return l
}

func (a *account) get(path string, into any) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, sites.URL()+path+a.utility+"/"+a.user, nil)
	require.NoError(a.t, err)
	response, err := (&http.Client{}).Do(request)
	require.NoError(a.t, err)
	defer func() { _ = response.Body.Close() }() // read to the end
	require.Equal(a.t, http.StatusOK, response.StatusCode)
	require.NoError(a.t, json.NewDecoder(response.Body).Decode(into))
}
