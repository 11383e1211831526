package activities_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/workflows"
)

// presence says whether the customer is there.
type presence func(requestID string) (bool, error)

func (p presence) Present(_ context.Context, requestID string) (bool, error) { return p(requestID) }

func atThePage(string) (bool, error) { return true, nil }
func nobody(string) (bool, error)    { return false, nil }

func TestHoldWindow_TellsWhyItEnded(t *testing.T) {
	t.Parallel()
	t.Run("the site ended the session", func(t *testing.T) {
		a := newAccount(t, "DEMO", "ends")
		require.Equal(t, meterkey.SessionEnded, a.hold(a.login().Window).Reason)
	})
	t.Run("the tab was closed", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		require.NoError(t, a.window(w).Page().Close())
		require.Equal(t, meterkey.WindowLost, a.hold(w).Reason)
	})
	t.Run("its time was over", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		require.NoError(t, a.window(w).ExpireIn(100*time.Millisecond))
		require.Equal(t, meterkey.CodeTimeout, a.hold(w).Reason)
		require.True(t, a.open(w), "a code that arrives together with the deadline still counts")
	})
	t.Run("there is no such window", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		require.Equal(t, meterkey.WindowLost, a.hold(&workflows.Window{ID: "0123"}).Reason)
	})
	t.Run("the tab hangs for good", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		a.busy(w, time.Hour)
		require.Equal(t, meterkey.WindowLost, a.hold(w).Reason)
	})
	t.Run("the tab hangs for a while", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, "DEMO", "code")
		w := a.login().Window
		hung := a.busy(w, 7*time.Second) // longer than its check waits
		held := make(chan workflows.PageResult, 1)
		watcher := newAccount(t, "DEMO", "code")
		go func() { held <- watcher.hold(w) }()
		require.ErrorIs(t, hung.Check(t.Context()), browser.ErrTabHung)
		require.Eventually(t, func() bool { return hung.Check(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
		require.Empty(t, held)
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(w, "c-1", meterkey.NumberCode, a.phone()).Outcome)
		a.close(w)
		require.Equal(t, meterkey.WindowLost, (<-held).Reason)
	})
	t.Run("it only watches", func(t *testing.T) {
		a := newAccount(t, "DEMO", "code")
		f := a.login()
		held := make(chan workflows.PageResult, 1)
		watcher := newAccount(t, "DEMO", "code")
		go func() { held <- watcher.hold(f.Window) }()
		require.Equal(t, workflows.OutcomeSignedIn, a.submit(f.Window, "c-1", meterkey.NumberCode, a.phone()).Outcome)
		a.close(f.Window)
		require.Equal(t, meterkey.WindowLost, (<-held).Reason, "it ends with the window")
	})
}

// TestHoldWindow_OfAWindowThatIsDoneWith loses nothing: FetchMeterList closed it, and the request is about to end.
func TestHoldWindow_OfAWindowThatIsDoneWith(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "plain")
	w := a.login().Window
	held := a.holding(a.holdInput(w))
	require.True(t, a.do(a.FetchMeterList, a.task(meterkey.FetchingMeters, w)).Closed)
	require.Eventually(t, func() bool { return !a.open(w) }, time.Minute, 20*time.Millisecond)
	require.Empty(t, held.err)
	held.callOff(errCanceled)
	require.ErrorContains(t, <-held.err, "canceled")
}

// held is a HoldWindow that watches its window.
type held struct {
	callOff context.CancelCauseFunc
	err     chan error
}

// holding returns when HoldWindow is watching.
func (a *account) holding(in workflows.HoldWindowInput) held {
	a.t.Helper()
	watcher := newAccount(a.t, a.utility, "code")
	*watcher.BrowserActivities = *a.BrowserActivities
	watching := make(chan struct{})
	looked := sync.OnceFunc(func() { close(watching) })
	watcher.Now = func() time.Time { looked(); return time.Now() }
	ctx, callOff := context.WithCancelCause(context.Background())
	watcher.env.SetWorkerOptions(workerOptions(ctx))
	h := held{callOff: callOff, err: make(chan error, 1)}
	go func() {
		_, err := watcher.env.ExecuteActivity(watcher.HoldWindow, in)
		h.err <- err
	}()
	<-watching
	return h
}

