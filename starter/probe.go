package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/meterkey/meterkey/internal/browser"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/utilities"
)

const (
	// probeLimit covers the start of a browser and a login page that renders late.
	probeLimit = 2 * time.Minute
	// shutdownLimit covers the end of that browser, whatever ended the probe.
	shutdownLimit = time.Minute
)

type probeCmd struct {
	Utility string `arg:"" help:"The utility."`
}

// Help is the command's longer help.
func (probeCmd) Help() string {
	return `Opens the utility's login page in a headless Chromium of its own and says which of the file's fields stand on it. Nothing
is typed and nothing is sent, so that fields of a later page count as missing. MK_ORIGINS replaces addresses by practice sites'. Takes two minutes at most.

  starter probe CONED
  MK_ORIGINS=origins.yaml starter probe CONED -o json`
}

// Run looks at the page.
func (c *probeCmd) Run(ctx context.Context, a *app) error {
	u, settings, err := findUtility(c.Utility)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	a.progress("Opening the login page of "+u.Name, 0)
	found, err := probe(ctx, u, settings)
	a.progress("", 0)
	if err != nil {
		return err
	}
	return a.showFields(u, found)
}

// probe looks at a login page in a browser that starts and ends with it, in a folder of its own.
func probe(ctx context.Context, u *utilities.Utility, settings config.Config) (found []utilities.FieldFound, err error) {
	origins, err := utilities.LoadOrigins(settings.OriginsFile)
	if err != nil {
		return nil, badInput(err.Error(), "MK_ORIGINS names the file")
	}
	dir, err := os.MkdirTemp("", "meterkey-probe-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the browser: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	host, err := browser.Open(ctx, browser.Options{Dir: dir, Executable: settings.Chromium, Args: settings.ChromiumArgs, Capacity: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, shutdown(ctx, host)) }()
	window, err := host.OpenWindow(ctx, "probe", time.Now().Add(probeLimit))
	if err != nil {
		return nil, err
	}
	defer window.Claim()()
	return u.Probe(ctx, window.Page(), origins)
}

func shutdown(ctx context.Context, host *browser.Host) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	return host.Shutdown(ctx)
}

// fieldFacts is one field of a login page, for machines.
type fieldFacts struct {
	Field    string `json:"field"`
	Selector string `json:"selector"`
	Found    bool   `json:"found"`
}

func (a *app) showFields(u *utilities.Utility, found []utilities.FieldFound) error {
	fields, rows, there := []fieldFacts{}, [][]string{}, 0
	for _, f := range found {
		fields = append(fields, fieldFacts(f))
		mark := a.out.in(red, "missing")
		if f.Found {
			there++
			mark = a.out.in(green, "found")
		}
		rows = append(rows, []string{f.Field, mark, oneLine(f.Selector)})
	}
	if a.json {
		a.out.json(fields)
	} else {
		a.out.table([]string{"FIELD", "", "LOOKED FOR"}, rows)
	}
	switch {
	case there == 0:
		return &failure{exitUnexpected, "no field of " + u.ID + " is on its login page", "mend " + u.File}
	case there < len(found):
		a.side.linef("Fields that come after the user name was sent cannot be found by looking.")
	}
	return nil
}
