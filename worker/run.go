package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/activities"
	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/internal/logging"
	"github.com/meterkey/meterkey/internal/notices"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/sealed"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/internal/webhook"
	"github.com/meterkey/meterkey/utilities"
)

const usage = `Runs data requests: their workflows, and their activities in the browser beside it.

Everything is set by environment variables; docs/configuration.md lists them. Of use first:

  TEMPORAL_ADDRESS   where Temporal is (default localhost:7233)
  MK_HOME            folder of what is kept between runs (default .meterkey)
  MK_WINDOWS         how many browser windows may be open at once (default 20)

Stop it with SIGTERM: it leaves logins and workflows to other workers, serves its open windows to their end, and exits.`

// errHelp tells that help was asked for and printed.
var errHelp = errors.New("help printed")

// run is the process; env nil is the process's own environment.
func run(ctx context.Context, args []string, env envconfig.EnvLookup, stdout, stderr io.Writer) error {
	if err := parse(args, stdout); err != nil {
		if errors.Is(err, errHelp) {
			return nil
		}
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
	return serve(ctx, settings, log)
}

func parse(args []string, stdout io.Writer) error {
	helped := false
	parser, err := kong.New(&struct{}{}, kong.Name("worker"), kong.Description(usage), kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { helped = true }))
	if err != nil {
		return fmt.Errorf("building the command line: %w", err)
	}
	_, err = parser.Parse(args)
	if helped {
		return errHelp
	}
	if err != nil {
		return fmt.Errorf("%w; see worker --help", err)
	}
	return nil
}

// serve runs until ctx ends, then drains.
func serve(ctx context.Context, settings config.Config, log *zap.Logger) error {
	clock := &activities.Clock{Log: log}
	in, err := openBrowser(ctx, settings, clock, log)
	if err != nil {
		return err
	}
	defer disconnect(in.Host, log)
	if in.Notifier, err = openNotifier(settings, in.Utilities, clock, log); err != nil {
		return err
	}
	database, err := store.Open(ctx, store.Options{URL: settings.DatabaseURL, File: settings.DatabaseFile, Now: clock.Now})
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer database.Close() //nolint:errcheck // all that was written is committed
	temporal, _, err := settings.TemporalClient(ctx, log, clock.Intercept)
	if err != nil {
		return err
	}
	defer temporal.Close()
	in.Recorder = &activities.Recorder{Store: database, Webhooks: &webhook.Starter{Temporal: temporal, Store: database, Log: log}, Log: log}
	in.Notifier.Recorder, in.Presence = in.Recorder, database
	return work(ctx, temporal, in, settings.BuildNumber, log)
}

func openBrowser(ctx context.Context, settings config.Config, clock *activities.Clock, log *zap.Logger) (*activities.BrowserActivities, error) {
	catalog, err := utilities.Load(settings.UtilitiesDir)
	if err != nil {
		return nil, fmt.Errorf("loading utilities: %w", err)
	}
	origins, err := utilities.LoadOrigins(settings.OriginsFile)
	if err != nil {
		return nil, fmt.Errorf("loading origins: %w", err)
	}
	practice, err := utilities.LoadOrigins(settings.PracticeOriginsFile)
	if err != nil {
		return nil, fmt.Errorf("loading the practice origins: %w", err)
	}
	identity, err := sealed.LoadOrCreate(settings.IdentityFile)
	if err != nil {
		return nil, fmt.Errorf("loading the identity: %w", err)
	}
	host, err := browser.Open(ctx, browser.Options{
		Dir: settings.HostDir, Executable: settings.Chromium, Args: settings.ChromiumArgs, CDPURL: settings.CDPURL,
		Capacity: settings.Windows, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the browser: %w", err)
	}
	return &activities.BrowserActivities{Host: host, Utilities: catalog, Origins: origins, Practice: practice, Identity: identity,
		Evidence: activities.Evidence{Dir: settings.Evidence}, Now: clock.Now, Log: log}, nil
}

func openNotifier(settings config.Config, catalog *utilities.Catalog, clock *activities.Clock, log *zap.Logger) (*activities.Notifier, error) {
	key, err := portalkey.LoadOrCreate(settings.PortalKeyFile)
	if err != nil {
		return nil, err
	}
	sender, err := notices.New(notices.Options{
		SMTP: settings.SMTP, SMTPPasswordFile: settings.SMTPPasswordFile, From: settings.MailFrom, Outbox: settings.Outbox,
		Sent: filepath.Join(settings.Home, "sent"),
		Link: func(requestID string, linkedAt time.Time) string {
			return key.Link(settings.PortalURL, requestID, linkedAt)
		},
		Now: clock.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up notices: %w", err)
	}
	return &activities.Notifier{Utilities: catalog, Notices: sender, Log: log}, nil
}

func disconnect(host *browser.Host, log *zap.Logger) {
	if err := host.Disconnect(); err != nil {
		log.Warn("leaving the browser", zap.Error(err))
	}
}

// work runs the workers until ctx ends, and drains them.
func work(ctx context.Context, c client.Client, in *activities.BrowserActivities, build int, log *zap.Logger) error {
	w, err := startWorkers(c, in, build)
	if err != nil {
		return err
	}
	if build != 0 {
		defer newDeployment(c, build, log).follow(ctx)()
	}
	log.Info("worker ready", zap.String("host", in.Host.ID()), zap.Int("windows", in.Host.Capacity()),
		zap.Int("found_open", len(in.Host.Windows())), zap.String("recipient", in.Identity.Recipient()))
	select {
	case <-ctx.Done():
	case err := <-w.fatal:
		w.stop()
		return fmt.Errorf("a worker failed: %w", err)
	}
	drain(w, in, log, lookEvery)
	return nil
}

// lookEvery is how often a draining worker looks whether its windows have ended.
const lookEvery = time.Second
