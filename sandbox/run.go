package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/meterkey/meterkey/internal/cmdline"
	"github.com/meterkey/meterkey/sandbox/practice"
)

const about = `Serves practice sites of the eleven utilities and one called DEMO, on this machine only.

The user name of an account decides what happens: plain@example.com signs in at once, code@example.com is asked for a
code, many-57@example.com has 57 accounts. The password is "practice". The front page, at the address given to --listen,
lists the sites, the kinds of account and the practice phones on which codes arrive.

Meterkey's workers reach these sites under the real addresses: give them the file of --origins-file as MK_ORIGINS.`

// flags are the command line.
type flags struct {
	Listen       string        `default:"127.0.0.1:8420" placeholder:"HOST:PORT" help:"Loopback address to listen on; port 0 picks a free one (${default})."`
	OriginsFile  string        `placeholder:"FILE" type:"path" help:"Write the pairs of real and practice origins here, as YAML, before serving."`
	PrintOrigins bool          `help:"Print the same pairs to standard output."`
	FormDelay    time.Duration `default:"250ms" help:"How late pages draw their forms, give or take."`
	Slow         time.Duration `default:"4s" help:"How late everything is for slow accounts."`
	EndsAfter    time.Duration `default:"8s" help:"When the site ends the session of an ends account, after the code was sent."`
	ResendAfter  time.Duration `default:"5s" help:"How soon a code can be sent again."`
	CodeLifetime time.Duration `default:"10m" help:"How long a code is good."`
	Verbose      bool          `short:"v" help:"Log more."`
}

// closeWithin bounds the wait for requests under way when the sandbox stops.
const closeWithin = 5 * time.Second

// run serves until the context ends. It writes what people read to stdout and its log to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var set flags
	if command, err := cmdline.Parse("sandbox", about, &set, args, stdout); command == nil {
		return err
	}
	server, err := practice.Start(ctx, practice.Options{
		Addr: set.Listen, Log: logger(stderr, set.Verbose), FormDelay: set.FormDelay, SlowDelay: set.Slow,
		EndsAfter: set.EndsAfter, ResendAfter: set.ResendAfter, CodeLifetime: set.CodeLifetime,
	})
	if err != nil {
		return err
	}
	err = announce(server, set, stdout)
	if err == nil {
		<-ctx.Done()
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	return errors.Join(err, server.Close(closing))
}

// announce writes the origins where they are wanted and tells where the front page is.
func announce(server *practice.Server, set flags, stdout io.Writer) error {
	pairs := originsYAML(server.Origins())
	if set.OriginsFile != "" {
		if err := os.WriteFile(set.OriginsFile, []byte(pairs), 0o600); err != nil {
			return fmt.Errorf("writing the origins: %w", err)
		}
	}
	out := "Practice utilities: " + server.URL() + "\n"
	if set.PrintOrigins {
		out = pairs
	}
	if _, err := io.WriteString(stdout, out); err != nil {
		return fmt.Errorf("writing the address: %w", err)
	}
	return nil
}

// originsYAML writes one pair a line, sorted by real origin.
func originsYAML(origins map[string]string) string {
	var lines []string
	for origin, replacing := range origins {
		lines = append(lines, fmt.Sprintf("%q: %q\n", origin, replacing))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func logger(stderr io.Writer, verbose bool) *zap.Logger {
	level := zapcore.InfoLevel
	if verbose {
		level = zapcore.DebugLevel
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.AddSync(stderr), level))
}
