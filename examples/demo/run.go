package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meterkey/meterkey/internal/cmdline"
	"github.com/meterkey/meterkey/sandbox/devenv"
	"github.com/meterkey/meterkey/sandbox/practice"
)

const usage = `Runs Meterkey on this machine: Temporal's development server, practice utilities, a worker and its browser, the portal.

Without flags it sends a data request down every route, prints a table, ends everything it started, and exits 0 only if
every row came out as expected. With --keep it sends none and keeps all of it up until Ctrl-C.`

type flags struct {
	Keep      bool   `help:"Keep the stack up until Ctrl-C instead of running the demonstration."`
	Only      string `help:"Run only the routes whose name contains this."`
	AtOnce    int    `default:"4" help:"How many requests go through side by side."`
	Histories string `placeholder:"DIR" help:"Also store each request's Temporal history there, for the replay tests."`
	Dir       string `placeholder:"DIR" help:"Keep databases, logs and notices there (default: a new folder, removed after success; with --keep .meterkey/run)."`
}

// downLimit bounds the clearing up.
const downLimit = 3 * time.Minute

func run(ctx context.Context, args []string, out io.Writer) error {
	var set flags
	if command, err := cmdline.Parse("demo", usage, &set, args, out); command == nil {
		return err
	}
	if err := set.check(); err != nil {
		return err
	}
	dir, err := folder(set)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Starting Temporal, the practice utilities, a worker with its browser, and the portal …")
	began := time.Now()
	s, err := up(ctx, dir)
	if err == nil {
		fmt.Fprintf(out, "Up after %.1f s. Temporal's Web UI: %s   practice utilities: %s\n\n", time.Since(began).Seconds(),
			s.Temporal.UIURL(), s.Practice.URL())
		err = use(ctx, s, set, dir, out)
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), downLimit)
	defer cancel()
	err = errors.Join(err, s.Down(bounded))
	return clear(err, set, dir)
}

// check finds what kong cannot.
func (f flags) check() error {
	if f.AtOnce < 1 {
		return errors.New("--at-once must be at least 1")
	}
	if len(chosen(routes(&visitor{}), f.Only, time.Time{})) == 0 {
		return noRoute(f.Only)
	}
	return nil
}

func noRoute(only string) error {
	var names strings.Builder
	for _, r := range routes(&visitor{}) {
		names.WriteString("\n  " + r.name)
	}
	return fmt.Errorf("--only: no route's name contains %q; they are:%s", only, names.String())
}

func folder(set flags) (string, error) {
	dir := set.Dir
	if dir == "" && set.Keep {
		dir = filepath.Join(".meterkey", "run")
	}
	if dir == "" {
		made, err := os.MkdirTemp("", "meterkey-demo-")
		if err != nil {
			return "", fmt.Errorf("making a folder: %w", err)
		}
		return made, nil
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the folder: %w", err)
	}
	return absolute, nil
}

// up starts the stack on the usual ports where they are free, else on others.
func up(ctx context.Context, dir string) (*devenv.Environment, error) {
	self, err := os.Executable()
	if err != nil {
		return &devenv.Environment{}, fmt.Errorf("finding the programs: %w", err)
	}
	s, err := devenv.Up(ctx, devenv.Options{
		Bin: filepath.Dir(self), Dir: dir,
		Temporal: devenv.TemporalOptions{Address: usual("127.0.0.1:7233"), UIPort: port(usual("127.0.0.1:8233"))},
		Practice: practice.Options{Addr: usual("127.0.0.1:8420")}, Portal: usual("127.0.0.1:8400"),
	})
	if err != nil {
		return s, err
	}
	if _, err = s.StartWorker(ctx, "a"); err == nil {
		_, err = s.StartPortal(ctx)
	}
	return s, err
}

func use(ctx context.Context, s *devenv.Environment, set flags, dir string, out io.Writer) error {
	if set.Keep {
		return keep(ctx, s, dir, out)
	}
	return demonstrate(ctx, s, set, dir, out)
}

// keep says how to use the stack, and waits for Ctrl-C.
func keep(ctx context.Context, s *devenv.Environment, dir string, out io.Writer) error {
	access, err := s.Grant(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `Dashboard:                %[1]s/dashboard/   (%[2]s, password: %[3]s)
API and its description:  %[1]s/api/v2   %[1]s/api/docs
A requester's API key:    %[4]s
Practice sites and inbox: %[5]s   %[5]s/inbox
Every page in every state: %[1]s/gallery
Watch data requests:      %[6]s
Notices (.eml files):     %[7]s

Ask a customer of CONED, in another shell, and open the url that it answers with:

  curl -s %[1]s/api/v2/forms -H 'Authorization: Bearer %[4]s' -H 'Content-Type: application/json' -d '{"utility": "CONED"}'

Sign in there as code.you@example.com with the password: practice. The code arrives in the practice inbox. Then:

  curl -s '%[1]s/api/v2/authorizations?include=meters' -H 'Authorization: Bearer %[4]s'

For the starter:
%[8]s
  bin/starter start CONED --requester %[9]s --customer-email you@example.com --watch

Ctrl-C ends everything.
`, access.PortalURL, access.Email, access.Password, access.Key, s.Practice.URL(), s.Temporal.UIURL(), filepath.Join(dir, "outbox"),
		exports(s.Env()), devenv.RequesterUID)
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nEnding …")
		return nil
	case <-s.Temporal.Done():
		return fmt.Errorf("the development server of Temporal ended by itself; its log is in %s", dir)
	}
}

func exports(env []string) string {
	var lines strings.Builder
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&lines, "  export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	return strings.TrimSuffix(lines.String(), "\n")
}

// clear removes the folder that was made for this run, unless something in it may explain an error.
func clear(err error, set flags, dir string) error {
	switch {
	case set.Dir != "" || set.Keep:
		return err
	case err != nil:
		return fmt.Errorf("%w\n(logs, notices and databases are kept in %s)", err, dir)
	}
	return os.RemoveAll(dir)
}
