// Package cmdline reads the commands' arguments, for all of them alike.
package cmdline

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// Parse reads args into grammar, a struct as kong describes it. Where help is asked for, it is written to stdout, and the
// command is nil without an error. The error tells what is wrong with args and names the help; behind it stands a
// *kong.ParseError.
func Parse(name, about string, grammar any, args []string, stdout io.Writer, options ...kong.Option) (*kong.Context, error) {
	helped := false
	options = append([]kong.Option{kong.Name(name), kong.Description(about), kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { helped = true })}, options...)
	parser, err := kong.New(grammar, options...)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return nil, nil // nothing is wrong, and nothing is left to do
	case err != nil:
		return nil, fmt.Errorf("%w; see %s --help", err, name)
	}
	return command, nil
}
