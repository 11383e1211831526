package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// world plays the utilities' sites, the post and the customer for one workflow under test, with time that is skipped.
type world struct {
	t         *testing.T
	env       *testsuite.TestWorkflowEnvironment
	request   meterkey.Request
	continued *Progress

	logins, answers, resends, fetches []func() (PageResult, error) // one for each call, the last one repeats
	holdEnds                          PageResult
	holdFor                           time.Duration

	mu      sync.Mutex // the site and the post are visited side by side
	inputs  []LoginInput
	codes   []SubmitCodeInput
	notices []meterkey.Notice
	records []meterkey.Projection
	closed  []string

	sealings int // no two are alike
}

func newWorld(t *testing.T) *world {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	w := &world{t: t, env: suite.NewTestWorkflowEnvironment(), request: meterkey.Request{RequestID: "r-1", Requester: "acme",
		Utility: "DEMO", CustomerEmail: "c@example.com", RequesterEmail: "a@example.com"}, holdFor: 10 * time.Minute}
	w.env.SetTestTimeout(2 * time.Minute)
	w.env.RegisterWorkflowWithOptions(DeliverNotice, workflow.RegisterOptions{Name: DeliverNoticeWorkflowType})
	w.env.RegisterWorkflowWithOptions(DataRequest, workflow.RegisterOptions{Name: meterkey.WorkflowType})
	w.holdEnds = stopFor(meterkey.CodeTimeout)
	w.fetches = says(PageResult{Outcome: OutcomeSignedIn, Closed: true, Meters: []meterkey.Meter{{MeterNumber: "M1"}, {MeterNumber: "M2"}}})
	for name, f := range map[string]any{
		ActivityLogin: w.doLogin, ActivitySubmitCode: w.doSubmit, ActivityResendCode: w.doResend, ActivityFetchMeterList: w.doFetch,
		ActivityHoldWindow: w.doHold, ActivityCloseWindow: w.doClose, ActivityNotify: w.doNotify, ActivityRecord: w.doRecord,
	} {
		w.env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	return w
}

func says(all ...PageResult) []func() (PageResult, error) {
	var calls []func() (PageResult, error)
	for _, f := range all {
		calls = append(calls, func() (PageResult, error) { return f, nil })
	}
	return calls
}

func next(calls *[]func() (PageResult, error)) (PageResult, error) {
	call := (*calls)[0]
	if len(*calls) > 1 {
		*calls = (*calls)[1:]
	}
	return call()
}

func (w *world) doLogin(_ context.Context, in LoginInput) (PageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inputs = append(w.inputs, in)
	f, err := next(&w.logins)
	if f.Window == nil && f.Outcome != "" {
		f.Window = &Window{Host: "h1", ID: fmt.Sprintf("w-%d", len(w.inputs)), ExpiresAt: w.env.Now().Add(10 * time.Minute)}
	}
	return w.recorded(in.Task, f, err)
}

func (w *world) doSubmit(_ context.Context, in SubmitCodeInput) (PageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.codes = append(w.codes, in)
	f, err := next(&w.answers)
	return w.recorded(in.Task, f, err)
}

// recorded records what an activity leads to, as the activities do.
func (w *world) recorded(t Task, f PageResult, err error) (PageResult, error) {
	if err != nil || f.Outcome == OutcomeElsewhere {
		return f, err
	}
	f.At, f.Attempt, f.Recorded = w.env.Now(), 1, true
	w.records = append(w.records, meterkey.Projection{Request: t.Request, State: t.State()}, meterkey.Projection{Request: t.Request, State: t.After(f)})
	return f, nil
}

func (w *world) doResend(_ context.Context, t Task) (PageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := next(&w.resends)
	return w.recorded(t, f, err)
}

func (w *world) doFetch(_ context.Context, t Task) (PageResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := next(&w.fetches)
	return w.recorded(t, f, err)
}

func (w *world) doHold(context.Context, HoldWindowInput) (PageResult, error) { return w.holdEnds, nil }
func (w *world) doClose(_ context.Context, in CloseWindowInput) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = append(w.closed, in.Window.ID)
	return nil
}

// doNotify keeps the notices in the order in which they were queued: each audience's are sent on their own.
func (w *world) doNotify(_ context.Context, in NotifyInput) (NotifyResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, in.Notice)
	if in.Record != nil {
		w.records = append(w.records, *in.Record)
	}
	slices.SortFunc(w.notices, func(a, b meterkey.Notice) int { return noticeNumber(a) - noticeNumber(b) })
	return NotifyResult{Recorded: in.Record != nil}, nil
}

