package activities_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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
)

func newDesk(t *testing.T, o notices.Options) (*activities.Desk, *observer.ObservedLogs) {
	t.Helper()
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	o.From = "Meterkey <m@example.com>"
	o.Link = func(requestID string, _ time.Time) string { return "https://portal.example/r/" + requestID }
	sender, err := notices.New(o)
	require.NoError(t, err)
	core, logs := observer.New(zap.InfoLevel)
	return &activities.Desk{Utilities: catalog, Notices: sender, Recorder: recorder(func(meterkey.Projection) error { return nil }), Log: zap.New(core)}, logs
}

// recorder is a Recorder made of a function.
type recorder func(meterkey.Projection) error

func (r recorder) Record(_ context.Context, p meterkey.Projection) error { return r(p) }

func notice(kind meterkey.NoticeKind) meterkey.Notice {
	return meterkey.Notice{ID: "r-1.abc.1", Kind: kind, To: meterkey.ToCustomer, Reason: meterkey.MFAUnsupported,
		Request: meterkey.Request{RequestID: "r-1", Requester: "acme", Utility: "BGE", CustomerEmail: "c@example.com"}}
}

func TestNotify_SaysWhatTheUtilitysFileSays(t *testing.T) {
	t.Parallel()
	outbox := t.TempDir()
	desk, logs := newDesk(t, notices.Options{Outbox: outbox})
	for range 2 { // the retry replaces, it does not add
		require.NoError(t, desk.Notify(t.Context(), notice(meterkey.NoticeTurnMFAOff)))
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
		require.NotContains(t, entry.ContextMap(), "c@example.com")
	}
}

func TestNotify_OfAnUnknownUtilityStillGoesOut(t *testing.T) {
	t.Parallel()
	desk, logs := newDesk(t, notices.Options{Outbox: t.TempDir()})
	n := notice(meterkey.NoticeSignIn)
	n.Request.Utility = "NOWHERE"
	require.NoError(t, desk.Notify(t.Context(), n))
	require.Equal(t, "saved", logs.FilterMessage("notice").All()[0].ContextMap()["outcome"])
}

// TestNotify_RefusedIsNotTriedAgain uses a real mail server that refuses every recipient for good.
func TestNotify_RefusedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	address := startMailServer(t, &smtp.SMTPError{Code: 550, Message: "no such mailbox"})
	desk, _ := newDesk(t, notices.Options{SMTP: address, Sent: t.TempDir()})
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(desk.Notify)
	_, err := env.ExecuteActivity(desk.Notify, notice(meterkey.NoticeSignIn))
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	require.True(t, refused.NonRetryable())
	require.Equal(t, activities.ErrTypeRefused, refused.Type())
}

func TestRecord_WritesALineWithoutPersonalData(t *testing.T) {
	t.Parallel()
	desk, logs := newDesk(t, notices.Options{Outbox: t.TempDir()})
	require.NoError(t, desk.Record(t.Context(), meterkey.Projection{Request: notice("").Request, RunID: "run-1",
		State: meterkey.State{Status: meterkey.Connected, Revision: 7, Meters: []meterkey.Meter{{AccountNumber: "123456"}}}}))
	line := logs.FilterMessage("data request").All()[0].ContextMap()
	require.Equal(t, "connected", line["status"])
	require.EqualValues(t, 7, line["version"])
	require.EqualValues(t, 1, line["meters"])
	for _, value := range line {
		require.NotContains(t, []any{"c@example.com", "123456"}, value)
	}
}

func TestRecord_ThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	desk, logs := newDesk(t, notices.Options{Outbox: t.TempDir()})
	down := errors.New("the database is down")
	desk.Recorder = recorder(func(meterkey.Projection) error { return down })
	require.ErrorIs(t, desk.Record(t.Context(), meterkey.Projection{Request: notice("").Request}), down)
	require.Empty(t, logs.FilterMessage("data request").All(), "what was not recorded is not said to be")
}
