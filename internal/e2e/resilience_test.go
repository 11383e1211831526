package e2e

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/workflows"
)

func connectWithCode(ctx context.Context, t *testing.T, c *stack.Customer, s workflows.State) {
	t.Helper()
	code, _, err := c.ReadCode(ctx, 0)
	require.NoError(t, err)
	s, err = c.Answer(ctx, s.Challenge, code, workflows.Connected)
	require.NoError(t, err)
	checkMeters(ctx, t, c, s)
	checkLedger(ctx, t, c, outcome{logins: 1, codes: 1})
}

func TestWorkerKilled_WhileTheCodeIsAwaited(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	ctx := bounded(t)
	c := w.customer(t, "CONED", "code")
	require.NoError(t, c.Start(ctx))
	before, err := c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	require.NoError(t, w.ReplaceWorker(ctx, "a"))
	after, err := c.Await(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	require.Equal(t, before.Challenge, after.Challenge, "the customer notices nothing")
	connectWithCode(ctx, t, c, after)
}

// TestWorkerKilled_AtAnyMoment kills the worker while it signs in and while it submits, at a slow site. Whatever the
// moment, nothing may be typed twice without the customer, and the customer gets there in the end.
func TestWorkerKilled_AtAnyMoment(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{FormDelay: time.Second})
	ctx := bounded(t)
	c := w.customer(t, "DEMO", "code")
	require.NoError(t, c.Start(ctx))
	signIns := 0
	kill := func(when workflows.Status) {
		_, err := c.Client.Wait(ctx, c.ID, func(s workflows.State) bool { return s.Status == when })
		require.NoError(t, err)
		require.NoError(t, w.ReplaceWorker(ctx, "a"))
	}
	signIns++
	require.NoError(t, c.Client.SubmitLogin(ctx, c.ID, workflows.Credentials{Username: c.User, Password: stack.PracticePassword}))
	kill(workflows.SigningIn)
	s, err := c.Await(ctx, workflows.AwaitingCode, workflows.AwaitingLogin)
	require.NoError(t, err)
	if s.Status == workflows.AwaitingLogin {
		require.Equal(t, workflows.WindowLost, s.Reason)
		signIns++
		s, err = c.SignIn(ctx, workflows.AwaitingCode)
		require.NoError(t, err)
	}
	code, _, err := c.ReadCode(ctx, 0)
	require.NoError(t, err)
	require.NoError(t, c.Client.SubmitCode(ctx, c.ID, s.Challenge.ID, code))
	kill(workflows.SubmittingCode)
	s, err = c.Await(ctx, workflows.Connected, workflows.AwaitingCode)
	require.NoError(t, err)
	submitted := 1
	if s.Status == workflows.AwaitingCode {
		require.Equal(t, workflows.Unreadable, s.Reason, "typed, perhaps not sent: the customer is asked to type it again")
		submitted++
		s, err = c.Answer(ctx, s.Challenge, code, workflows.Connected)
		require.NoError(t, err)
	}
	checkMeters(ctx, t, c, s)
	checkLedger(ctx, t, c, outcome{logins: signIns, codes: 1})
	t.Logf("%d sign-ins, %d codes by the customer", signIns, submitted)
}

func TestWorkerStopped_ServesItsWindowsToTheEnd(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	ctx := bounded(t)
	waiting, late := w.customer(t, "DEMO", "code"), w.customer(t, "DEMO", "plain")
	late.ID += "-late"
	require.NoError(t, waiting.Start(ctx))
	require.NoError(t, late.Start(ctx))
	s, err := waiting.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	old := w.Worker("a")
	stopped := make(chan error, 1)
	go func() { stopped <- old.Stop(ctx) }()
	require.Eventually(t, func() bool { return old.Said("draining") }, 3*time.Minute, 20*time.Millisecond)
	require.NoError(t, late.Client.SubmitLogin(ctx, late.ID, workflows.Credentials{Username: late.User, Password: stack.PracticePassword}))
	connectWithCode(ctx, t, waiting, s)
	require.NoError(t, <-stopped, "it ends by itself once its window has ended")
	_, err = w.StartWorker(ctx, "a")
	require.NoError(t, err)
	_, err = late.Await(ctx, workflows.Connected)
	require.NoError(t, err, "what it did not take, the next one does")
}

func TestCapacity_HoldsBackWithoutLosing(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{}, "MK_WINDOWS=1")
	ctx := bounded(t)
	first, second := w.customer(t, "DEMO", "code"), w.customer(t, "DEMO", "plain")
	second.ID += "-second"
	require.NoError(t, first.Start(ctx))
	s, err := first.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	require.NoError(t, second.Start(ctx))
	require.NoError(t, second.Client.SubmitLogin(ctx, second.ID, workflows.Credentials{Username: second.User, Password: stack.PracticePassword}))
	_, err = second.Await(ctx, workflows.SigningIn)
	require.NoError(t, err)
	connectWithCode(ctx, t, first, s)
	got, err := second.Await(ctx, workflows.Connected)
	require.NoError(t, err)
	ended, err := first.Client.State(ctx, first.ID)
	require.NoError(t, err)
	require.True(t, got.Since.After(ended.Since), "the second waited for the first one's window")
}

func TestLeave_FreesTheWindow(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{}, "MK_WINDOWS=1")
	ctx := bounded(t)
	c := w.customer(t, "CONED", "code")
	require.NoError(t, c.Start(ctx))
	_, err := c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	require.NoError(t, c.Client.Leave(ctx, c.ID))
	s, err := c.Await(ctx, workflows.AwaitingLogin)
	require.NoError(t, err)
	require.Equal(t, workflows.WindowClosed, s.Reason)
	_, err = c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err, "with a single window, the first must have been closed")
}