// noticeNumber is the number at the end of a notice's id.
func noticeNumber(n meterkey.Notice) int {
	number, err := strconv.Atoi(n.ID[strings.LastIndexByte(n.ID, '.')+1:])
	if err != nil {
		return -1
	}
	return number
}

func (w *world) doRecord(_ context.Context, p meterkey.Projection) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, p)
	return nil
}
func (w *world) after(d time.Duration, f func()) { w.env.RegisterDelayedCallback(f, d) }
func (w *world) signal(d time.Duration, name string, payload any) {
	w.after(d, func() { w.env.SignalWorkflow(name, payload) })
}
func (w *world) login(d time.Duration) {
	w.sealings++
	w.signal(d, meterkey.SignalSubmitLogin, meterkey.SubmitLogin{Credentials: sealedAs(fmt.Sprintf("login %d", w.sealings))})
}
func (w *world) code(d time.Duration, challenge, text string) {
	w.signal(d, meterkey.SignalSubmitCode, meterkey.SubmitCode{ChallengeID: challenge, Code: sealedAs(text)})
}

func (w *world) state() meterkey.State {
	w.t.Helper()
	answer, err := w.env.QueryWorkflow(meterkey.QueryStatus)
	require.NoError(w.t, err)
	var s meterkey.State
	require.NoError(w.t, answer.Get(&s))
	return s
}

// expect looks at the state in the middle of the run.
func (w *world) expect(d time.Duration, want meterkey.Status, reason meterkey.Reason) {
	w.after(d, func() {
		s := w.state()
		require.Equal(w.t, want, s.Status, "after %s", d)
		require.Equal(w.t, reason, s.Reason, "after %s", d)
	})
}

func (w *world) run() (*meterkey.Result, error) {
	w.t.Helper()
	w.env.OnActivity(ActivityHoldWindow, mock.Anything, mock.Anything).Return(w.holdEnds, nil).After(w.holdFor).Maybe()
	w.env.ExecuteWorkflow(meterkey.WorkflowType, w.request, w.continued)
	require.True(w.t, w.env.IsWorkflowCompleted())
	if err := w.env.GetWorkflowError(); err != nil {
		return nil, err
	}
	var r meterkey.Result
	require.NoError(w.t, w.env.GetWorkflowResult(&r))
	return &r, nil
}

// all are the notices to each audience.
func (w *world) all() []meterkey.Notice {
	var all []meterkey.Notice
	for _, n := range w.notices {
		all = append(all, n.For()...)
	}
	return all
}

func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var told []string
	for _, n := range w.all() {
		line := string(n.Kind) + " to " + string(n.To)
		if n.Reason != "" {
			line += ": " + string(n.Reason)
		}
		told = append(told, line)
	}
	return told
}

func (w *world) ends(status meterkey.Status, reason meterkey.Reason) {
	w.t.Helper()
	r, err := w.run()
	require.NoError(w.t, err)
	require.Equal(w.t, status, r.Status)
	require.Equal(w.t, reason, r.Reason)
	last := w.records[len(w.records)-1].State
	for _, p := range w.records { // the newest wins
		if !p.State.LinkedAt.Before(last.LinkedAt) && p.State.Revision > last.Revision {
			last = p.State
		}
	}
	require.Equal(w.t, status, last.Status, "the newest projection shows the end")
	now := w.state()
	require.Equal(w.t, now.Revision, last.Revision)
	now.Ignored, last.Ignored = nil, nil
	require.Equal(w.t, asJSON(w.t, now), asJSON(w.t, last), "activities record what the workflow comes to")
}

func stopFor(r meterkey.Reason) PageResult { return PageResult{Outcome: OutcomeStopped, Reason: r} }

func asks(kind meterkey.ChallengeKind) PageResult {
	return PageResult{Outcome: OutcomeChallenge, Typed: true, Challenge: &meterkey.Challenge{Kind: kind, Prompt: "which?", SentTo: "(***) ***-1234",
		Options: []meterkey.Option{{ID: "sms", Label: "Text"}}, Digits: 6, CanResend: true, TriesLeft: 3}}
}

var (
	in       = PageResult{Outcome: OutcomeSignedIn}
	rejected = PageResult{Outcome: OutcomeCodeRejected}
	declined = "declined to requester"
)

func Test_Plain_Connects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(in)
	w.expect(time.Second, meterkey.AwaitingLogin, "")
	w.login(time.Minute)
	r, err := w.run()
	require.NoError(t, err)
	require.Equal(t, meterkey.Connected, r.Status)
	require.Equal(t, []meterkey.Meter{{MeterNumber: "M1"}, {MeterNumber: "M2"}}, r.Meters)
	require.Equal(t, []string{"sign_in to customer", "connected to customer", "connected to requester"}, w.told())
	require.Empty(t, w.closed, "whoever reads the list closes the window")
	require.False(t, w.notices[1].MFAWasOff)
	require.Equal(t, 2, w.notices[1].Meters)
}

