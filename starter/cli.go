package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/meterkey/meterkey/internal/cmdline"
	"github.com/meterkey/meterkey/internal/config"
)

// cli is the grammar of the command line.
type cli struct {
	Output  string        `short:"o" enum:"text,json,csv" default:"text" placeholder:"FORMAT" help:"What to print: text for people, json for machines; meters also as csv."`
	NoColor bool          `help:"No colours. The environment's NO_COLOR says the same."`
	Timeout time.Duration `default:"15s" placeholder:"DURATION" help:"How long Temporal and a worker may take to answer (${default})."`

	Start  startCmd  `cmd:"" group:"ask" help:"Ask a customer for access to their account."`
	List   listCmd   `cmd:"" group:"ask" help:"List data requests."`
	Status statusCmd `cmd:"" group:"ask" help:"Tell where a data request stands."`
	Watch  watchCmd  `cmd:"" group:"ask" help:"Follow a data request to its end; answer it right there."`
	Meters metersCmd `cmd:"" group:"ask" help:"Print the meter list of a connected request."`
	Resend resendCmd `cmd:"" group:"ask" help:"Send the data request to the customer again, even after its end."`
	Cancel cancelCmd `cmd:"" group:"ask" help:"Call a data request off."`

	Login      loginCmd      `cmd:"" group:"answer" help:"Sign in to the utility account."`
	Choose     chooseCmd     `cmd:"" group:"answer" help:"Choose how the utility sends its code."`
	Code       codeCmd       `cmd:"" group:"answer" help:"Type the code, or the security answer, that the utility asks for."`
	ResendCode resendCodeCmd `cmd:"" group:"answer" help:"Have the utility send its code again."`
	Leave      leaveCmd      `cmd:"" group:"answer" help:"Leave without typing the code; the browser window is freed."`
	Decline    declineCmd    `cmd:"" group:"answer" help:"Say no to the data request."`

	Utilities utilitiesCmd `cmd:"" group:"utility" help:"List the utilities, or show what is known of one."`
	Check     checkCmd     `cmd:"" group:"utility" help:"Check a utility file."`
	Probe     probeCmd     `cmd:"" group:"utility" help:"Have a worker look at a utility's login page; type nothing."`
	Recipient recipientCmd `cmd:"" group:"utility" help:"Print the recipient that logins and codes are sealed to."`
}

const description = `Starts, follows and answers data requests.

A data request asks a utility's customer for access to their account: the customer signs in, types the code if the
utility asks for one, and the meter list is there.

  starter start DEMO --requester acme    ask; prints the request's id
  starter login r-1042                   sign in; the password is not echoed
  starter code r-1042                    type the code
  starter meters r-1042                  print the meter list

Logins and codes are read from the terminal or from standard input, never from arguments or the environment.
TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the profiles of the temporal tool say where Temporal is.

Exit codes: 0 done; 1 something unexpected; 2 bad usage or input; 3 no such request; 4 the request cannot take that now;
5 Temporal or the workers do not answer; 6 the request ended without connecting; 130 stopped by Ctrl-C.`

// app is what every command works with.
type app struct {
	json    bool
	csv     bool
	timeout time.Duration
	stdin   io.Reader
	out     *printer // standard output
	side    *printer // standard error, for progress and remarks
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := execute(ctx, args, stdin, stdout, stderr)
	if err == nil {
		return exitOK
	}
	f := explain(ctx, err)
	if line := f.line(); line != "" {
		fmt.Fprintln(stderr, "starter: "+line)
	}
	return f.code
}

func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var grammar cli
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := cmdline.Parse("starter", description, &grammar, args, stdout,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoAppDescFormat: true}), kong.ExplicitGroups([]kong.Group{
			{Key: "ask", Title: "The requester's side:"},
			{Key: "answer", Title: "The customer's side:"},
			{Key: "utility", Title: "What is known of the utilities:"},
		}))
	if command == nil {
		return usageError(err)
	}
	return dispatch(ctx, command, newApp(&grammar, stdin, stdout, stderr))
}

func newApp(grammar *cli, stdin io.Reader, stdout, stderr io.Writer) *app {
	plain := grammar.NoColor || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return &app{
		json:    grammar.Output == "json",
		csv:     grammar.Output == "csv",
		timeout: grammar.Timeout,
		stdin:   stdin,
		out:     newPrinter(stdout, plain),
		side:    newPrinter(stderr, plain),
	}
}

func dispatch(ctx context.Context, command *kong.Context, a *app) error {
	if a.csv && command.Selected().Name != "meters" {
		return badInput("-o csv is for meters alone", "-o json gives machines every answer")
	}
	if a.timeout <= 0 {
		return badInput(fmt.Sprintf("--timeout %s leaves no time", a.timeout), "for example --timeout 15s")
	}
	a.warnOfSettings()
	command.BindTo(ctx, (*context.Context)(nil))
	return errors.Join(command.Run(a), a.out.err)
}

// warnOfSettings names the variables that look like settings and are none.
func (a *app) warnOfSettings() {
	settings, _ := config.Load(nil) // a command that needs the settings tells what is wrong with them
	for _, sentence := range settings.Unknown {
		a.side.linef("starter: %s", sentence)
	}
}

// usageError turns a mistake in the command line into one line with the way to the help.
func usageError(err error) error {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	help := "starter --help"
	if parse.Context != nil && parse.Context.Selected() != nil {
		help = "starter " + parse.Context.Selected().Name + " --help"
	}
	return badInput(parse.Error(), help)
}

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
