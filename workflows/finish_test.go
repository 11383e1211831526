package workflows

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meterkey/meterkey"
)

// delivers has DeliverNotice played, and counts the notices that it is handed.
func (w *world) delivers() *atomic.Int32 {
	handed := &atomic.Int32{}
	w.env.OnWorkflow(DeliverNoticeWorkflowType, mock.Anything, mock.Anything).Return(func(_ workflow.Context, in NotifyInput) error {
		handed.Add(1)
		if in.Record != nil {
			return errors.New("what is recorded is not handed over")
		}
		return nil
	})
	return handed
}

// mailIsDown has no notice sent.
func (w *world) mailIsDown() {
	w.env.OnActivity(ActivityNotify, mock.Anything, mock.Anything).Return(NotifyResult{}, errors.New("no mail server answers"))
}

func Test_Finish_WaitsForNoMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = says(in)
	w.mailIsDown()
	handed := w.delivers()
	w.login(time.Hour)
	start := w.env.Now()
	w.ends(meterkey.Connected, "")
	require.Less(t, w.env.Now().Sub(start), time.Hour+3*noticeTimeout, "a run that has connected closes")
	require.EqualValues(t, 2, handed.Load(), "the link, and that the account is connected")
}

func Test_Finish_AResendWaitsForNoMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mailIsDown()
	handed := w.delivers()
	w.signal(10*time.Minute, meterkey.SignalDecline, nil)
	w.signal(10*time.Minute+time.Second, meterkey.SignalResend, nil)
	start := w.env.Now()
	_, err := w.run()
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Less(t, w.env.Now().Sub(start), 10*time.Minute+10*time.Second)
	require.EqualValues(t, 2, handed.Load(), "what is queued goes along")
}

func Test_Finish_ACancelThatFollowsAResendIsNotLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resend, cancel time.Duration
		revives        bool
	}{
		"after the resend":  {70 * time.Second, 75 * time.Second, false},
		"before the resend": {75 * time.Second, 70 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.env.OnActivity(ActivityRecord, mock.Anything, mock.Anything).Return(nil).After(time.Minute) // which is waited for
			w.env.OnActivity(ActivityNotify, mock.Anything, mock.Anything).Return(NotifyResult{}, nil)
			w.signal(time.Minute, meterkey.SignalDecline, nil)
			w.signal(c.resend, meterkey.SignalResend, nil)
			w.after(c.cancel, w.env.CancelWorkflow)
			_, err := w.run()
			var again *workflow.ContinueAsNewError
			if c.revives {
				require.ErrorAs(t, err, &again)
				return
			}
			require.NoError(t, err)
			require.Equal(t, meterkey.Declined, w.state().Status)
		})
	}
}

// Test_Record_NewestDoesNotWait has the first projections hang, as in a worker that was killed.
func Test_Record_NewestDoesNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env.OnActivity(ActivityNotify, mock.Anything, mock.Anything).Return(NotifyResult{}, nil) // which cannot record
	w.env.OnActivity(ActivityRecord, mock.Anything, mock.MatchedBy(func(p meterkey.Projection) bool { return !p.State.Status.Terminal() })).
		Return(nil).After(10 * time.Hour)
	w.env.OnActivity(ActivityRecord, mock.Anything, mock.Anything).Return(w.doRecord)
	w.signal(time.Minute, meterkey.SignalDecline, nil)
	start := w.env.Now()
	_, err := w.run()
	require.NoError(t, err)
	require.Less(t, w.env.Now().Sub(start), 2*time.Minute)
	require.Equal(t, meterkey.Declined, w.records[len(w.records)-1].State.Status)
}

// Test_Fault_IsTold says of each kind of error whose it is to mend.
func Test_Fault_IsTold(t *testing.T) {
	t.Parallel()
	failing := func(errType string) error {
		return temporal.NewNonRetryableApplicationError("what happened", errType, nil)
	}
	for name, c := range map[string]struct {
		err    error
		status meterkey.Status
		reason meterkey.Reason
		acts   meterkey.WaitingOn
	}{
		"the operator":  {failing(ErrTypeMisconfigured), meterkey.Failed, meterkey.Misconfigured, meterkey.Operator},
		"the requester": {failing(ErrTypeUnknownUtility), meterkey.Failed, meterkey.UnknownUtility, meterkey.Requester},
		"the customer":  {failing(ErrTypeWindowGone), meterkey.AwaitingLogin, meterkey.WindowLost, meterkey.Customer},
		"nobody knows":  {failing("of another kind"), meterkey.AwaitingLogin, meterkey.WindowLost, meterkey.Customer},
		"no type":       {errors.New("out of memory"), meterkey.AwaitingLogin, meterkey.WindowLost, meterkey.Customer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.logins = []func() (PageResult, error){func() (PageResult, error) { return PageResult{}, c.err }}
			w.login(time.Minute)
			require.Equal(t, c.acts, c.reason.Text().Acts)
			if !c.status.Terminal() {
				w.expect(time.Hour, c.status, c.reason)
				w.signal(2*time.Hour, meterkey.SignalDecline, nil)
				c.status, c.reason = meterkey.Declined, ""
			}
			w.ends(c.status, c.reason)
		})
	}
}

func Test_Fault_ThatNobodyForesawIsForAnOperatorInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.logins = []func() (PageResult, error){func() (PageResult, error) { return PageResult{}, errors.New("what is this?") }}
	for i := range maxFaults {
		w.login(time.Duration(i+1) * time.Hour)
	}
	w.ends(meterkey.Failed, meterkey.Misconfigured)
	require.Contains(t, w.told(), "failed to customer: misconfigured", "the customer does not go round in circles")
}

func TestOptions_AHostThatIsAwayIsToldWithinHalfAMinute(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	w := Window{Host: "h", ExpiresAt: now.Add(10 * time.Minute)}
	for _, o := range []workflow.ActivityOptions{submitOptions(Task{}, w), fetchOptions(Task{}, w), holdOptions(Task{}, w, now)} {
		noticed := o.HeartbeatTimeout + o.RetryPolicy.InitialInterval + o.ScheduleToStartTimeout
		require.Less(t, noticed, 30*time.Second, o.Summary)
	}
	login := loginOptions(Task{})
	require.Less(t, login.HeartbeatTimeout+login.RetryPolicy.InitialInterval+hostTimeout, 30*time.Second, "another host looks, and its task for the first one waits")
}

func TestOptions_AreFairAmongRequesters(t *testing.T) {
	t.Parallel()
	task := Task{Request: meterkey.Request{Requester: "acme"}}
	n := meterkey.Notice{Request: task.Request}
	for _, o := range []workflow.ActivityOptions{loginOptions(task), submitOptions(task, Window{}), fetchOptions(task, Window{}), closeOptions(task, Window{}),
		holdOptions(task, Window{}, time.Time{}), notifyOptions(n), deliverOptions(n), recordOptions(meterkey.Projection{Request: task.Request})} {
		require.Equal(t, "acme", o.Priority.FairnessKey, o.Summary)
	}
}