func Test_Code_RightOneConnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.NumberCode)), says(in)
	w.login(time.Minute)
	w.after(2*time.Minute, func() {
		s := w.state()
		require.Equal(t, meterkey.AwaitingCode, s.Status)
		require.Equal(t, "c-1", s.Challenge.ID)
		require.Equal(t, 3, s.Challenge.TriesLeft)
		require.Equal(t, s.Challenge.ExpiresAt, *s.Until, "one number for the window")
		require.Equal(t, meterkey.Customer, s.WaitingOn)
	})
	w.code(3*time.Minute, "c-1", "123456")
	w.ends(meterkey.Connected, "")
	require.Equal(t, sealedAs("123456"), w.codes[0].Code)
	require.Equal(t, []string{"sign_in to customer", "connected to customer", "connected to requester"}, w.told())
}

func Test_Code_WrongThenRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.NumberCode)), says(rejected, in)
	w.login(time.Minute)
	w.code(2*time.Minute, "c-1", "1")
	w.after(3*time.Minute, func() {
		s := w.state()
		require.Equal(t, meterkey.AwaitingCode, s.Status)
		require.Equal(t, meterkey.CodeRejected, s.Reason)
		require.Equal(t, 2, s.Challenge.TriesLeft)
		require.Equal(t, "c-2", s.Challenge.ID)
		require.Equal(t, "which?", s.Challenge.Prompt, "the question stands where the site does not repeat it")
	})
	w.code(3*time.Minute+time.Second, "c-1", "1") // the double click
	w.code(4*time.Minute, "c-2", "2")
	w.ends(meterkey.Connected, "")
	require.Len(t, w.codes, 2)
	require.Contains(t, w.records[len(w.records)-1].State.Ignored[0].Why, "not for c-2")
}

func Test_Code_EndsOfTheWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		reason meterkey.Reason
		play   func(w *world)
	}{
		{"time out", meterkey.CodeTimeout, func(*world) {}},
		{"left", meterkey.WindowClosed, func(w *world) { w.signal(2*time.Minute, meterkey.SignalLeave, nil) }},
		{"tries used", meterkey.CodeAttemptsUsed, func(w *world) {
			w.code(2*time.Minute, "c-1", "1")
			w.code(3*time.Minute, "c-2", "2")
			w.code(4*time.Minute, "c-3", "3")
		}},
		{"session ended", meterkey.SessionEnded, func(w *world) { w.answers = says(stopFor(meterkey.SessionEnded)); w.code(2*time.Minute, "c-1", "1") }},
		{"window lost on submit", meterkey.WindowLost, func(w *world) {
			w.answers = []func() (PageResult, error){func() (PageResult, error) { return PageResult{}, errors.New("no such window") }}
			w.code(2*time.Minute, "c-1", "1")
		}},
		{"unreadable to the end", meterkey.CodeAttemptsUsed, func(w *world) {
			w.answers = says(stopFor(meterkey.Unreadable))
			w.code(2*time.Minute, "c-1", "1")
			w.code(3*time.Minute, "c-2", "2")
			w.code(4*time.Minute, "c-3", "3")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.logins, w.answers = says(asks(meterkey.NumberCode)), says(rejected)
			w.login(time.Minute)
			c.play(w)
			w.expect(30*time.Minute, meterkey.AwaitingLogin, c.reason)
			w.signal(time.Hour, meterkey.SignalDecline, nil)
			w.ends(meterkey.Declined, "")
			require.Equal(t, []string{"w-1"}, w.closed, "the window is freed")
			require.Contains(t, w.told(), "sign_in_again to customer: "+string(c.reason))
			require.Contains(t, w.told(), "sign_in_again to requester: "+string(c.reason))
			require.Equal(t, declined, w.told()[len(w.told())-1])
		})
	}
}

func Test_HoldWindow_EndIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	for _, reason := range []meterkey.Reason{meterkey.SessionEnded, meterkey.WindowLost} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.holdEnds, w.holdFor = stopFor(reason), 90*time.Second
			w.logins = says(asks(meterkey.NumberCode))
			w.login(time.Minute)
			w.expect(2*time.Minute, meterkey.AwaitingCode, "")
			w.expect(3*time.Minute, meterkey.AwaitingLogin, reason)
			w.code(4*time.Minute, "c-1", "1") // never typed into a dead window
			w.signal(time.Hour, meterkey.SignalDecline, nil)
			w.ends(meterkey.Declined, "")
			require.Empty(t, w.codes)
		})
	}
}

