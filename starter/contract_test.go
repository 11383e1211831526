package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/sandbox/devenv"
)

// ageTool stands in for the age command line tool, as far as docs/contract.md uses it: `age --recipient age1…` encrypts
// standard input to standard output.
func ageTool() {
	if err := encrypt(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "age:", err)
		os.Exit(1)
	}
}

func encrypt(args []string) error {
	if len(args) != 2 || args[0] != "--recipient" {
		return fmt.Errorf("usage: age --recipient age1…, not %q", args)
	}
	to, err := age.ParseX25519Recipient(args[1])
	if err != nil {
		return err
	}
	w, err := age.Encrypt(os.Stdout, to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, os.Stdin); err != nil {
		return err
	}
	return w.Close()
}

// TestContractByHand runs the example of docs/contract.md to the letter: a starter that has nothing of ours.
func TestContractByHand(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(filepath.Join("..", "docs", "contract.md"))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(manual), "```bash\n")
	require.True(t, found)
	example, _, _ := strings.Cut(after, "```")
	temporal, err := devenv.FindTemporal("")
	require.NoError(t, err)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "login.json"), []byte(`{"username": "code", "password": "orange"}`), 0o600))
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", example)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+shared.address, "recipient="+shared.recipient,
		"PATH="+filepath.Dir(temporal)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(rightCode + "\n")
	printed, err := cmd.CombinedOutput()
	require.NoError(t, err, string(printed))
	require.Contains(t, string(printed), `"meter_number": "E-17"`)
	require.NotContains(t, string(printed), "orange")
}
