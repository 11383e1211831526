package activities_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/notices"
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
)

const customer, requester = "c@example.com", "r@example.com"

func newNotifier(t *testing.T, o notices.Options) (*activities.Notifier, *observer.ObservedLogs) {
	t.Helper()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	o.From = "Meterkey <m@example.com>"
	o.Link = func(requestID string, _ time.Time) string { return "https://portal.example/r/" + requestID }
	sender, err := notices.New(o)
	require.NoError(t, err)
	core, logs := observer.New(zap.InfoLevel)
	return &activities.Notifier{Utilities: catalog, Notices: sender, Log: zap.New(core),
		Recorder: newRecorder(record(func(meterkey.Projection) error { return nil }))}, logs
}

// mailing is a Notifier that sends by this mail server.
func mailing(t *testing.T, m *mailServer) (*activities.Notifier, *observer.ObservedLogs) {
	t.Helper()
	return newNotifier(t, notices.Options{SMTP: m.url, Sent: t.TempDir()})
}

func notice(kind meterkey.NoticeKind) meterkey.Notice {
	return meterkey.Notice{ID: "r-1.abc.1", Kind: kind, To: meterkey.ToCustomer, Reason: meterkey.MFAUnsupported, Request: meterkey.Request{
		RequestID: "r-1", Requester: "acme", Utility: "BGE", CustomerEmail: customer, RequesterEmail: requester}}
}

// connected tells both audiences, and records what it tells of.
func connected() workflows.NotifyInput {
	n := notice(meterkey.NoticeConnected)
	n.To, n.Reason = meterkey.ToBoth, ""
	state := meterkey.State{RequestID: "r-1", Requester: "acme", Utility: "BGE", Status: meterkey.Connected, Revision: 7}
	return workflows.NotifyInput{Notice: n, Record: &meterkey.Projection{Request: n.Request, RunID: "run-1", State: state}}
}

// notify runs one attempt of Notify.
func notify(n *activities.Notifier, in workflows.NotifyInput) (done workflows.NotifyResult, err error) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterActivity(n.Notify)
	value, err := env.ExecuteActivity(n.Notify, in)
	if err == nil {
		err = value.Get(&done)
	}
	return done, err
}

func TestNotify_SaysWhatTheUtilitysFileSays(t *testing.T) {
	t.Parallel()
	outbox := t.TempDir()
	n, logs := newNotifier(t, notices.Options{Outbox: outbox})
	for range 2 { // the retry replaces, it does not add
		_, err := notify(n, workflows.NotifyInput{Notice: notice(meterkey.NoticeTurnMFAOff)})
		require.NoError(t, err)
	}
	files, err := filepath.Glob(filepath.Join(outbox, "*.eml"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	unfolded := strings.ReplaceAll(string(text), "=\r\n", "")
	require.Contains(t, unfolded, "https://www.bge.com/my-account/customer-support/faqs")
	require.Equal(t, 2, logs.FilterMessage("notice").Len())
	for _, entry := range logs.All() {
		for _, value := range entry.ContextMap() {
			require.NotEqual(t, customer, value)
		}
	}
}

func TestNotify_OfAnUnknownUtilityStillGoesOut(t *testing.T) {
	t.Parallel()
	n, logs := newNotifier(t, notices.Options{Outbox: t.TempDir()})
	of := notice(meterkey.NoticeSignIn)
	of.Request.Utility = "NOWHERE"
	_, err := notify(n, workflows.NotifyInput{Notice: of})
	require.NoError(t, err)
	require.Equal(t, "saved", logs.FilterMessage("notice").All()[0].ContextMap()["outcome"])
}

// TestNotify_RefusedIsNotTriedAgain, and keeps nobody else from being told.
func TestNotify_RefusedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	server := startMailServer(t, func(to string) error {
		if to == customer {
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
		}
		return nil
	})
	n, _ := mailing(t, server)
	_, err := notify(n, connected())
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	require.True(t, refused.NonRetryable())
	require.Equal(t, workflows.ErrTypeRefused, refused.Type())
	require.NotContains(t, err.Error(), customer)
	require.Equal(t, []string{requester}, server.letters())
}

// TestNotify_RecordsBeforeItTells, so that nobody looks for what is not there yet.
func TestNotify_RecordsBeforeItTells(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	server := startMailServer(t, func(string) error {
		if len(db.states()) == 0 {
			return &smtp.SMTPError{Code: 550, Message: "too early"}
		}
		return nil
	})
	n, _ := mailing(t, server)
	n.Recorder = newRecorder(db)
	in := connected()
	done, err := notify(n, in)
	require.NoError(t, err)
	require.True(t, done.Recorded)
	require.ElementsMatch(t, []string{customer, requester}, server.letters())
	require.Equal(t, []meterkey.State{in.Record.State}, db.states())
}

func TestNotify_TellsWithoutADatabaseToo(t *testing.T) {
	t.Parallel()
	server := startMailServer(t, nil)
	n, _ := mailing(t, server)
	n.Recorder = newRecorder(record(func(meterkey.Projection) error { return errDown }))
	done, err := notify(n, connected())
	require.NoError(t, err)
	require.False(t, done.Recorded)
	require.ElementsMatch(t, []string{customer, requester}, server.letters())
}

// TestNotify_AMailboxThatIsAway holds up nobody else's, and a retry tells nobody twice.
func TestNotify_AMailboxThatIsAway(t *testing.T) {
	t.Parallel()
	for _, away := range []string{customer, requester} {
		t.Run(away, func(t *testing.T) {
			t.Parallel()
			answered := make(chan struct{})
			var tries atomic.Int32
			server := startMailServer(t, func(to string) error {
				if to != away || tries.Add(1) > 1 {
					return nil
				}
				<-answered
				return &smtp.SMTPError{Code: 451, Message: "come back later"}
			})
			n, _ := mailing(t, server)
			first := make(chan error, 1)
			go func() {
				_, err := notify(n, connected())
				first <- err
			}()
			require.Eventually(t, func() bool { return len(server.letters()) == 1 }, 20*time.Second, 10*time.Millisecond)
			require.Empty(t, first, "it is still at the other mailbox")
			close(answered)
			err := <-first
			var passing *temporal.ApplicationError
			require.ErrorAs(t, err, &passing)
			require.False(t, passing.NonRetryable())

			_, err = notify(n, connected())
			require.NoError(t, err)
			_, err = notify(n, connected()) // an attempt whose success was never heard of
			require.NoError(t, err)
			require.ElementsMatch(t, []string{customer, requester}, server.letters())
		})
	}
}
