package sdk_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/sandbox/testenv"
	"github.com/meterkey/meterkey/sdk"
)

// server is the one Temporal server of these tests, on which site has a worker.
var server struct {
	temporal client.Client
	address  string
	identity *age.X25519Identity
}

func TestMain(m *testing.M) { testenv.Main(m, setUp) }

func setUp(ctx context.Context) error {
	temporal, err := testenv.Temporal()
	if err != nil {
		return err
	}
	server.address = temporal.Address()
	if server.identity, err = age.GenerateX25519Identity(); err != nil {
		return err
	}
	if server.temporal, err = client.DialContext(ctx, client.Options{HostPort: server.address, Logger: logging.Temporal(zap.NewNop())}); err != nil {
		return err
	}
	testenv.AtEnd(func(context.Context) error { server.temporal.Close(); return nil })
	return serveSite()
}

func newRequest(t *testing.T) meterkey.Request {
	t.Helper()
	id := strings.NewReplacer("/", "-", "#", "-").Replace(t.Name())
	return meterkey.Request{RequestID: id, Requester: "acme", Utility: "DEMO", CustomerEmail: "c@example.com"}
}

func started(t *testing.T) (context.Context, *sdk.Client, meterkey.Request) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c := sdk.New(server.temporal, server.identity.Recipient().String(), nil).Patiently()
	r := newRequest(t)
	require.NoError(t, c.Start(ctx, r))
	return ctx, c, r
}

func until(t *testing.T, ctx context.Context, c *sdk.Client, id string, want meterkey.Status) meterkey.State { //nolint:revive // t first, as everywhere
	t.Helper()
	s, err := c.Wait(ctx, id, func(s meterkey.State) bool { return s.Status == want })
	require.NoError(t, err)
	return s
}

func TestClient_StartShowsTheRequest(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	s := until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	require.Equal(t, "acme", s.Requester)
	require.WithinDuration(t, time.Now().Add(7*24*time.Hour), *s.Until, time.Minute)
	read, err := c.Request(ctx, r.RequestID)
	require.NoError(t, err)
	require.Equal(t, r, read)
	require.ErrorIs(t, c.Start(ctx, r), sdk.ErrExists)
}

func TestClient_TellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.ErrorIs(t, c.Start(ctx, meterkey.Request{RequestID: "a b"}), meterkey.ErrInvalidRequest)
	_, err := c.State(ctx, "nobody-knows-it")
	require.ErrorIs(t, err, sdk.ErrNotFound)
	require.ErrorIs(t, c.Decline(ctx, "nobody-knows-it"), sdk.ErrNotFound)
	_, err = c.Request(ctx, "nobody-knows-it")
	require.ErrorIs(t, err, sdk.ErrNotFound)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	until(t, ctx, c, r.RequestID, meterkey.Declined)
	require.NoError(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil))
	require.ErrorIs(t, c.Leave(ctx, r.RequestID), sdk.ErrEnded)
	unsealed := sdk.New(server.temporal, "", nil)
	_, err = unsealed.SubmitCode(ctx, r.RequestID, "c-1", "1")
	require.ErrorContains(t, err, "recipient")
}

func TestClient_WaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	bounded, cancel := context.WithCancel(ctx)
	_, err := c.Wait(bounded, r.RequestID, func(meterkey.State) bool { cancel(); return false })
	require.ErrorIs(t, err, context.Canceled)
}

func TestClient_CancelEndsAsCanceled(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.NoError(t, c.Cancel(ctx, r.RequestID))
	until(t, ctx, c, r.RequestID, meterkey.Canceled)
	err := server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil)
	require.ErrorContains(t, err, "canceled")
}

func TestClient_ResendRevivesAnEndedRequest(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	require.NoError(t, c.Decline(ctx, r.RequestID))
	require.NoError(t, server.temporal.GetWorkflow(ctx, meterkey.WorkflowID(r.RequestID), "").Get(ctx, nil))
	read, err := c.Request(ctx, r.RequestID)
	require.NoError(t, err)
	require.NoError(t, c.Resend(ctx, read))
	s := until(t, ctx, c, r.RequestID, meterkey.AwaitingLogin)
	require.Len(t, s.Timeline, 1, "the link goes out once: by the start, not by the signal as well")
}

func TestClient_ListsByWhatOperatorsSee(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	other := r
	other.RequestID, other.Requester = r.RequestID+"-2", "o'brien"
	require.ErrorIs(t, c.Start(ctx, other), meterkey.ErrInvalidRequest, "a quote in an id is refused")
	other.Requester = "obrien"
	require.NoError(t, c.Start(ctx, other))
	require.Eventually(t, func() bool {
		listed, err := c.List(ctx, sdk.Filter{Requester: "obrien", Status: meterkey.AwaitingLogin, Utility: "DEMO"}, 10)
		return err == nil && len(listed) == 1 && listed[0].RequestID == other.RequestID && listed[0].WaitingOn == meterkey.Customer
	}, 20*time.Second, 20*time.Millisecond)
	listed, err := c.List(ctx, sdk.Filter{Requester: "it's not there"}, 10)
	require.NoError(t, err)
	require.Empty(t, listed)
	listed, err = c.List(ctx, sdk.Filter{}, 1)
	require.NoError(t, err)
	require.Len(t, listed, 1)
}

func TestClient_SealsWhatItSends(t *testing.T) {
	t.Parallel()
	ctx, c, r := started(t)
	const secret = "correct horse battery staple"
	_, err := c.SubmitLogin(ctx, r.RequestID, meterkey.Credentials{Username: "u-" + secret, Password: secret})
	require.NoError(t, err)
	for _, event := range events(t, r.RequestID) {
		require.NotContains(t, event.String(), secret)
	}
	require.NoError(t, c.Cancel(ctx, r.RequestID))
}
