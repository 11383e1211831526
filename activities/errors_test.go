package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/workflows"
)

// TestErrors_SayWhoCanMendThem by their types, whatever was to be done, and nothing is done.
func TestErrors_SayWhoCanMendThem(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	w := a.login().Window
	for errType, spoil := range map[string]func(*workflows.Task){
		workflows.ErrTypeUnknownUtility: func(task *workflows.Task) { task.Progress.State.Utility = "NOWHERE" },
		workflows.ErrTypeMisconfigured:  func(task *workflows.Task) { task.Request.Test = true }, // there are no practice sites
	} {
		login, hold := a.loginInput(), a.holdInput(w)
		submit := a.submitInput(w, "c-1", meterkey.NumberCode, a.phone())
		fetch, resend := a.task(meterkey.FetchingMeters, w), hold.Task
		for _, task := range []*workflows.Task{&login.Task, &hold.Task, &submit.Task, &fetch, &resend} {
			spoil(task)
		}
		for name, try := range map[string]struct{ activity, in any }{
			workflows.ActivityLogin:          {a.Login, login},
			workflows.ActivityHoldWindow:     {a.HoldWindow, hold},
			workflows.ActivitySubmitCode:     {a.SubmitCode, submit},
			workflows.ActivityResendCode:     {a.ResendCode, resend},
			workflows.ActivityFetchMeterList: {a.FetchMeterList, fetch},
		} {
			_, err := a.env.ExecuteActivity(try.activity, try.in)
			var failed *temporal.ApplicationError
			require.ErrorAs(t, err, &failed, name)
			require.Equal(t, errType, failed.Type(), name)
			require.True(t, failed.NonRetryable(), name)
		}
	}
	require.Equal(t, 1, a.ledger()["logins"], "the one before")
	require.Equal(t, 1, a.ledger()["codes_sent"])
	require.Zero(t, a.ledger()["codes_submitted"])
}
