package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meterkey/meterkey/internal/stack"
)

// store writes each request's history as dir/<route>.json.gz.
func store(ctx context.Context, s *stack.Stack, dir string, rows []row) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("storing histories: %w", err)
	}
	for _, r := range rows {
		if err := storeOne(ctx, s, filepath.Join(dir, fileName(r.name)), r.id); err != nil {
			return fmt.Errorf("storing the history of %s: %w", r.name, err)
		}
	}
	return nil
}

func storeOne(ctx context.Context, s *stack.Stack, file, id string) error {
	text, err := s.History(ctx, id)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(out)
	_, err = packed.Write(text)
	if err == nil {
		err = packed.Close()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func fileName(route string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(route), "-"), "-") + ".json.gz"
}
