package devenv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Histories of data requests are kept for ever, a file a route, in folders v1, v2 and so on of one folder. One of these that
// has a file SHA256SUMS, as the tool sha256sum writes it, is frozen: nothing in it may change.
const (
	historySuffix = ".json.gz"
	sumsFile      = "SHA256SUMS"
)

// HistoriesFolder returns the folder below dir into which histories go: the newest, or a new one where that is frozen or
// there is none.
func HistoriesFolder(dir string) (string, error) {
	newest := 0
	for exists(folder(dir, newest+1)) {
		newest++
	}
	if newest == 0 || exists(filepath.Join(folder(dir, newest), sumsFile)) {
		newest++
	}
	if err := os.MkdirAll(folder(dir, newest), 0o750); err != nil {
		return "", fmt.Errorf("making a folder of histories: %w", err)
	}
	return folder(dir, newest), nil
}

func folder(dir string, number int) string { return filepath.Join(dir, "v"+strconv.Itoa(number)) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// StoredHistories returns the files of all folders below dir. It is an error when there is none, when what is frozen is
// not as it was, or when any but the newest folder is not frozen.
func StoredHistories(dir string) ([]string, error) {
	folders, err := filepath.Glob(filepath.Join(dir, "v*"))
	if err != nil {
		return nil, fmt.Errorf("looking for histories: %w", err)
	}
	var files []string
	for number := range len(folders) {
		at := folder(dir, number+1)
		stored, err := filepath.Glob(filepath.Join(at, "*"+historySuffix))
		if err != nil || len(stored) == 0 {
			return nil, fmt.Errorf("there are %d folders of histories, and none in %s: %w", len(folders), at, errors.Join(err, fs.ErrNotExist))
		}
		if err := checkFrozen(at, stored, number+1 < len(folders)); err != nil {
			return nil, err
		}
		files = append(files, stored...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no histories in %s: %w", dir, fs.ErrNotExist)
	}
	return files, nil
}

// checkFrozen compares the files of a folder with its sums. Without sums it is not frozen, which is fine unless it must be.
func checkFrozen(at string, stored []string, must bool) error {
	frozen, err := readSums(filepath.Join(at, sumsFile))
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking the histories in %s: %w", at, err)
	}
	found, err := sums(stored)
	if err != nil {
		return fmt.Errorf("checking the histories in %s: %w", at, err)
	}
	var changed []string
	for name := range frozen {
		if found[name] != frozen[name] {
			changed = append(changed, name)
		}
		delete(found, name)
	}
	changed = slices.Sorted(slices.Values(slices.AppendSeq(changed, maps.Keys(found))))
	if len(changed) > 0 {
		return fmt.Errorf("the histories in %s are frozen, and these were changed, removed or added: %s", at, strings.Join(changed, ", "))
	}
	return nil
}

// readSums reads what sha256sum wrote: sums by file name.
func readSums(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	read := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		read[name] = sum
	}
	return read, nil
}

// sums are the files' sums by name.
func sums(files []string) (map[string]string, error) {
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		found[filepath.Base(file)] = hex.EncodeToString(sum[:])
	}
	return found, nil
}
