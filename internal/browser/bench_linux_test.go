package browser

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkWaitingWindow opens one more window in each round, types half of a code and parks it. It reports how much memory each
// of them takes: the proportional set size of all of Chromium's processes.
func BenchmarkWaitingWindow(b *testing.B) {
	url := serve(b, map[string]string{"/": form})
	o := testOptions(b)
	o.Capacity = 10_000
	h := openHost(b, o)
	waiting(b, h, url)
	before := memory(b, chromiumPID(b, h))
	for b.Loop() {
		waiting(b, h, url)
	}
	b.ReportMetric(float64(memory(b, chromiumPID(b, h))-before)/float64(b.N)/1e6, "MB/window")
}

func waiting(b *testing.B, h *Host, url string) {
	b.Helper()
	w := openWindow(b, h, "someone")
	visit(b, w, url)
	require.NoError(b, w.Page().Locator("#code").PressSequentially("123"))
	require.NoError(b, w.Park(b.Context()))
}

// memory sums up the proportional set size, in bytes, of the processes in the session that the leader started.
func memory(b *testing.B, leader int) int {
	b.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(b, err)
	sum := 0
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		require.NoError(b, err)
		if session, err := unix.Getsid(pid); err == nil && session == leader {
			sum += proportionalSetSize(b, entry)
		}
	}
	require.Positive(b, sum)
	return sum
}

func proportionalSetSize(b *testing.B, entry string) int {
	b.Helper()
	f, err := os.Open(entry + "/smaps_rollup")
	if err != nil {
		return 0 // it has ended meanwhile
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "Pss:" {
			kilobytes, err := strconv.Atoi(fields[1])
			require.NoError(b, err)
			return kilobytes * 1024
		}
	}
	return 0
}