// TestHoldWindow_TellsThatACodeIsNeeded once, however often it is tried.
func TestHoldWindow_TellsThatACodeIsNeeded(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	server := startMailServer(t, nil)
	notifier, logs := mailing(t, server)
	a.Notifier, a.Presence = notifier, presence(nobody)
	in := a.askedAgo(time.Minute)
	for attempt := 1; attempt <= 2; attempt++ {
		held := a.holding(in)
		require.Eventually(t, func() bool { return logs.FilterMessage("notice").Len() == attempt }, time.Minute, 10*time.Millisecond)
		held.callOff(errCanceled)
		require.Error(t, <-held.err)
	}
	require.Equal(t, []string{customer}, server.letters())
	require.Equal(t, "sent_before", logs.FilterMessage("notice").All()[1].ContextMap()["outcome"])
}

// askedAgo signs in and asks for the code so long ago.
func (a *account) askedAgo(ago time.Duration) workflows.HoldWindowInput {
	a.t.Helper()
	in := a.holdInput(a.login().Window)
	in.Progress.State.Since = time.Now().Add(-ago)
	return in
}

func TestRemindOfCode(t *testing.T) {
	t.Parallel()
	over, leave := context.WithCancel(t.Context())
	leave()
	for name, c := range map[string]struct {
		ctx      context.Context
		ago      time.Duration
		presence presence
		meantime func(*testing.T, *browser.Window)
		want     []string
	}{
		"nobody is there":              {ago: time.Minute, presence: nobody, want: []string{customer}},
		"nobody knows who is there":    {ago: time.Minute, presence: func(string) (bool, error) { return false, errDown }, want: []string{customer}},
		"somebody is at the page":      {ago: time.Minute, presence: atThePage},
		"somebody answered":            {ago: time.Minute, presence: nobody, meantime: begin("answer c-1")},
		"another step was taken in it": {ago: time.Minute, presence: nobody, meantime: begin("resend c-1"), want: []string{customer}},
		"the window ended":             {presence: nobody, meantime: end},
		"the activity was called off":  {ctx: over, presence: nobody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, "DEMO", "code")
			server := startMailServer(t, nil)
			a.Notifier, _ = mailing(t, server)
			a.Presence = c.presence
			in := a.askedAgo(c.ago)
			w := a.window(in.Progress.Window)
			if c.meantime != nil {
				c.meantime(t, w)
			}
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			activities.RemindOfCode(a.BrowserActivities, c.ctx, in, w)
			require.ElementsMatch(t, c.want, server.letters())
		})
	}
}

func begin(step string) func(*testing.T, *browser.Window) {
	return func(t *testing.T, w *browser.Window) {
		t.Helper()
		require.NoError(t, w.BeginOnce(step))
	}
}

func end(t *testing.T, w *browser.Window) {
	t.Helper()
	require.NoError(t, w.Close(t.Context()))
}

// TestRemindOfCode_LeavesTimeToAnswer before it looks for anybody.
func TestRemindOfCode_LeavesTimeToAnswer(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	var looked time.Duration
	in := a.askedAgo(18 * time.Second)
	a.Presence = presence(func(id string) (bool, error) {
		require.Equal(t, a.id, id)
		looked = time.Since(in.State().Since)
		return true, nil
	})
	activities.RemindOfCode(a.BrowserActivities, t.Context(), in, a.window(in.Progress.Window))
	require.GreaterOrEqual(t, looked, 20*time.Second)
}

// TestRemindOfCode_OutlastsABusyMailServer as long as nobody answers.
func TestRemindOfCode_OutlastsABusyMailServer(t *testing.T) {
	t.Parallel()
	a := newAccount(t, "DEMO", "code")
	var tries atomic.Int32
	server := startMailServer(t, func(string) error {
		if tries.Add(1) == 1 {
			return &smtp.SMTPError{Code: 451, Message: "come back later"}
		}
		return nil
	})
	a.Notifier, _ = mailing(t, server)
	a.Presence = presence(nobody)
	in := a.askedAgo(time.Minute)
	activities.RemindOfCode(a.BrowserActivities, t.Context(), in, a.window(in.Progress.Window))
	require.Equal(t, []string{customer}, server.letters())
}

// busy keeps the tab of a window from answering for so long.
func (a *account) busy(at *workflows.Window, long time.Duration) *browser.Window {
	a.t.Helper()
	w := a.window(at)
	_, err := w.Page().Evaluate(`(ms) => { setTimeout(() => { const end = Date.now() + ms; while (Date.now() < end) {} }, 0) }`, int(long.Milliseconds()))
	require.NoError(a.t, err)
	return w
}
