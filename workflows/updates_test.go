package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/meterkey/meterkey"
)

// answered is what came of an update.
type answered struct {
	t       *testing.T
	refused error
	state   *meterkey.State
	err     error
}

func (a *answered) Accept()          {}
func (a *answered) Reject(err error) { a.refused = err }
func (a *answered) Complete(result any, err error) {
	a.err = err
	if state, ok := result.(meterkey.State); ok {
		a.state = &state
	}
}

// update sends an update in the middle of the run.
func (w *world) update(d time.Duration, name string, document any) *answered {
	a := &answered{t: w.t}
	w.after(d, func() { w.env.UpdateWorkflow(name, "", a, document) })
	return a
}

func (a *answered) isTaken(to meterkey.Status) {
	a.t.Helper()
	require.NoError(a.t, a.refused)
	require.NoError(a.t, a.err)
	require.NotNil(a.t, a.state)
	require.Equal(a.t, to, a.state.Status)
}

func (a *answered) isRefused(why string) {
	a.t.Helper()
	var refusal *temporal.ApplicationError
	require.ErrorAs(a.t, a.refused, &refusal)
	require.Equal(a.t, meterkey.ErrTypeNotAwaited, refusal.Type())
	require.Contains(a.t, refusal.Error(), why)
}

func Test_Updates_SayAtOnceWhatCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.MethodChoice)), says(asks(meterkey.NumberCode), rejected, in)
	login := meterkey.SubmitLogin{Credentials: sealedAs("login")}
	tooEarly := w.update(30*time.Second, meterkey.UpdateSubmitCode, meterkey.SubmitCode{ChallengeID: "c-1", Code: sealedAs("1")})
	signedIn := w.update(time.Minute, meterkey.UpdateSubmitLogin, login)
	noSuchMethod := w.update(2*time.Minute, meterkey.UpdateChoose, meterkey.Choose{ChallengeID: "c-1", Option: "pigeon"})
	chosen := w.update(3*time.Minute, meterkey.UpdateChoose, meterkey.Choose{ChallengeID: "c-1", Option: "sms"})
	wrong := w.update(4*time.Minute, meterkey.UpdateSubmitCode, meterkey.SubmitCode{ChallengeID: "c-2", Code: sealedAs("1")})
	old := w.update(5*time.Minute, meterkey.UpdateSubmitCode, meterkey.SubmitCode{ChallengeID: "c-2", Code: sealedAs("2")})
	again := w.update(5*time.Minute+time.Second, meterkey.UpdateSubmitLogin, login)
	right := w.update(6*time.Minute, meterkey.UpdateSubmitCode, meterkey.SubmitCode{ChallengeID: "c-3", Code: sealedAs("2")})
	w.ends(meterkey.Connected, "")
	tooEarly.isRefused("no code is awaited")
	signedIn.isTaken(meterkey.SigningIn)
	noSuchMethod.isRefused("no such method")
	chosen.isTaken(meterkey.SubmittingCode)
	wrong.isTaken(meterkey.SubmittingCode)
	old.isRefused("not for c-3")
	again.isRefused("no login is awaited")
	right.isTaken(meterkey.SubmittingCode)
	require.Equal(t, "sms", w.codes[0].Option)
	require.Empty(t, w.state().Ignored, "what is refused leaves no trace")
}

// TestReceive_TheSameSealedLoginCountsOnce: it may come by an update that was answered late, and by the signal that was sent
// instead.
func TestReceive_TheSameSealedLoginCountsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.InvalidCredentials), in)
	same := meterkey.SubmitLogin{Credentials: sealedAs("the same")}
	w.signal(time.Minute, meterkey.SignalSubmitLogin, same)
	w.signal(2*time.Minute, meterkey.SignalSubmitLogin, same)
	w.login(3 * time.Minute)
	w.ends(meterkey.Connected, "")
	require.Len(t, w.inputs, 2)
	require.Contains(t, w.state().Ignored[0].Why, "typed before")
}

// TestReceive_AnAnswerToTheNextChallengeIsKept: whoever reads the database may know of it a moment before the workflow does.
func TestReceive_AnAnswerToTheNextChallengeIsKept(t *testing.T) {
	t.Parallel()
	m := awaiting(meterkey.AwaitingCode, 3)
	m.receive(message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-1", Code: sealedAs("1")}}, time.Unix(2, 0))
	e, reason := decide(m.State.Status, m.inbox)
	m.act(e, reason, time.Unix(2, 0))
	m.receive(message{name: meterkey.SignalSubmitCode, code: meterkey.SubmitCode{ChallengeID: "c-2", Code: sealedAs("2")}}, time.Unix(3, 0))
	require.Empty(t, m.State.Ignored)
	concluded, _ := m.conclude(PageResult{Outcome: OutcomeCodeRejected}, time.Unix(4, 0))
	m.taken(concluded)
	e, _ = decide(m.State.Status, m.inbox)
	require.Equal(t, eventSubmitCode, e)

	m.conclude(PageResult{Outcome: OutcomeStopped, Reason: meterkey.SessionEnded}, time.Unix(5, 0))
	m.taken(eventSignInAgain)
	require.Empty(t, m.inbox.answer, "an answer to a challenge that never came is forgotten")
}
