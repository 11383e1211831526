package browser

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestIDsThatAreNone come from elsewhere, as from a workflow that never had a window: they must not name another folder.
func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", "..", "/", "../..", "W1/..", "a/b", "../windows/W1", "no-such-window"} {
		h, d, _ := bareHost(t)
		withDriver(h)
		w := d.bareWindow(t, h, record{ID: "W1", Owner: "someone", Expires: uptime() + time.Hour})
		_, err := h.Window(t.Context(), id)
		require.ErrorIs(t, err, ErrWindowLost, "%q", id)
		_ = h.CloseWindow(t.Context(), id) // whatever it says, it must do nothing
		require.NoError(t, w.Err(), "%q", id)
		require.Len(t, h.Windows(), 1, "%q", id)
		require.DirExists(t, string(w.folder), "%q", id)
		_, err = os.Stat(filepath.Join(h.options.Dir, "users.lock"))
		require.NoError(t, err, "%q", id)
	}
}
