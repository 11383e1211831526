// Package typescript_test runs the TypeScript backend against the real stack: a worker with its browser, Temporal's
// development server and the practice utilities. What Temporal stores is encrypted, so that all of the contract is tried.
package typescript_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sdk"
)

// limit bounds one run of the backend, far above what any takes.
const limit = 3 * time.Minute

// backend is the compiled program and the stack that it talks to.
type backend struct {
	client  *sdk.Client
	program string
	env     []string
}

func TestBackend(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		id, utility, user string
		passes            []string
		meters            int
	}{
		{"code", "CONED", "code.ts@example.com", []string{"awaiting_code", "connected"}, 2},
		{"choice", "DEMO", "choice.ts@example.com", []string{"awaiting_choice", "awaiting_code", "connected"}, 1},
		{"compressed", "DEMO", "many-57.ts@example.com", []string{"connected"}, 57},
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			printed, said := b.run(t, true, c.id, c.utility, c.user, devenv.PracticePassword)
			for _, status := range c.passes {
				require.Contains(t, said, status+": ")
			}
			list := meters(t, printed)
			require.GreaterOrEqual(t, len(list), c.meters)
			require.Equal(t, b.state(t, c.id).Meters, list)
		})
	}
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		printed, said := b.run(t, false, "rejected", "DEMO", "wrong.ts@example.com", "not-the-password")
		require.Contains(t, said, "awaiting_login (invalid_credentials): ")
		require.Empty(t, meters(t, printed))
		require.NotContains(t, said, "not-the-password")
	})
}

// start compiles the backend and the worker, and starts the stack.
func start(t *testing.T) *backend {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	output(t, exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "../../worker"))
	compiled := compile(t)

	keys := filepath.Join(dir, "payload-keys")
	secret := make([]byte, 32)
	_, err := rand.Read(secret)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keys, fmt.Appendf(nil, "k1 %s\n", base64.StdEncoding.EncodeToString(secret)), 0o600))

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	home := filepath.Join(dir, "home")
	s, err := devenv.Up(ctx, devenv.Options{Bin: bin, Dir: home, Env: []string{"MK_PAYLOAD_KEYS=" + keys}})
	t.Cleanup(func() {
		bounded, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		require.NoError(t, s.Down(bounded))
	})
	require.NoError(t, err)
	_, err = s.StartWorker(ctx, "a")
	require.NoError(t, err)
	client, err := s.Client(ctx)
	require.NoError(t, err)
	return &backend{client, compiled, append(s.Env(), "PRACTICE_URL="+s.Practice.URL(), "MK_RECIPIENT="+filepath.Join(home, "identity.txt.pub"))}
}

// compile checks the types and compiles into dist, which finds its libraries beside it.
func compile(t *testing.T) string {
	t.Helper()
	compiler := filepath.Join("node_modules", "typescript", "bin", "tsc")
	require.FileExists(t, compiler, "run make setup, or npm ci in examples/typescript")
	output(t, exec.CommandContext(t.Context(), node(), compiler))
	return filepath.Join("dist", "main.js")
}

func node() string { return cmp.Or(os.Getenv("PLAYWRIGHT_NODEJS_PATH"), "node") }

func output(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
}

// run runs the backend for one customer and returns what it wrote to standard output and standard error.
func (b *backend) run(t *testing.T, succeeds bool, id, utility, user, password string) (printed []byte, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	login, err := json.Marshal(map[string]string{"username": user, "password": password})
	require.NoError(t, err)
	var out, side bytes.Buffer
	cmd := exec.CommandContext(ctx, node(), b.program, "--json", "--id", id, utility)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(login), &out, &side
	err = cmd.Run()
	require.Equal(t, succeeds, err == nil, side.String())
	return out.Bytes(), side.String()
}

func meters(t *testing.T, printed []byte) []meterkey.Meter {
	t.Helper()
	var list []meterkey.Meter
	require.NoError(t, json.Unmarshal(printed, &list), string(printed))
	return list
}

func (b *backend) state(t *testing.T, id string) meterkey.State {
	t.Helper()
	state, err := b.client.State(t.Context(), id)
	require.NoError(t, err)
	return state
}