func Test_Choice_ThenCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.MethodChoice)), says(asks(meterkey.NumberCode), in)
	w.login(time.Minute)
	w.expect(2*time.Minute, meterkey.AwaitingChoice, "")
	w.code(3*time.Minute, "c-1", "sms")
	w.after(4*time.Minute, func() {
		s := w.state()
		require.Equal(t, meterkey.AwaitingCode, s.Status)
		require.Equal(t, 3, s.Challenge.TriesLeft, "choosing is no try")
	})
	w.code(5*time.Minute, "c-2", "123456")
	w.ends(meterkey.Connected, "")
	require.Equal(t, meterkey.MethodChoice, w.codes[0].State().Challenge.Kind)
	require.Equal(t, []string{"sign_in to customer", "connected to customer", "connected to requester"}, w.told())
}

func Test_ResendCode_VoidsTheEarlierChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.resends, w.answers = says(asks(meterkey.NumberCode)), says(asks(meterkey.NumberCode)), says(in)
	w.login(time.Minute)
	w.signal(2*time.Minute, meterkey.SignalResendCode, meterkey.ResendCode{ChallengeID: "c-1"})
	w.code(3*time.Minute, "c-1", "old")
	w.code(4*time.Minute, "c-2", "new")
	w.ends(meterkey.Connected, "")
	require.Len(t, w.codes, 1)
	require.Equal(t, "c-2", w.codes[0].State().Challenge.ID)
}

func Test_MFAUnsupported_NotifyAndRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.MFAUnsupported), in)
	w.login(time.Minute)
	w.expect(2*time.Minute, meterkey.AwaitingMFAOff, meterkey.MFAUnsupported)
	w.login(6 * 24 * time.Hour)
	w.ends(meterkey.Connected, "")
	require.Equal(t, []string{"sign_in to customer", "turn_mfa_off to customer: mfa_unsupported", "turn_mfa_off to requester: mfa_unsupported",
		"mfa_reminder to customer: mfa_unsupported", "mfa_reminder to customer: mfa_unsupported",
		"connected to customer", "connected to requester"}, w.told())
	require.True(t, w.notices[len(w.notices)-1].MFAWasOff)
	require.Equal(t, []string{"w-1"}, w.closed, "the window is closed at once")
}

func Test_Reminders_After1And3Days(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.MFAUnsupported))
	w.login(time.Minute)
	count := func() (n int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, notice := range w.notices {
			if notice.Kind == meterkey.NoticeMFAReminder {
				n++
			}
		}
		return n
	}
	day := 24 * time.Hour
	for at, want := range map[time.Duration]int{day - time.Hour: 0, day + time.Hour: 1, 3*day - time.Hour: 1, 3*day + time.Hour: 2, 7*day - time.Hour: 2} {
		w.after(at, func() { require.Equal(t, want, count(), "after %s", at) })
	}
	w.ends(meterkey.Expired, "")
	require.Equal(t, []string{"expired to customer", "expired to requester"}, w.told()[len(w.told())-2:])
}

func Test_Deadline_SevenDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.env.Now()
	w.expect(7*24*time.Hour-time.Minute, meterkey.AwaitingLogin, "")
	w.ends(meterkey.Expired, "")
	require.WithinDuration(t, start.Add(7*24*time.Hour), w.records[len(w.records)-1].State.Since, time.Second)
	require.Equal(t, []string{"sign_in to customer", "expired to customer", "expired to requester"}, w.told())
}

func Test_Resend_SendsTheLinkAndStartsTheDeadlineAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signal(6*24*time.Hour, meterkey.SignalResend, nil)
	w.expect(12*24*time.Hour, meterkey.AwaitingLogin, "")
	w.ends(meterkey.Expired, "")
	require.Equal(t, []string{"sign_in to customer", "sign_in to customer", "expired to customer", "expired to requester"}, w.told())
	require.NotEqual(t, w.notices[0].ID, w.notices[1].ID)
}

func Test_Login_Stops(t *testing.T) {
	t.Parallel()
	for _, text := range meterkey.Reasons() {
		if text.Leads != meterkey.Failed || text.Reason == meterkey.TooManyLogins {
			continue
		}
		t.Run(string(text.Reason), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.logins = says(stopFor(text.Reason))
			w.login(time.Minute)
			w.ends(meterkey.Failed, text.Reason)
			require.Equal(t, []string{"sign_in to customer", "failed to customer: " + string(text.Reason), "failed to requester: " + string(text.Reason)}, w.told())
			require.Equal(t, []string{"w-1"}, w.closed)
		})
	}
}

