package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.temporal.io/sdk/contrib/envconfig"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/cmdline"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/store"
)

const usage = `Serves the customer's pages, the requester's API and dashboard, and delivers webhooks.

  portal                                         serve, on 127.0.0.1:8400 unless MK_PORTAL_LISTEN says otherwise
  portal requester add acme --name "Acme Solar"  somebody who may ask customers for access
  portal user add pat@acme.example --requester acme
                                                 somebody who signs in to acme's dashboard; asks for the password
  portal key add --requester acme                an API key; printed once

Everything else is set by environment variables; docs/configuration.md lists them. Of use first:

  MK_DATABASE_URL    a PostgreSQL database; without it, a SQLite file in MK_HOME (default .meterkey)
  MK_PORTAL_URL      where customers reach the portal (default http://127.0.0.1:8400)
  TEMPORAL_ADDRESS   where Temporal is (default localhost:7233)`

// cli is the grammar of the command line.
type cli struct {
	Serve     serveCmd     `cmd:"" default:"1" help:"Serve (the default)."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database's tables up to date; serving does so too."`
	Requester requesterCmd `cmd:"" help:"Who may ask customers for access."`
	User      userCmd      `cmd:"" help:"Who signs in to a requester's dashboard."`
	Key       keyCmd       `cmd:"" help:"API keys."`
	Redeliver redeliverCmd `cmd:"" help:"Deliver a webhook's delivery again."`
	Health    healthCmd    `cmd:"" help:"Tell whether the portal on MK_PORTAL_LISTEN is well: exit code 0, or 1 with the reason."`
}

// app is what every command works with.
type app struct {
	ctx      context.Context //nolint:containedctx // kong calls commands with one value
	settings config.Config
	log      *zap.Logger
	stdin    io.Reader
	stdout   io.Writer
}

// run is the process; env nil is the process's own environment.
func run(ctx context.Context, args []string, env envconfig.EnvLookup, stdin io.Reader, stdout, stderr io.Writer) error {
	command, err := cmdline.Parse("portal", usage, &cli{}, args, stdout)
	if command == nil {
		return err
	}
	settings, err := config.Load(env)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	log, err := logging.New(stderr, settings.LogLevel, settings.LogFormat)
	if err != nil {
		return err
	}
	for _, name := range settings.Unknown {
		log.Warn("unknown setting", zap.String("setting", name))
	}
	return command.Run(&app{ctx: ctx, settings: settings, log: log, stdin: stdin, stdout: stdout})
}

// openStore opens the database that the settings name, its tables up to date. Close it in the end.
func (a *app) openStore() (*store.Store, error) {
	if a.settings.DatabaseURL == "" {
		//nolint:gosec // the folder is shared with what others may read; the database itself is not
		if err := os.MkdirAll(filepath.Dir(a.settings.DatabaseFile), 0o755); err != nil {
			return nil, fmt.Errorf("making the database's folder: %w", err)
		}
	}
	s, err := store.Open(a.ctx, store.Options{URL: a.settings.DatabaseURL, File: a.settings.DatabaseFile})
	switch {
	case err == nil:
		return s, nil
	case a.settings.DatabaseURL != "":
		return nil, fmt.Errorf("%w; MK_DATABASE_URL names it", err)
	default:
		return nil, fmt.Errorf("%w; MK_DATABASE_FILE is %s", err, a.settings.DatabaseFile)
	}
}

// withStore does something with the database and closes it.
func (a *app) withStore(do func(*store.Store) error) error {
	s, err := a.openStore()
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}
