package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// runText runs a command line in this process and returns what it printed.
func runText(t *testing.T, args ...string) string {
	t.Helper()
	var out, side bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &side)
	require.Zero(t, code, side.String())
	return out.String()
}

func commandNames(t *testing.T) []string {
	t.Helper()
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	var names []string
	for _, node := range parser.Model.Children {
		names = append(names, node.Name)
	}
	require.NotEmpty(t, names)
	return names
}

func TestUsageErrorsAreOneLineWithTheWayOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		want string
	}{
		{"watsh", `starter: unexpected argument watsh, did you mean "watch"? (starter --help)`},
		{"login", `starter: expected "<id>" (starter login --help)`},
		{"start DEMO", "starter: missing flags: --requester=ID (starter start --help)"},
		{"status r-1 --verbose", "starter: unknown flag --verbose (starter status --help)"},
		{"status r-1 -o yaml", `starter: --output must be one of "text","json","csv" but got "yaml" (starter status --help)`},
		{"status r-1 -o csv", "starter: -o csv is for meters alone (-o json gives machines every answer)"},
		{"status r-1 --timeout 0s", "starter: --timeout 0s leaves no time (for example --timeout 15s)"},
		{"list --limit 0", "starter: --limit 0 lists nothing (1 or more)"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			var out, side bytes.Buffer
			code := run(t.Context(), strings.Fields(c.args), strings.NewReader(""), &out, &side)
			require.Equal(t, exitUsage, code)
			require.Equal(t, c.want+"\n", side.String())
			require.Empty(t, out.String())
		})
	}
}

func TestNoSecretCanBeAnArgument(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			require.NotRegexp(t, "password|secret|username|code", flag.Name, command.Name)
			require.Empty(t, flag.Envs, command.Name)
		}
	}
}