func Test_Login_GoesBackToSigningIn(t *testing.T) {
	t.Parallel()
	for _, text := range meterkey.Reasons() {
		if text.Leads != meterkey.AwaitingLogin {
			continue
		}
		t.Run(string(text.Reason), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			back := stopFor(text.Reason)
			back.Typed = true // even a site that goes down is not tried again then
			w.logins = says(back, in)
			w.login(time.Minute)
			w.after(2*time.Minute, func() {
				s := w.state()
				require.Equal(t, meterkey.AwaitingLogin, s.Status)
				require.Equal(t, text.Reason, s.Reason)
				require.Equal(t, text.Customer, s.Message)
			})
			w.login(time.Hour)
			w.ends(meterkey.Connected, "")
			require.Len(t, w.inputs, 2)
		})
	}
}

func Test_Login_ThreeRejectionsEndTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.InvalidCredentials))
	for i := range 4 {
		w.login(time.Duration(i+1) * time.Hour)
	}
	w.ends(meterkey.Failed, meterkey.TooManyLogins)
	require.Len(t, w.inputs, maxRejectedLogins)
}

func Test_Login_FaultOfOursAsksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = []func() (PageResult, error){func() (PageResult, error) { return PageResult{}, errors.New("no browser") }}
	w.login(time.Minute)
	w.expect(time.Hour, meterkey.AwaitingLogin, meterkey.WindowLost)
	w.signal(2*time.Hour, meterkey.SignalDecline, nil)
	w.ends(meterkey.Declined, "")
	require.Len(t, w.inputs, 5, "the attempts of loginOptions")
}

func Test_Login_ReadsTheWindowOfAnotherHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	there := Window{Host: "h2", ID: "w-9", ExpiresAt: w.env.Now().Add(time.Hour)}
	asked := asks(meterkey.NumberCode)
	asked.Window = &there
	w.logins, w.answers = says(PageResult{Outcome: OutcomeElsewhere, Window: &there}, asked), says(in)
	w.login(time.Minute)
	w.code(2*time.Minute, "c-1", "1")
	w.ends(meterkey.Connected, "")
	require.Nil(t, w.inputs[0].Window)
	require.Equal(t, there.ID, w.inputs[1].Window.ID)
	require.Equal(t, "h2", w.codes[0].Progress.Window.Host)
}

func Test_SiteDown_TriedForAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.UtilityUnavailable))
	w.login(time.Minute)
	w.after(30*time.Minute, func() {
		s := w.state()
		require.Equal(t, meterkey.SigningIn, s.Status)
		require.Equal(t, meterkey.UtilityUnavailable, s.Reason)
		require.Contains(t, s.Message, "keep trying")
	})
	w.expect(2*time.Hour, meterkey.AwaitingLogin, meterkey.UtilityUnavailable)
	w.signal(3*time.Hour, meterkey.SignalDecline, nil)
	w.ends(meterkey.Declined, "")
	require.Greater(t, len(w.inputs), 10, "it was tried again and again")
	require.Len(t, w.closed, len(w.inputs), "no window is left open")
}

func Test_SiteDown_ComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.UtilityUnavailable), stopFor(meterkey.UtilityUnavailable), in)
	w.login(time.Minute)
	w.ends(meterkey.Connected, "")
	require.NotEqual(t, w.inputs[0].Progress.SignIns, w.inputs[1].Progress.SignIns, "each try has a window of its own")
	require.Equal(t, sealedAs("login 1"), w.inputs[2].Credentials)
}

func Test_SiteDown_CustomerLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(stopFor(meterkey.UtilityUnavailable))
	w.login(time.Minute)
	w.signal(10*time.Minute, meterkey.SignalLeave, nil)
	w.expect(11*time.Minute, meterkey.AwaitingLogin, meterkey.WindowClosed)
	w.signal(3*time.Hour, meterkey.SignalDecline, nil)
	w.ends(meterkey.Declined, "")
}

func Test_NoMeters_Fails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.fetches = says(in), says(in)
	w.login(time.Minute)
	w.ends(meterkey.Failed, meterkey.NoMeters)
}

func Test_Fetch_SessionEndedAsksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.fetches = says(in), append(says(stopFor(meterkey.SessionEnded)), w.fetches...)
	w.login(time.Minute)
	w.expect(2*time.Minute, meterkey.AwaitingLogin, meterkey.SessionEnded)
	w.login(time.Hour)
	w.ends(meterkey.Connected, "")
}

