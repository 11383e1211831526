package testenv

import (
	"context"
	"path"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/meterkey/meterkey/internal/logging"
)

// Calls counts what a Temporal client asks its server.
type Calls struct {
	mu      sync.Mutex
	counted map[string]int
	streams int // histories that were begun
	open    int // calls for history that wait for an answer
	lose    int // calls for history that are still to be lost
}

// Dial connects a client whose calls are counted, for the length of a test.
func (c *Calls) Dial(t testing.TB, o client.Options) client.Client {
	t.Helper()
	c.counted = map[string]int{}
	o.Logger = logging.Temporal(zap.NewNop())
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(c.intercept))
	temporal, err := client.DialContext(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	return temporal
}

func (c *Calls) intercept(ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	history, _ := request.(*workflowservice.GetWorkflowExecutionHistoryRequest)
	if lost := c.begin(path.Base(method), history); lost {
		return status.Error(codes.PermissionDenied, "the connection is lost")
	}
	err := call(ctx, method, request, answer, conn, options...)
	if history != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
	}
	return err
}

// begin counts a call and tells whether it is to be lost. A history is read by many calls, of which the first has no token.
func (c *Calls) begin(name string, history *workflowservice.GetWorkflowExecutionHistoryRequest) (lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted[name]++
	if history == nil {
		return false
	}
	if len(history.GetNextPageToken()) == 0 {
		c.streams++
	}
	if c.lose > 0 {
		c.lose--
		return true
	}
	c.open++
	return false
}

// Count is how often a method was called, such as QueryWorkflow.
func (c *Calls) Count(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted[method]
}

// Streams is how many histories were begun, and how many calls for one wait for an answer now.
func (c *Calls) Streams() (begun, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams, c.open
}

// Lose loses the next calls for history, in a way that the client does not repeat by itself.
func (c *Calls) Lose(calls int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lose = calls
}
