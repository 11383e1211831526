package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meterkey/meterkey/sandbox/devenv"
)

// store writes each request's history as <route>.json.gz, into the newest folder below dir that is not frozen.
func store(ctx context.Context, s *devenv.Environment, dir string, rows []row) error {
	if dir == "" {
		return nil
	}
	folder, err := devenv.HistoriesFolder(dir)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := s.SaveHistory(ctx, r.id, filepath.Join(folder, fileName(r.name))); err != nil {
			return fmt.Errorf("storing the history of %s: %w", r.name, err)
		}
	}
	return nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func fileName(route string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(route), "-"), "-") + ".json.gz"
}
