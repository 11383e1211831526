package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

// one real Chromium, one practice server and one identity for all tests of this package.
var (
	site     *activities.Site
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
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
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
	if site, err = openSite(ctx, dir); err != nil {
		return 1, err
	}
	code := m.Run()
	return code, site.Host.Shutdown(context.Background())
}

func openSite(ctx context.Context, dir string) (*activities.Site, error) {
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
	return &activities.Site{Host: host, Utilities: catalog, Origins: sites.Origins(), Identity: identity,
		Evidence: activities.Evidence{Dir: evidence}, Log: zap.NewNop()}, err
}

// account is one practice account and the activities that work for it.
type account struct {
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
	env.SetTestTimeout(3 * time.Minute)
	for _, f := range []any{site.Login, site.HoldWindow, site.SubmitCode, site.ResendCode, site.FetchMeterList, site.CloseWindow} {
		env.RegisterActivity(f)
	}
	id := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-").Replace(t.Name()))
	a := &account{t: t, env: env, utility: utility, user: kind + "." + id + "@example.com", id: id}
	t.Cleanup(a.closeAll)
	return a
}

// closeAll closes the windows that the test left open.
func (a *account) closeAll() {
	for _, w := range site.Host.Windows() {
		if strings.HasPrefix(w.Owner, a.id+"/") {
			require.NoError(a.t, site.CloseWindow(context.Background(), a.at(&workflows.Window{ID: w.ID})))
		}
	}
}

func (a *account) seal(text string) workflows.Sealed {
	a.t.Helper()
	s, err := workflows.Seal(site.Identity.Recipient(), text)
	require.NoError(a.t, err)
	return s
}

func (a *account) loginInput() workflows.LoginInput {
	a.t.Helper()
	s, err := workflows.SealCredentials(site.Identity.Recipient(), workflows.Credentials{Username: a.user, Password: practice.Password})
	require.NoError(a.t, err)
	return workflows.LoginInput{RequestID: a.id, Utility: a.utility, Credentials: s, Attempt: 1}
}

func (a *account) login() workflows.Found { return a.do(site.Login, a.loginInput()) }

func (a *account) at(w *workflows.Window) workflows.WindowInput {
	return workflows.WindowInput{RequestID: a.id, Utility: a.utility, Window: *w, ChallengeID: "c-1"}
}

func (a *account) submit(w *workflows.Window, challenge string, kind workflows.ChallengeKind, text string) workflows.Found {
	a.t.Helper()
	return a.do(site.SubmitCode, workflows.SubmitCodeInput{RequestID: a.id, Utility: a.utility, Window: *w, ChallengeID: challenge,
		Kind: kind, Code: a.seal(text)})
}

func (a *account) do(f any, in any) workflows.Found {
	a.t.Helper()
	value, err := a.env.ExecuteActivity(f, in)
	require.NoError(a.t, err)
	var found workflows.Found
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
	}, 3*time.Minute, 20*time.Millisecond)
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
