package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// fileOfAnother names the SQLite file of a test whose helper this process is.
const fileOfAnother = "MK_TEST_STORE_FILE"

// recordInto records whole lives into a file, as a worker does beside a portal.
func recordInto(ctx context.Context, file string) error {
	s, err := store.Open(ctx, store.Options{File: file})
	if err != nil {
		return err
	}
	for i := range 20 {
		for _, p := range wholeLife(fmt.Sprintf("life-%d", i)) {
			if _, err := s.Record(ctx, p); err != nil {
				return err
			}
		}
	}
	return s.Close()
}

// Several processes share one SQLite file from its very beginning, and none is ever told that it is busy.
func TestSQLiteByManyProcesses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shared.db")
	helpers := make([]*exec.Cmd, 3)
	for i := range helpers {
		helpers[i] = exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
		helpers[i].Env = append(os.Environ(), fileOfAnother+"="+file)
		helpers[i].Stderr = os.Stderr
		require.NoError(t, helpers[i].Start())
	}
	require.NoError(t, recordInto(t.Context(), file))
	for _, helper := range helpers {
		require.NoError(t, helper.Wait())
	}

	w := newWorld(t, store.Options{File: file})
	events, err := w.ListEvents(t.Context(), store.EventFilter{Requester: "acme", Limit: 1000})
	require.NoError(t, err)
	created := map[string]int{}
	for _, e := range events.Items {
		if e.Type == store.EventAuthorizationCreated {
			created[e.FormUID]++
		}
	}
	require.Len(t, created, 20)
	for form, times := range created {
		require.Equal(t, 1, times, form)
	}
}
