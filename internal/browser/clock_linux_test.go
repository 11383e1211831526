package browser

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUptimeIsTheMachines and nobody's who sets the time of day: it is what the kernel counts from its start on.
func TestUptimeIsTheMachines(t *testing.T) {
	t.Parallel()
	before := uptime()
	data, err := os.ReadFile("/proc/uptime")
	after := uptime()
	require.NoError(t, err)
	seconds, _, _ := strings.Cut(string(data), " ")
	kernels, err := time.ParseDuration(seconds + "s")
	require.NoError(t, err)
	const precision = 10 * time.Millisecond
	require.GreaterOrEqual(t, kernels, before-precision)
	require.LessOrEqual(t, kernels, after)
}
