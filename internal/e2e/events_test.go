package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/sdk/payload"
)

// eventRoutes are the routes whose Temporal events are counted, with the most that each may have: events are what a
// request costs in Temporal. The customer takes a minute to answer, or so: until told that a code is needed.
var eventRoutes = []struct {
	name, account string
	most          int
	play          func(*testing.T, *world, *devenv.Customer)
}{
	{"plain", "plain", 40, func(t *testing.T, _ *world, c *devenv.Customer) {
		_, err := c.SignIn(t.Context(), meterkey.Connected)
		require.NoError(t, err)
	}},
	{"code by updates", "code", 57, func(t *testing.T, w *world, c *devenv.Customer) {
		s, err := c.SignIn(t.Context(), meterkey.AwaitingCode)
		require.NoError(t, err)
		_, err = c.Answer(t.Context(), s.Challenge, w.codeOnceTold(t, c), meterkey.Connected)
		require.NoError(t, err)
	}},
	{"code by signals", "code", 55, func(t *testing.T, w *world, c *devenv.Customer) {
		login, err := meterkey.SealCredentials(w.recipient(t), meterkey.Credentials{Username: c.User, Password: devenv.PracticePassword})
		require.NoError(t, err)
		w.signal(t, c, meterkey.SignalSubmitLogin, meterkey.SubmitLogin{Credentials: login})
		s, err := c.Await(t.Context(), meterkey.AwaitingCode)
		require.NoError(t, err)
		code, err := meterkey.Seal(w.recipient(t), w.codeOnceTold(t, c))
		require.NoError(t, err)
		w.signal(t, c, meterkey.SignalSubmitCode, meterkey.SubmitCode{ChallengeID: s.Challenge.ID, Code: code})
		_, err = c.Await(t.Context(), meterkey.Connected)
		require.NoError(t, err)
	}},
}

// TestEvents_StayWithinTheirBudget counts the events of a request when nothing disturbs it, workflow tasks that timed out
// among them. A busy machine disturbs: one quiet run in some is enough.
func TestEvents_StayWithinTheirBudget(t *testing.T) {
	t.Parallel()
	for _, route := range eventRoutes {
		t.Run(route.name, func(t *testing.T) {
			t.Parallel()
			w := up(t, practice.Options{})
			const tries = 6
			for try := range tries {
				c := w.customer(t, "CONED", route.account)
				c.ID, c.User = fmt.Sprintf("%s-%d", c.ID, try), fmt.Sprintf("%s.events-%d@example.com", route.account, try)
				require.NoError(t, c.Start(t.Context()))
				route.play(t, w, c)
				w.ended(t.Context(), t, c.ID)
				counts, err := w.Events(t.Context(), c.ID)
				require.NoError(t, err)
				t.Logf("%d events: %v", total(counts), counts)
				disturbed := counts[enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT] + counts[enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED]
				if disturbed == 0 && total(counts) <= route.most {
					return
				}
			}
			t.Errorf("not one of %d runs had at most %d events, and none that timed out", tries, route.most)
		})
	}
}

// BenchmarkHistory counts the Temporal events of one data request.
//
//	go test ./internal/e2e -run '^$' -bench History -benchtime 1x
func BenchmarkHistory(b *testing.B) {
	s, err := devenv.Up(b.Context(), devenv.Options{Bin: bin, Dir: b.TempDir()})
	b.Cleanup(func() { require.NoError(b, s.Down(context.Background())) })
	require.NoError(b, err)
	_, err = s.StartWorker(b.Context(), "a")
	require.NoError(b, err)
	client, err := s.Client(b.Context())
	require.NoError(b, err)
	for i := range b.N {
		for _, route := range []string{"plain", "code"} {
			c := &devenv.Customer{Environment: s, Client: client, ID: fmt.Sprintf("%s-%d", route, i), Utility: "CONED",
				User: fmt.Sprintf("%s.history-%d@example.com", route, i), Say: func(string, ...any) {}}
			if route == "code" {
				throughMeterkey(b, c)
			} else {
				require.NoError(b, c.Start(b.Context()))
				_, err := c.SignIn(b.Context(), meterkey.Connected)
				require.NoError(b, err)
			}
			var result meterkey.Result
			require.NoError(b, s.Run(b.Context(), c.ID, &result))
			counts, err := s.Events(b.Context(), c.ID)
			require.NoError(b, err)
			b.ReportMetric(float64(total(counts)), route+"-events")
			b.ReportMetric(float64(counts[enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT]), route+"-time-outs")
		}
	}
}

func total(counts map[enumspb.EventType]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// codeOnceTold is the code, once the customer was told by mail that it is needed.
func (w *world) codeOnceTold(t *testing.T, c *devenv.Customer) string {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, line := range w.log(t) {
			if line["msg"] == "notice" && line["request_id"] == c.ID && line["kind"] == string(meterkey.NoticeCodeNeeded) {
				return true
			}
		}
		return false
	}, caseLimit, pollLog, "nobody was told that a code is needed")
	code, _, err := c.ReadCode(t.Context(), 0)
	require.NoError(t, err)
	return code
}

func (w *world) recipient(t *testing.T) string {
	t.Helper()
	recipient, err := w.Recipient()
	require.NoError(t, err)
	return recipient
}

// signal sends a signal as any Temporal SDK would.
func (w *world) signal(t *testing.T, c *devenv.Customer, name string, document any) {
	t.Helper()
	temporal, err := client.DialContext(t.Context(), client.Options{HostPort: w.Temporal.Address(), DataConverter: payload.New(nil)})
	require.NoError(t, err)
	defer temporal.Close()
	require.NoError(t, temporal.SignalWorkflow(t.Context(), meterkey.WorkflowID(c.ID), "", name, document))
}
