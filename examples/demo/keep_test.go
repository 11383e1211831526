package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/sandbox/devenv"

	database "github.com/meterkey/meterkey/internal/store"
)

// halfUp is a stack without workers and portal: Temporal, the practice sites and the folder are real.
func halfUp(t *testing.T) (s *devenv.Environment, dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := devenv.Up(t.Context(), devenv.Options{Dir: dir})
	t.Cleanup(func() { require.NoError(t, s.Down(context.Background())) })
	require.NoError(t, err)
	return s, dir
}

// spoken is an output that tells when something was said.
type spoken struct {
	bytes.Buffer
	waits string
	heard func()
}

func (s *spoken) Write(text []byte) (int, error) {
	if strings.Contains(string(text), s.waits) {
		defer s.heard()
	}
	return s.Buffer.Write(text)
}

func TestKeepSaysHowToUseWhatIsUp(t *testing.T) {
	t.Parallel()
	s, dir := halfUp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &spoken{waits: "Ctrl-C ends everything.", heard: cancel}
	require.NoError(t, use(ctx, s, flags{Keep: true}, dir, out))
	said := out.String()
	require.Contains(t, said, s.PortalURL()+"/dashboard/   ("+devenv.RequesterEmail+", password: "+devenv.RequesterPassword+")")
	require.Contains(t, said, s.Practice.URL()+"   "+s.Practice.URL()+"/inbox")
	require.Contains(t, said, s.Temporal.UIURL())
	require.Contains(t, said, filepath.Join(dir, "outbox"))
	require.True(t, strings.HasSuffix(said, "\nEnding …\n"), said)
	require.NotContains(t, said, "ended by itself")
	require.NotContains(t, said, "%!", "a value is missing")

	// What it says to use is there: the key and the user in the database, the exports in a shell.
	db, err := database.Open(t.Context(), database.Options{File: s.DatabaseFile()})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	key := regexp.MustCompile(`API key: +(mk_\w+)`).FindStringSubmatch(said)
	require.NotNil(t, key)
	owner, err := db.KeyOwner(t.Context(), key[1])
	require.NoError(t, err)
	require.Equal(t, devenv.RequesterUID, owner.RequesterUID)
	require.Equal(t, 3, strings.Count(said, key[1]), "and in both examples")
	_, err = db.CheckPassword(t.Context(), devenv.RequesterEmail, devenv.RequesterPassword)
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "  export ") {
			lines = append(lines, line)
		}
	}
	shell, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Join(lines, "")+`printf '%s %s' "$TEMPORAL_ADDRESS" "$MK_HOME"`).Output()
	require.NoError(t, err)
	require.Equal(t, s.Temporal.Address()+" "+dir, string(shell))
}

func TestKeepEndsWithTemporal(t *testing.T) {
	t.Parallel()
	s, dir := halfUp(t)
	out := &spoken{waits: "Ctrl-C ends everything.", heard: func() {
		if err := s.Temporal.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}}
	err := use(t.Context(), s, flags{Keep: true}, dir, out)
	require.EqualError(t, err, "the development server of Temporal ended by itself; its log is in "+dir)
}

// TestHistoriesAreStoredForReplay reads back what a run of nothing but Temporal leaves.
func TestHistoriesAreStoredForReplay(t *testing.T) {
	t.Parallel()
	s, dir := halfUp(t)
	require.ErrorContains(t, demonstrate(t.Context(), s, flags{AtOnce: 1}, dir, &bytes.Buffer{}), "a worker writes it when it first starts")
	_, err := sealed.LoadOrCreate(filepath.Join(dir, "identity.txt"))
	require.NoError(t, err)
	client, err := s.Client(t.Context())
	require.NoError(t, err)
	require.NoError(t, client.Start(t.Context(), meterkey.Request{RequestID: "demo-1", Requester: "acme", Utility: "DEMO"}))

	kept := filepath.Join(t.TempDir(), "new", "histories")
	r := row{route: route{name: "DEMO, number code"}, id: "demo-1"}
	require.NoError(t, store(t.Context(), s, kept, []row{r}))
	history, err := devenv.ReadHistory(filepath.Join(kept, "v1", "demo-number-code.json.gz"))
	require.NoError(t, err)
	require.Equal(t, enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, history.GetEvents()[0].GetEventType())

	r.id = "demo-2"
	require.ErrorContains(t, store(t.Context(), s, kept, []row{r}), "storing the history of DEMO, number code: ")

	// A request whose run does not end is not as expected, however good its meters were.
	r.id = "demo-1"
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r.finish(ctx, s)
	require.ErrorContains(t, r.err, "waiting for the end of demo-1")
	require.Equal(t, "NOT AS EXPECTED", r.outcome())
}
