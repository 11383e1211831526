package store_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/store"
)

// The environment of a test's helper, which this process then is: its database, a file or else a URL, and its number.
const (
	fileOfAnother = "MK_TEST_STORE_FILE"
	urlOfAnother  = "MK_TEST_STORE_URL"
	numberOfOurs  = "MK_TEST_STORE_WORKER"
)

// help is what a helper does.
func help(ctx context.Context) error {
	s, err := store.Open(ctx, store.Options{File: os.Getenv(fileOfAnother), URL: os.Getenv(urlOfAnother)})
	if err != nil {
		return err
	}
	worker, err := strconv.ParseUint(os.Getenv(numberOfOurs), 10, 64)
	return errors.Join(err, recordShuffled(ctx, s, worker), s.Close())
}

// Several processes share one database from its very beginning, and none is ever told that it is busy.
func TestByManyProcesses(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]store.Options{
		"SQLite":     {File: filepath.Join(t.TempDir(), "shared.db")},
		"PostgreSQL": {URL: postgres.create(t, "template0")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			helpers := make([]*exec.Cmd, 4)
			for i := range helpers {
				helpers[i] = exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very program
				helpers[i].Env = append(os.Environ(), fileOfAnother+"="+options.File, urlOfAnother+"="+options.URL, numberOfOurs+"="+strconv.Itoa(i))
				helpers[i].Stderr = os.Stderr
				require.NoError(t, helpers[i].Start())
			}
			for _, helper := range helpers {
				require.NoError(t, helper.Wait())
			}
			newWorld(t, options).requireShuffled(t)
		})
	}
}