func TestBrowserKilled_TheCustomerSignsInAgain(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	ctx := bounded(t)
	c := w.customer(t, "CONED", "code")
	require.NoError(t, c.Start(ctx))
	_, err := c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	require.NoError(t, w.KillBrowser("a"))
	s, err := c.Await(ctx, workflows.AwaitingLogin)
	require.NoError(t, err)
	require.Equal(t, workflows.WindowLost, s.Reason)
	s, err = c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err, "a new browser is there")
	require.NotNil(t, s.Challenge)
}

func TestSiteDown_ThenBack(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	ctx := bounded(t)
	c := w.customer(t, "SDGE", "plain")
	require.NoError(t, c.Start(ctx))
	require.NoError(t, c.Post(ctx, "/outage/SDGE", map[string]any{"on": true}))
	require.NoError(t, c.Client.SubmitLogin(ctx, c.ID, workflows.Credentials{Username: c.User, Password: stack.PracticePassword}))
	s, err := c.Client.Wait(ctx, c.ID, func(s workflows.State) bool { return s.Reason != "" })
	require.NoError(t, err)
	require.Equal(t, workflows.SigningIn, s.Status)
	require.Equal(t, workflows.UtilityUnavailable, s.Reason)
	require.NoError(t, c.Post(ctx, "/outage/SDGE", map[string]any{"on": false}))
	s, err = c.Await(ctx, workflows.Connected)
	require.NoError(t, err)
	checkMeters(ctx, t, c, s)
	checkLedger(ctx, t, c, outcome{logins: 1})
}

// TestSecrets_AreNowhere searches everything that a stack leaves behind: Temporal's database, logs, notices, evidence.
func TestSecrets_AreNowhere(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	ctx := bounded(t)
	c := w.customer(t, "DEMO", "code")
	c.User = "code.zanzibar-user@example.com"
	require.NoError(t, c.Start(ctx))
	require.NoError(t, c.Client.SubmitLogin(ctx, c.ID, workflows.Credentials{Username: c.User, Password: "zanzibar-password"}))
	_, err := c.Client.Wait(ctx, c.ID, func(s workflows.State) bool { return s.Reason == workflows.InvalidCredentials })
	require.NoError(t, err)
	s, err := c.SignIn(ctx, workflows.AwaitingCode)
	require.NoError(t, err)
	code, _, err := c.ReadCode(ctx, 0)
	require.NoError(t, err)
	_, err = c.Answer(ctx, s.Challenge, code, workflows.Connected)
	require.NoError(t, err)
	changed := w.customer(t, "DEMO", "changed")
	changed.ID, changed.User = c.ID+"-changed", "changed.zanzibar-user@example.com"
	require.NoError(t, changed.Start(ctx))
	_, err = changed.SignIn(ctx, workflows.Failed)
	require.NoError(t, err)
	w.ended(ctx, t, c.ID)
	w.ended(ctx, t, changed.ID)
	requireNowhere(t, w.dir, "zanzibar", []byte(`"`+code+`"`), []byte("code "+code))
}

func requireNowhere(t *testing.T, dir, secret string, more ...[]byte) {
	t.Helper()
	searched := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // the browser's own files come and go
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		searched++
		for _, text := range append(more, []byte(secret)) {
			require.False(t, bytes.Contains(content, text), "%s holds %q", path, text)
		}
		return nil
	}))
	require.Greater(t, searched, 10, "the search must have looked at something")
}

// TestMendedFile shows that a broken utility is mended by a data file, without a rebuild.
func TestMendedFile(t *testing.T) {
	t.Parallel()
	embedded, err := os.ReadFile("../../utilities/demo.yaml")
	require.NoError(t, err)
	broken := bytes.ReplaceAll(embedded, []byte("#password"), []byte("#no-such-field"))
	require.NotEqual(t, embedded, broken)
	files := t.TempDir()
	file := filepath.Join(files, "demo.yaml")
	require.NoError(t, os.WriteFile(file, withRenderWait(broken, "2s"), 0o600))
	w := up(t, practice.Options{}, "MK_UTILITIES_DIR="+files)
	ctx := bounded(t)
	c := w.customer(t, "DEMO", "plain")
	require.NoError(t, c.Start(ctx))
	s, err := c.SignIn(ctx, workflows.Failed)
	require.NoError(t, err)
	require.Equal(t, workflows.SiteChanged, s.Reason)
	require.NoError(t, os.WriteFile(file, embedded, 0o600))
	require.NoError(t, w.ReplaceWorker(ctx, "a"))
	request, err := c.Client.Request(ctx, c.ID)
	require.NoError(t, err)
	require.NoError(t, c.Client.Resend(ctx, request))
	_, err = c.Client.Wait(ctx, c.ID, func(s workflows.State) bool { return s.Status == workflows.AwaitingLogin })
	require.NoError(t, err)
	_, err = c.SignIn(ctx, workflows.Connected)
	require.NoError(t, err)
}

// withRenderWait shortens how long a form is waited for, so that a field that is not there is found out soon.
func withRenderWait(file []byte, wait string) []byte {
	return bytes.Replace(file, []byte("\nflow:\n"), []byte("\nflow:\n  render_wait: "+wait+"\n"), 1)
}
