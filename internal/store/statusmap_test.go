package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func TestEveryStatusIsMapped(t *testing.T) {
	t.Parallel()
	for _, status := range meterkey.Statuses() {
		row := mapStatus(status, "")
		require.NotEmpty(t, row.message, status)
		require.Equal(t, status, row.at)
	}
}

// Whatever a request goes back or fails for has a note of its own that explains it.
func TestEveryReasonIsMapped(t *testing.T) {
	t.Parallel()
	for _, text := range meterkey.Reasons() {
		row := mapStatus(text.Leads, text.Reason)
		require.NotEmpty(t, row.note, text.Reason)
		require.NotEmpty(t, row.event, text.Reason)
		if text.Leads == meterkey.AwaitingLogin || text.Leads == meterkey.Failed {
			require.Equal(t, text.Reason, row.because, "a row of its own")
			require.Equal(t, Errored, row.status, text.Reason)
		}
		if text.Requester != "" {
			require.Contains(t, explain(row, text.Reason), text.Requester)
			require.Contains(t, explain(row, text.Reason), text.Next)
		}
	}
}

func TestNothingIsMappedTwice(t *testing.T) {
	t.Parallel()
	seen := map[[2]string]bool{}
	for _, row := range statusMap {
		key := [2]string{string(row.at), string(row.because)}
		require.False(t, seen[key], key)
		seen[key] = true
	}
}