func Test_Cancel_ClosesTheWindowAndTellsTheCustomer(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]time.Duration{"awaiting login": 30 * time.Second, "awaiting code": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.logins = says(asks(meterkey.NumberCode))
			w.login(time.Minute)
			w.after(at, w.env.CancelWorkflow)
			_, err := w.run()
			var canceled *temporal.CanceledError
			require.ErrorAs(t, err, &canceled)
			require.Equal(t, meterkey.Canceled, w.state().Status)
			require.Equal(t, "canceled to customer", w.told()[len(w.told())-1])
			require.Len(t, w.closed, len(w.inputs))
		})
	}
}

func Test_Signals_ThatCannotBeReadAreNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(in)
	for _, name := range []string{meterkey.SignalSubmitLogin, meterkey.SignalSubmitCode, meterkey.SignalResendCode} {
		w.signal(time.Minute, name, "a text where a document belongs")
		w.signal(2*time.Minute, name, []byte{0xff, 0xfe})
		w.signal(3*time.Minute, name, nil)
	}
	w.signal(4*time.Minute, meterkey.SignalLeave, map[string]int{"unexpected": 1})
	w.signal(4*time.Minute, "unheard-of", "x")
	w.after(5*time.Minute, func() {
		s := w.state()
		require.Equal(t, meterkey.AwaitingLogin, s.Status)
		require.Len(t, s.Ignored, 10)
		require.Contains(t, s.Ignored[0].Why, "docs/contract.md")
		require.NotContains(t, fmt.Sprint(s.Ignored), "a text where", "payloads are not repeated")
	})
	w.login(time.Hour)
	w.ends(meterkey.Connected, "")
}

func Test_Login_IsFairAmongRequesters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "acme", loginOptions(Task{Request: meterkey.Request{Requester: "acme"}}).Priority.FairnessKey)
}

func Test_InvalidRequest_FailsNamingTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.request.Requester = "two words"
	_, err := w.run()
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, meterkey.ErrTypeInvalidRequest, failed.Type())
	require.Contains(t, failed.Error(), "requester")
}

func Test_Resend_RevivesWhileFinishing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signal(time.Minute, meterkey.SignalDecline, nil)
	w.env.OnActivity(ActivityNotify, mock.Anything, mock.Anything).Return(NotifyResult{}, nil).After(30 * time.Second)
	w.signal(70*time.Second, meterkey.SignalResend, nil) // the notices of the end are still being sent
	_, err := w.run()
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
}

func Test_Continued_GoesOnWithoutTellingAgain(t *testing.T) {
	t.Parallel()
	first := newMachine(newWorld(t).request, nil, time.Now().UTC())
	first.RejectedLogins = 2
	w := newWorld(t)
	w.continued = &first.Progress
	w.logins = says(stopFor(meterkey.InvalidCredentials))
	w.login(time.Minute)
	w.ends(meterkey.Failed, meterkey.TooManyLogins)
	require.NotContains(t, w.told(), "sign_in to customer")
}

func Test_Details_NameNobody(t *testing.T) {
	t.Parallel()
	r := &runner{machine: awaiting(meterkey.AwaitingCode, 2)}
	r.request.CustomerEmail = "c@example.com"
	text := r.details()
	for _, part := range []string{"awaiting_code", "customer", "1970-01-01T00:10:00Z", "2 tries left"} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "example.com")
}

func Test_ResendCode_WhateverFollows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found  PageResult
		status meterkey.Status
		reason meterkey.Reason
	}{
		"an old rejection":   {PageResult{Outcome: OutcomeCodeRejected}, meterkey.AwaitingCode, ""},
		"a choice":           {asks(meterkey.MethodChoice), meterkey.AwaitingChoice, ""},
		"signed in":          {in, meterkey.Connected, ""},
		"session ended":      {stopFor(meterkey.SessionEnded), meterkey.AwaitingLogin, meterkey.SessionEnded},
		"an unknown page":    {stopFor(meterkey.SiteChanged), meterkey.Failed, meterkey.SiteChanged},
		"a captcha":          {stopFor(meterkey.Captcha), meterkey.Failed, meterkey.Captcha},
		"no way to say more": {PageResult{}, meterkey.AwaitingLogin, meterkey.WindowLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.logins, w.resends = says(asks(meterkey.NumberCode)), says(c.found)
			w.login(time.Minute)
			w.signal(2*time.Minute, meterkey.SignalResendCode, meterkey.ResendCode{ChallengeID: "c-1"})
			if !c.status.Terminal() {
				w.expect(3*time.Minute, c.status, c.reason)
				w.signal(4*time.Minute, meterkey.SignalDecline, nil)
				c.status, c.reason = meterkey.Declined, ""
			}
			w.ends(c.status, c.reason)
			require.Equal(t, c.found.Outcome != OutcomeSignedIn, len(w.closed) == 1, "whoever reads the list closes the window")
		})
	}
}

