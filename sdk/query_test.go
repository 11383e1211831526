package sdk

import (
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"

	"github.com/meterkey/meterkey"
)

// stubborn is a server whose worker fails the query so often before it answers.
func stubborn(t *testing.T, failures int) *Client {
	t.Helper()
	server := mocks.NewClient(t)
	value, err := converter.GetDefaultDataConverter().ToPayloads(meterkey.State{RequestID: "r-1", Status: meterkey.AwaitingCode})
	require.NoError(t, err)
	if failures > 0 {
		server.On("QueryWorkflowWithOptions", mock.Anything, mock.Anything).Times(failures).
			Return(nil, serviceerror.NewQueryFailed("invalid state transition"))
	}
	if failures < 2 {
		server.On("QueryWorkflowWithOptions", mock.Anything, mock.Anything).Return(&client.QueryWorkflowWithOptionsResponse{QueryResult: client.NewValue(value)}, nil)
	}
	return New(server, "", nil)
}

func TestClient_AsksAgainWhenTheWorkerLostTheThread(t *testing.T) {
	t.Parallel()
	for failures := range 2 {
		s, err := stubborn(t, failures).State(t.Context(), "r-1")
		require.NoError(t, err)
		require.Equal(t, meterkey.AwaitingCode, s.Status)
	}
	_, err := stubborn(t, 2).State(t.Context(), "r-1")
	require.ErrorIs(t, err, ErrNoWorker, "the request is safe; whoever waits goes on waiting")
}
