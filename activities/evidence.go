package activities

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/meterkey/meterkey/utilities/flow"
)

// maxEvidence bounds what is kept: the newest tell as much about a changed site as all of them.
const maxEvidence = 200

// Evidence stores what operators need to mend a utility's file: a masked screenshot and an outline without values.
type Evidence struct{ Dir string }

// Save stores one piece of evidence and returns its name, a folder below Dir.
func (e Evidence) Save(utility string, seen flow.Evidence) (string, error) {
	name := fmt.Sprintf("%s-%s-%s", time.Now().UTC().Format("20060102T150405.000000"), strings.ToLower(utility), rand.Text()[:6])
	dir := filepath.Join(e.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("storing evidence: %w", err)
	}
	files := map[string][]byte{"outline.txt": []byte(seen.URL + "\n\n" + seen.Outline + "\n")}
	if len(seen.Screenshot) > 0 {
		files["page.png"] = seen.Screenshot
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			return "", fmt.Errorf("storing evidence: %w", err)
		}
	}
	return name, e.prune()
}

// prune removes the oldest beyond maxEvidence. Names begin with the time to the microsecond: a broken site fails many requests within a second.
func (e Evidence) prune() error {
	entries, err := os.ReadDir(e.Dir)
	if err != nil {
		return fmt.Errorf("listing evidence: %w", err)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for len(entries) > maxEvidence {
		if err := os.RemoveAll(filepath.Join(e.Dir, entries[0].Name())); err != nil {
			return fmt.Errorf("removing old evidence: %w", err)
		}
		entries = entries[1:]
	}
	return nil
}