func Test_ResendCode_OldRejectionKeepsTheTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.resends, w.answers = says(asks(meterkey.NumberCode)), says(PageResult{Outcome: OutcomeCodeRejected}), says(in)
	w.login(time.Minute)
	w.signal(2*time.Minute, meterkey.SignalResendCode, meterkey.ResendCode{ChallengeID: "c-1"})
	w.after(3*time.Minute, func() {
		require.Equal(t, "c-2", w.state().Challenge.ID)
		require.Equal(t, 3, w.state().Challenge.TriesLeft)
	})
	w.code(4*time.Minute, "c-2", "right")
	w.ends(meterkey.Connected, "")
}

func Test_Fetch_AsksForACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := asks(meterkey.NumberCode)
	step.Window = &Window{Host: "h1", ID: "w-1", ExpiresAt: w.env.Now().Add(20 * time.Minute)}
	w.logins, w.answers, w.fetches = says(in), says(in), append(says(step), w.fetches...)
	w.login(time.Minute)
	w.after(2*time.Minute, func() {
		require.Equal(t, meterkey.AwaitingCode, w.state().Status)
		require.Equal(t, step.Window.ExpiresAt.UTC(), w.state().Until.UTC(), "the window's life begins with the first challenge")
	})
	w.code(3*time.Minute, "c-1", "right")
	w.ends(meterkey.Connected, "")
	require.Empty(t, w.closed, "whoever reads the list closes the window")
}

// takes has an activity take its time before it answers.
func (w *world) takes(d time.Duration, name string, f PageResult) {
	w.env.OnActivity(name, mock.Anything, mock.Anything).Return(f, nil).After(d)
}

func (w *world) signedIn() PageResult {
	f := in
	f.Window = &Window{Host: "h1", ID: "w-1", ExpiresAt: w.env.Now().Add(time.Hour)}
	return f
}

func Test_Decline_CountsWhileTheSiteIsAtWork(t *testing.T) {
	t.Parallel()
	t.Run("signing in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.takes(30*time.Minute, ActivityLogin, w.signedIn())
		w.login(time.Minute)
		w.signal(2*time.Minute, meterkey.SignalDecline, nil)
		w.ends(meterkey.Declined, "")
		require.NotContains(t, w.told(), "connected to requester")
	})
	t.Run("the site is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.logins = says(stopFor(meterkey.UtilityUnavailable))
		w.login(time.Minute)
		w.signal(62*time.Second, meterkey.SignalDecline, nil)
		w.ends(meterkey.Declined, "")
		require.Len(t, w.inputs, 1, "nothing is tried after a no")
	})
	t.Run("submitting the code", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.logins = says(asks(meterkey.NumberCode))
		w.takes(time.Minute, ActivitySubmitCode, in)
		w.login(time.Minute)
		w.code(2*time.Minute, "c-1", "right")
		w.signal(150*time.Second, meterkey.SignalDecline, nil)
		w.ends(meterkey.Declined, "")
		require.Equal(t, []string{"w-1"}, w.closed)
	})
}

func Test_SiteDown_ThenAFaultOfOurs_IsForgottenByTheNextLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := func() (PageResult, error) {
		return PageResult{}, temporal.NewNonRetryableApplicationError("no browser", "", nil)
	}
	w.logins = append(says(stopFor(meterkey.UtilityUnavailable)), broken)
	w.logins = append(w.logins, says(in)...)
	w.login(time.Minute)
	w.expect(time.Hour, meterkey.AwaitingLogin, meterkey.WindowLost)
	w.login(48 * time.Hour)
	w.after(48*time.Hour+time.Second, func() { require.Len(t, w.inputs, 3, "the site is not waited for") })
	w.ends(meterkey.Connected, "")
}

func Test_Login_AskedForNobodyKnowsWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(PageResult{Outcome: OutcomeChallenge, Typed: true})
	w.login(time.Minute)
	w.ends(meterkey.Failed, meterkey.SiteChanged)
	require.Equal(t, []string{"w-1"}, w.closed)
}

