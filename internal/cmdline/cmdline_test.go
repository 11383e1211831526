package cmdline_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/internal/cmdline"
)

type grammar struct {
	Loud bool `help:"Say it loudly."`
}

func TestParse_Reads(t *testing.T) {
	t.Parallel()
	var g grammar
	command, err := cmdline.Parse("say", "Says something.", &g, []string{"--loud"}, io.Discard)
	require.NoError(t, err)
	require.NotNil(t, command)
	require.True(t, g.Loud)
}

func TestParse_WritesHelpAndLeavesNothingToDo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	command, err := cmdline.Parse("say", "Says something.", &grammar{}, []string{"--help"}, &out)
	require.NoError(t, err)
	require.Nil(t, command)
	require.Contains(t, out.String(), "Says something.")
	require.Contains(t, out.String(), "--loud")
}

func TestParse_NamesTheHelp(t *testing.T) {
	t.Parallel()
	_, err := cmdline.Parse("say", "", &grammar{}, []string{"--quiet"}, io.Discard)
	require.EqualError(t, err, "unknown flag --quiet; see say --help")
	var parse *kong.ParseError
	require.ErrorAs(t, err, &parse)
	_, err = cmdline.Parse("say", "", grammar{}, nil, io.Discard)
	require.ErrorContains(t, err, "building the command line")
}
