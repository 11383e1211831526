package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

// loginAt is the login of a customer who chose the utility.
func (w *world) loginAt(d time.Duration, utility string) {
	w.signal(d, meterkey.SignalSubmitLogin, meterkey.SubmitLogin{Credentials: sealedAs("login at " + utility), Utility: utility})
}

func Test_Utility_ChosenByTheCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request.Utility = ""
	w.logins = says(stopFor(meterkey.InvalidCredentials), in)
	w.after(time.Second, func() { require.Empty(t, w.state().Utility) })
	w.login(time.Minute)
	w.loginAt(2*time.Minute, "PECO")
	w.loginAt(3*time.Minute, "PEPCO")
	w.ends(meterkey.Connected, "")
	require.Equal(t, "PECO", w.inputs[0].Utility())
	require.Equal(t, "PEPCO", w.inputs[1].Utility(), "who chose the wrong one chooses again")
	end := w.state()
	require.Equal(t, "PEPCO", end.Utility)
	require.Contains(t, end.Ignored[0].Why, "names no utility")
	require.Empty(t, w.notices[0].Request.Utility, "not chosen yet")
	require.Equal(t, "PEPCO", w.notices[len(w.notices)-1].Request.Utility)
}

func Test_Utility_OfTheRequestStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(in)
	asked := w.request.Utility
	w.loginAt(time.Minute, "SOMEWHERE")
	w.loginAt(2*time.Minute, asked)
	w.ends(meterkey.Connected, "")
	require.Len(t, w.inputs, 1)
	require.Equal(t, asked, w.inputs[0].Utility())
	require.Contains(t, w.records[len(w.records)-1].State.Ignored[0].Why, "another utility")
}

func Test_Utility_ThatIsNoIDIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request.Utility = ""
	w.loginAt(time.Minute, "no such/thing")
	w.ends(meterkey.Expired, "")
	require.Empty(t, w.inputs)
}

func Test_Link_IsReplacedByAResend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(in)
	start := w.env.Now().UTC().Truncate(time.Microsecond)
	w.after(time.Minute, func() { require.Equal(t, start, w.state().LinkedAt) })
	w.signal(time.Hour, meterkey.SignalResend, nil)
	w.after(2*time.Hour, func() { require.Equal(t, start.Add(time.Hour), w.state().LinkedAt) })
	w.login(3 * time.Hour)
	w.ends(meterkey.Connected, "")
	require.Equal(t, start, w.notices[0].LinkedAt)
	require.Equal(t, start.Add(time.Hour), w.notices[1].LinkedAt)
	require.Equal(t, start.Add(time.Hour), w.records[len(w.records)-1].State.LinkedAt, "nothing else moves it")
}

func Test_Test_StaysWithEveryActivity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request.Test = true
	w.logins = says(asks(meterkey.NumberCode))
	w.answers = says(in)
	w.login(time.Minute)
	w.code(2*time.Minute, "c-1", "123456")
	w.ends(meterkey.Connected, "")
	require.True(t, w.inputs[0].Request.Test)
	require.True(t, w.codes[0].Request.Test)
}
