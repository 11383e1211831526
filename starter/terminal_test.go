package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStdinLinesHoldsExactlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
		err  string
	}{
		{"pat\norange\n", []string{"pat", "orange"}, ""},
		{"pat\r\n or ange ", []string{"pat", " or ange "}, ""},
		{"pat\norange\n\n\n", []string{"pat", "orange"}, ""},
		{"", nil, "standard input holds no lines, not 2 (give it a login)"},
		{"pat\n", nil, "standard input holds 1 line, not 2 (give it a login)"},
		{"a\nb\nc\n", nil, "standard input holds 3 lines, not 2 (give it a login)"},
		{"\norange\n", nil, "line 1 of standard input is empty (give it a login)"},
		{"pat\n \t \n", nil, "line 2 of standard input is empty (give it a login)"},
		{"\ufeffpat\r\norange\r\n", []string{"pat", "orange"}, ""},
		{"p\x00a\x00t\x00\no\x00r\x00", nil, "line 1 of standard input is no text in UTF-8 that could be typed (give it a login)"},
		{"pat\nor\x1b[Aange", nil, "line 2 of standard input is no text in UTF-8 that could be typed (give it a login)"},
		{"p\xe4t\norange", nil, "line 1 of standard input is no text in UTF-8 that could be typed (give it a login)"},
		{"pät\nörange 日本\n", []string{"pät", "örange 日本"}, ""},
	} {
		lines, err := stdinLines(strings.NewReader(c.text), 2, "a login")
		if c.err != "" {
			require.EqualError(t, err, c.err, c.text)
			continue
		}
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, lines)
	}
}

func TestStdinThatNeverEndsIsBounded(t *testing.T) {
	t.Parallel()
	_, err := stdinLines(endless{}, 1, "a code")
	require.EqualError(t, err, "standard input holds more than 64 KiB (give it a code)")
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestQuestionsEndWithTheirAnswerOrWithTheirContext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		err  error
		code int
	}{{"", io.EOF, exitInterrupted}, {"", nil, exitUsage}, {"  ", nil, exitUsage}, {"", errors.New("gone"), exitUnexpected}} {
		_, err := question(t.Context(), func() (string, error) { return c.text, c.err })
		require.Equal(t, c.code, explain(t.Context(), err).code)
	}
	text, err := question(t.Context(), func() (string, error) { return "yes", nil })
	require.NoError(t, err)
	require.Equal(t, "yes", text)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = question(ctx, func() (string, error) { select {} })
	require.ErrorIs(t, err, context.Canceled)
}
