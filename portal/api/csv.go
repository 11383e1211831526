package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/csvfile"
)

func csvHeading() []string {
	return []string{"uid", "authorization_uid", "created", "utility", "billing_account", "meter_number", "service_identifier",
		"service_address", "service_class", "service_tariff", "service_status", "is_archived"}
}

// csvFile answers with meters as a CSV file (RFC 4180, UTF-8).
func (a *API) csvFile(ctx context.Context, pages meterPages) *huma.StreamResponse {
	answer := a.stream(ctx, formatCSV+"; charset=utf-8", func(w io.Writer) error { return writeCSV(w, pages) })
	body := answer.Body
	answer.Body = func(c huma.Context) {
		c.SetHeader("Content-Disposition", `attachment; filename="meters.csv"`)
		body(c)
	}
	return answer
}

func writeCSV(w io.Writer, pages meterPages) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err := out.Write(csvHeading())
	for page, pageErr := range pages.all {
		if pageErr != nil {
			return fmt.Errorf("reading meters: %w", pageErr)
		}
		for _, m := range page {
			if err == nil {
				err = out.Write(csvRow(m))
			}
		}
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

func csvRow(m store.Meter) []string {
	row := []string{m.UID, m.AuthorizationUID, m.Created.UTC().Format(timeFormat), m.Utility, m.AccountNumber, m.MeterNumber,
		m.ServiceIdentifier, m.ServiceAddress, m.ServiceClass, m.Tariff, m.Status, fmt.Sprint(m.IsArchived)}
	for i, cell := range row {
		row[i] = csvfile.EscapeFormula(cell)
	}
	return row
}
