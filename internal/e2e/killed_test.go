package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
)

// killedCosts is what a worker that is killed may cost a customer beyond its own restart: the heartbeat, or the workflow
// task, that it had in hand.
const killedCosts = 5 * time.Second

// TestWorkerKilled_BetweenTheCodeAndTheMeters kills the worker at moments between the code and the end. As the API sees it,
// the meters come later by its restart and a few seconds at most. How long the same takes undisturbed is measured beside.
func TestWorkerKilled_BetweenTheCodeAndTheMeters(t *testing.T) {
	t.Parallel()
	w := up(t, practice.Options{})
	_, err := w.StartPortal(t.Context())
	require.NoError(t, err)
	access, err := w.Grant(t.Context())
	require.NoError(t, err)
	undisturbed, _ := w.codeToMeters(t, access, "undisturbed", nil)
	for name, moment := range map[string]time.Duration{"at once": 0, "a little later": undisturbed / 4, "half way": undisturbed / 2, "near the end": undisturbed * 9 / 10} {
		t.Run(name, func(t *testing.T) {
			var restart time.Duration
			took, asked := w.codeToMeters(t, access, name, func() {
				<-time.After(moment) // that is what is tried, not a wait for something
				began := time.Now()
				require.NoError(t, w.ReplaceWorker(t.Context(), "a"))
				restart = time.Since(began)
			})
			t.Logf("undisturbed %s, killed after %s: %s, of which the restart took %s; the code was asked for %d times", undisturbed, moment, took, restart, asked)
			require.Less(t, took, moment+restart+killedCosts+time.Duration(asked+1)*undisturbed)
		})
	}
}

// codeToMeters is how long it takes from the code to the meters in the API, and how often the code was asked for: a code
// that was typed and perhaps not sent is asked for again.
func (w *world) codeToMeters(t *testing.T, access devenv.Access, name string, disturb func()) (took time.Duration, asked int) {
	t.Helper()
	c := w.customer(t, "CONED", "code")
	c.ID, c.User = "killed-"+safe.Replace(name), "code."+safe.Replace(name)+"@example.com"
	require.NoError(t, c.Start(t.Context()))
	s, err := c.SignIn(t.Context(), meterkey.AwaitingCode)
	require.NoError(t, err)
	code, _, err := c.ReadCode(t.Context(), 0)
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, c.SubmitCode(t.Context(), s.Challenge, code))
	if disturb != nil {
		disturb()
	}
	for asked = 1; ; asked++ {
		s, err = c.Await(t.Context(), meterkey.Connected, meterkey.AwaitingCode)
		require.NoError(t, err)
		if s.Status == meterkey.Connected {
			break
		}
		require.Equal(t, meterkey.Unreadable, s.Reason)
		require.NoError(t, c.SubmitCode(t.Context(), s.Challenge, code))
	}
	require.Eventually(t, func() bool { return metersOf(t, access, c.ID) > 0 }, caseLimit, pollAPI)
	return time.Since(began), asked
}

// metersOf counts the meters of a data request in the API.
func metersOf(t *testing.T, access devenv.Access, request string) int {
	t.Helper()
	var answer struct {
		Authorizations []struct {
			Meters struct{ Meters []struct{ UID string } }
		}
	}
	require.NoError(t, access.Call(t.Context(), http.MethodGet, "/authorizations?include=meters&forms="+request, nil, &answer))
	if len(answer.Authorizations) == 0 {
		return 0
	}
	return len(answer.Authorizations[0].Meters.Meters)
}
