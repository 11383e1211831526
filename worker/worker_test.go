package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/browser"
)

// environment is a list of KEY=value.
type environment []string

func (e environment) Environ() []string { return e }

func (e environment) LookupEnv(name string) (string, bool) {
	for _, pair := range slices.Backward(e) {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value, true
		}
	}
	return "", false
}

func TestRun_HelpTeaches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--help"}, environment{}, &out, &out))
	for _, word := range []string{"TEMPORAL_ADDRESS", "MK_HOME", "MK_WINDOWS", "docs/configuration.md", "SIGTERM"} {
		require.Contains(t, out.String(), word)
	}
}

func TestRun_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		env  environment
		says string
	}{
		"an argument":        {args: []string{"--fast"}, says: "worker --help"},
		"a setting":          {env: environment{"MK_WINDOWS=many"}, says: "MK_WINDOWS: 'many'"},
		"utilities":          {env: environment{"MK_UTILITIES_DIR=/nowhere/at/all"}, says: "loading utilities"},
		"origins":            {env: environment{"MK_ORIGINS=/nowhere/at/all"}, says: "loading origins"},
		"a browser":          {env: environment{"MK_CHROMIUM=/nowhere/at/all"}, says: "opening the browser"},
		"the practice sites": {env: environment{"MK_PRACTICE_ORIGINS=/nowhere/at/all"}, says: "loading the practice origins"},
		"the identity":       {env: environment{"MK_IDENTITY_FILE=/dev/null"}, says: "loading the identity"},
		"a log level":        {env: environment{"MK_LOG_LEVEL=loud"}, says: "MK_LOG_LEVEL: 'loud' is none of debug, info, warn, error"},
		"the portal's key":   {env: environment{"MK_PORTAL_KEY_FILE=/dev/null"}, says: "/dev/null"},
		"the database":       {env: environment{"MK_DATABASE_URL=postgres://127.0.0.1:9/none"}, says: "opening the database"},
		"the payloads' keys": {env: environment{"MK_PAYLOAD_KEYS=/nowhere/at/all"}, says: "/nowhere/at/all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			env := append(environment{"MK_HOME=" + home}, c.env...)
			t.Cleanup(func() { require.NoError(t, browser.End(context.Background(), filepath.Join(home, "host"))) })
			var out bytes.Buffer
			err := run(t.Context(), c.args, withPlaywright(env), &out, &out)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestRun_WithoutTemporal(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	t.Cleanup(func() { require.NoError(t, browser.End(context.Background(), filepath.Join(home, "host"))) })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, nil, withPlaywright(environment{"MK_HOME=" + home, "TEMPORAL_ADDRESS=127.0.0.1:9"}), &out, &out)
	require.ErrorContains(t, err, "connecting to Temporal at 127.0.0.1:9")
	require.FileExists(t, filepath.Join(home, "identity.txt"), "what it made before stays")
}

// withPlaywright adds what the tests' own environment says of the browser.
func withPlaywright(env environment) environment {
	if _, named := env.LookupEnv("MK_CHROMIUM"); !named && os.Getenv("MK_CHROMIUM") != "" {
		env = append(env, "MK_CHROMIUM="+os.Getenv("MK_CHROMIUM"))
	}
	return env
}
