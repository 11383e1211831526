package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// screen is an output that can be read while it is written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// begin runs the command until the test stops it; stop gives its error.
func begin(t *testing.T, args ...string) (stdout *screen, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, ended := &screen{}, make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), stdout, io.Discard) }()
	require.Eventually(t, func() bool { return stdout.String() != "" }, 3*time.Minute, 5*time.Millisecond)
	return stdout, sync.OnceValue(func() error { cancel(); return <-ended })
}

func TestServesUntilStopped(t *testing.T) {
	t.Parallel()
	out, stop := begin(t)
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.String())
	require.NotEmpty(t, address)
	health := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", nil)
		require.NoError(t, err)
		got, err := http.DefaultClient.Do(req)
		if err == nil {
			require.Equal(t, http.StatusOK, got.StatusCode)
			err = got.Body.Close()
		}
		return err
	}
	require.NoError(t, health())
	require.NoError(t, stop())
	require.Error(t, health(), "nothing listens any more")
}

func TestWritesTheOrigins(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "origins.yaml")
	out, stop := begin(t, "--origins-file", file, "--print-origins")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(raw), out.String())
	var pairs map[string]string
	require.NoError(t, yaml.Unmarshal(raw, &pairs))
	require.Regexp(t, `^http://coned\.localhost:\d+$`, pairs["https://www.coned.com"])
	require.IsIncreasing(t, strings.Split(strings.TrimSpace(string(raw)), "\n"))
	require.NoError(t, stop())
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "no", "such", "folder")
	for want, args := range map[string][]string{
		"not a loopback address": {"--listen", "0.0.0.0:0"},
		"unknown flag":           {"--lissten", "127.0.0.1:0"},
		"time: invalid duration": {"--slow", "long"},
		"writing the origins":    {"--listen", "127.0.0.1:0", "--origins-file", nowhere},
	} {
		require.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), want)
	}
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--help"}, &out, io.Discard))
	for _, want := range []string{"code@example.com", "MK_ORIGINS", "--origins-file", "--ends-after", "127.0.0.1:8420"} {
		require.Contains(t, out.String(), want)
	}
}
