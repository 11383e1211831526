package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
)

// outcome is what one kind of practice account must lead to.
type outcome struct {
	status  meterkey.Status
	reason  meterkey.Reason
	notices []string // after the sign-in link
	logins  int
	codes   int
}

var (
	linked    = "sign_in to customer"
	connected = []string{"connected to customer", "connected to requester"}
	mfaOff    = append([]string{"turn_mfa_off to customer", "turn_mfa_off to requester"}, connected...)
	again     = []string{"sign_in_again to customer", "sign_in_again to requester"}
	failed    = []string{"failed to customer", "failed to requester"}
)

// outcomes of the kinds that do not depend on the utility's MFA policy.
var outcomes = map[string]outcome{
	"plain":      {meterkey.Connected, "", connected, 1, 0},
	"nag":        {meterkey.Connected, "", connected, 1, 0},
	"many":       {meterkey.Connected, "", connected, 1, 0},
	"wrong":      {meterkey.AwaitingLogin, meterkey.InvalidCredentials, again, 1, 0},
	"locked":     {meterkey.AwaitingLogin, meterkey.AccountLocked, again, 1, 0},
	"expired":    {meterkey.AwaitingLogin, meterkey.PasswordExpired, again, 1, 0},
	"unfinished": {meterkey.AwaitingLogin, meterkey.RegistrationUnfinished, again, 1, 0},
	"captcha":    {meterkey.Failed, meterkey.Captcha, failed, 1, 0},
	"down":       {meterkey.AwaitingLogin, meterkey.UtilityUnavailable, again, 1, 0},
	"changed":    {meterkey.Failed, meterkey.SiteChanged, failed, 1, 0},
	"none":       {meterkey.Failed, meterkey.NoMeters, failed, 1, 0},
}

// challenged are the kinds that a site asks for something.
var challenged = map[string]outcome{
	"code":     {meterkey.Connected, "", connected, 1, 1},
	"slow":     {meterkey.Connected, "", connected, 1, 1},
	"question": {meterkey.Connected, "", connected, 1, 1},
	"choice":   {meterkey.Connected, "", connected, 1, 1},
	"ends":     {meterkey.AwaitingLogin, meterkey.SessionEnded, again, 1, 0},
}

// TestEveryUtilityAndAccount drives each utility through each kind of account that its site can show.
func TestEveryUtilityAndAccount(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{SlowDelay: time.Second, EndsAfter: 3 * time.Second, FormDelay: 100 * time.Millisecond},
		"MK_WINDOWS=12", "MK_UTILITIES_DIR="+impatient(t))
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	var sites []struct {
		ID    string
		Kinds []string
	}
	require.NoError(t, w.customer(t, "", "").Get(t.Context(), "/utilities", &sites))
	require.Len(t, sites, len(catalog.All()), "a practice site for each utility")
	for _, s := range sites {
		u, err := catalog.Find(s.ID)
		require.NoError(t, err)
		for _, kind := range s.Kinds {
			t.Run(s.ID+"/"+kind, func(t *testing.T) {
				t.Parallel()
				w.tryAccount(t, u, kind)
			})
		}
	}
}

func (w *world) tryAccount(t *testing.T, u *utilities.Utility, kind string) {
	t.Helper()
	want, settled := outcomes[kind]
	unsupported := false
	if !settled {
		want, settled = challenged[kind]
		require.True(t, settled, "this test knows no account of kind %s", kind)
		if unsupported = u.MFA.Policy == utilities.TurnOff; unsupported {
			want = outcome{meterkey.Connected, "", mfaOff, 2, 0}
		}
	}
	ctx := bounded(t)
	c := w.customer(t, u.ID, account(kind))
	require.NoError(t, c.Start(ctx))
	s := play(ctx, t, c, want, unsupported)
	require.Equal(t, want.status, s.Status, "reason %s", s.Reason)
	require.Equal(t, want.reason, s.Reason)
	checkMeters(ctx, t, c, s)
	if !s.Status.Terminal() {
		// Who declines before is not asked to sign in again.
		require.Eventually(t, func() bool { return len(w.notices(t, c.ID)) == 1+len(want.notices) }, caseLimit, 50*time.Millisecond)
		require.NoError(t, c.Client.Decline(ctx, c.ID))
		want.notices = append(append([]string{}, want.notices...), "declined to requester")
	}
	w.ended(ctx, t, c.ID)
	require.Equal(t, append([]string{linked}, want.notices...), w.notices(t, c.ID))
	checkLedger(ctx, t, c, want)
}

// account is the kind of account to sign in with: many means enough of them for several pages, not for minutes.
func account(kind string) string {
	if kind == "many" {
		return "many-12"
	}
	return kind
}

// impatient is a folder of the utilities' own files that wait less long for a page that nobody knows.
func impatient(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("../../utilities/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), withRenderWait(text, "15s"), 0o600))
	}
	return dir
}

// play does what a customer would, up to the end or to signing in again.
func play(ctx context.Context, t *testing.T, c *devenv.Customer, want outcome, unsupported bool) meterkey.State {
	t.Helper()
	stops := []meterkey.Status{meterkey.AwaitingCode, meterkey.AwaitingChoice, meterkey.AwaitingMFAOff, meterkey.AwaitingLogin, meterkey.Connected, meterkey.Failed}
	s, err := c.SignIn(ctx, stops...)
	require.NoError(t, err)
	for {
		switch {
		case s.Status == meterkey.AwaitingMFAOff:
			require.True(t, unsupported)
			require.NoError(t, c.TurnMFAOff(ctx))
			s, err = c.SignIn(ctx, stops...)
		case s.Status == meterkey.AwaitingCode && want.reason == meterkey.SessionEnded:
			s, err = c.Await(ctx, meterkey.AwaitingLogin)
		case s.Status == meterkey.AwaitingCode:
			code, _, readErr := c.ReadCode(ctx, 0)
			require.NoError(t, readErr)
			s, err = c.Answer(ctx, s.Challenge, code, stops...)
		case s.Status == meterkey.AwaitingChoice:
			require.NotEmpty(t, s.Challenge.Options)
			require.NotEmpty(t, s.Challenge.Options[0].Target, "where the code would go")
			s, err = c.Answer(ctx, s.Challenge, s.Challenge.Options[0].ID, stops...)
		default:
			return s
		}
		require.NoError(t, err)
	}
}

// checkMeters compares the meter list with the site's own, field by field.
func checkMeters(ctx context.Context, t *testing.T, c *devenv.Customer, s meterkey.State) {
	t.Helper()
	if s.Status != meterkey.Connected {
		require.Empty(t, s.Meters)
		return
	}
	var known []meterkey.Meter
	require.NoError(t, c.Get(ctx, "/accounts/"+c.Utility+"/"+c.User, &known))
	require.NotEmpty(t, known)
	require.ElementsMatch(t, known, s.Meters)
}

// checkLedger proves that nothing was typed more often than it should.
func checkLedger(ctx context.Context, t *testing.T, c *devenv.Customer, want outcome) {
	t.Helper()
	var ledger struct {
		Logins         int `json:"logins"`
		CodesSubmitted int `json:"codes_submitted"`
		CodesWrong     int `json:"codes_wrong"`
		Lockouts       int `json:"lockouts"`
	}
	require.NoError(t, c.Get(ctx, "/ledger/"+c.Utility+"/"+c.User, &ledger))
	require.LessOrEqual(t, ledger.Logins, want.logins)
	require.Equal(t, want.codes, ledger.CodesSubmitted)
	require.Zero(t, ledger.CodesWrong)
}