func Test_Fetch_AsksForACodeTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := asks(meterkey.NumberCode)
	step.Window = &Window{Host: "h1", ID: "w-1", ExpiresAt: w.env.Now().Add(-time.Hour)}
	w.holdFor = time.Second
	w.logins, w.fetches = says(in), append(says(step), w.fetches...)
	w.login(time.Minute)
	w.expect(2*time.Minute, meterkey.AwaitingLogin, meterkey.CodeTimeout)
	w.login(time.Hour)
	w.ends(meterkey.Connected, "")
	require.Equal(t, time.Minute, holdOptions(Task{}, *step.Window, w.env.Now()).StartToCloseTimeout, "Temporal takes none below zero")
}

func Test_Resend_BeforeTheEndDoesNotUndoIt(t *testing.T) {
	t.Parallel()
	t.Run("connected", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.takes(time.Minute, ActivityLogin, w.signedIn())
		w.login(time.Minute)
		w.signal(90*time.Second, meterkey.SignalResend, nil)
		w.ends(meterkey.Connected, "")
	})
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.takes(time.Minute, ActivityLogin, w.signedIn())
		w.login(time.Minute)
		w.signal(80*time.Second, meterkey.SignalResend, nil)
		w.after(90*time.Second, w.env.CancelWorkflow)
		_, err := w.run()
		var canceled *temporal.CanceledError
		require.ErrorAs(t, err, &canceled)
	})
}

func Test_ResendCode_MeanwhileTheOldCodeDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.NumberCode)), says(in)
	w.takes(time.Minute, ActivityResendCode, asks(meterkey.NumberCode))
	w.login(time.Minute)
	w.signal(2*time.Minute, meterkey.SignalResendCode, meterkey.ResendCode{ChallengeID: "c-1"})
	w.code(150*time.Second, "c-1", "old")
	w.after(4*time.Minute, func() {
		require.Equal(t, "c-2", w.state().Challenge.ID)
		require.Contains(t, w.state().Ignored[0].Why, "sending another code")
		require.Empty(t, w.codes)
	})
	w.code(5*time.Minute, "c-2", "new")
	w.ends(meterkey.Connected, "")
	require.Equal(t, sealedAs("new"), w.codes[0].Code)
}

func Test_Choice_UnreadableIsAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins, w.answers = says(asks(meterkey.MethodChoice)), says(PageResult{Outcome: OutcomeStopped, Reason: meterkey.Unreadable}, in)
	w.login(time.Minute)
	w.code(2*time.Minute, "c-1", "sms")
	w.after(3*time.Minute, func() {
		require.Equal(t, meterkey.AwaitingChoice, w.state().Status)
		require.Equal(t, meterkey.Unreadable, w.state().Reason)
		require.Equal(t, "c-2", w.state().Challenge.ID)
		require.NotEmpty(t, w.state().Challenge.Options)
	})
	w.code(4*time.Minute, "c-2", "sms")
	w.ends(meterkey.Connected, "")
}

func Test_ContinueAsNew_LosesNoSignal(t *testing.T) {
	t.Parallel()
	t.Run("that has come and was not taken in yet", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.logins = says(in)
		w.env.SetContinueAsNewSuggested(true)
		w.login(time.Second)
		w.env.ExecuteWorkflow(func(ctx workflow.Context) (*meterkey.Result, error) {
			if err := workflow.Sleep(ctx, time.Minute); err != nil {
				return nil, err
			}
			run := setup(ctx, w.request, &newMachine(w.request, nil, workflow.Now(ctx)).Progress)
			return run.run(ctx)
		})
		var r meterkey.Result
		require.NoError(t, w.env.GetWorkflowResult(&r))
		require.Equal(t, meterkey.Connected, r.Status)
	})
	t.Run("that comes while a notice is being sent", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.logins = says(in)
		w.env.OnActivity(ActivityNotify, mock.Anything, mock.Anything).Return(NotifyResult{}, nil).After(50 * time.Second)
		w.after(2*time.Minute+10*time.Second, func() { w.env.SetContinueAsNewSuggested(true) })
		w.signal(2*time.Minute, meterkey.SignalResend, nil)
		w.login(2*time.Minute + 30*time.Second)
		w.ends(meterkey.Connected, "")
	})
	t.Run("and goes on when nothing is under way", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.after(time.Minute, func() { w.env.SetContinueAsNewSuggested(true) })
		w.signal(2*time.Minute, meterkey.SignalResend, nil)
		_, err := w.run()
		var again *workflow.ContinueAsNewError
		require.ErrorAs(t, err, &again)
	})
}

func Test_Notices_OfEachRunHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signal(time.Minute, meterkey.SignalDecline, nil)
	w.ends(meterkey.Declined, "")
	require.Equal(t, []string{"r-1.default-test-run-id.1", "r-1.default-test-run-id.2"}, []string{w.notices[0].ID, w.notices[1].ID},
		"the whole run id: those of one minute begin alike")
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
