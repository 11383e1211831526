package main

import (
	"context"
	"encoding/csv"
	"fmt"

	"github.com/meterkey/meterkey"
)

type metersCmd struct {
	ID string `arg:"" help:"The request's id."`
}

// Help is the command's longer help.
func (metersCmd) Help() string {
	return `Prints the meter list of a connected request. What the utility's site does not show is left out.

  starter meters r-1042
  starter meters r-1042 -o csv > meters.csv
  starter meters r-1042 -o json | jq -r '.[].meter_number'`
}

// Run prints the meters, in the form asked for.
func (c *metersCmd) Run(ctx context.Context, a *app) error {
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	s, err := b.state(ctx, c.ID)
	if err != nil {
		return err
	}
	if s.Status != meterkey.Connected {
		return notNow(fmt.Sprintf("%s has no meter list: it stands at %s", s.RequestID, s.Status), next(s))
	}
	return a.showMeters(s.Meters)
}

func (a *app) showMeters(meters []meterkey.Meter) error {
	switch {
	case a.json:
		a.out.json(append([]meterkey.Meter{}, meters...))
	case a.csv:
		return a.csvMeters(meters)
	default:
		a.out.table([]string{"ACCOUNT", "METER", "SERVICE", "CLASS", "TARIFF", "STATUS", "ADDRESS"}, meterRows(meters))
	}
	return nil
}

func meterRows(meters []meterkey.Meter) [][]string {
	rows := make([][]string, len(meters))
	for i, m := range meters {
		rows[i] = []string{
			oneLine(m.AccountNumber), oneLine(m.MeterNumber), oneLine(m.ServiceIdentifier), oneLine(m.ServiceClass),
			oneLine(m.Tariff), oneLine(m.Status), oneLine(m.ServiceAddress),
		}
	}
	return rows
}

// csvMeters writes every field of every meter, under the names that JSON has for them.
func (a *app) csvMeters(meters []meterkey.Meter) error {
	w := csv.NewWriter(a.out.w)
	rows := [][]string{{"account_number", "meter_number", "service_identifier", "service_address", "service_class", "tariff", "status"}}
	for _, m := range meters {
		rows = append(rows, []string{
			m.AccountNumber, m.MeterNumber, m.ServiceIdentifier, m.ServiceAddress, m.ServiceClass, m.Tariff, m.Status,
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the meters: %w", err)
	}
	return nil
}
