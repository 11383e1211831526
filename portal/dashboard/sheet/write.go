package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// formulaStarts are the characters by which spreadsheets take a value for a formula.
const formulaStarts = "=+-@\t\r\n"

// Write writes a file that spreadsheets open as UTF-8 and whose values none of them calculates: a value that would be
// taken for a formula gets an apostrophe in front.
func Write(w io.Writer, heading []string, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, row := range append([][]string{heading}, rows...) {
		if err := out.Write(harmless(row)); err != nil {
			return fmt.Errorf("writing the file: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	return nil
}

func harmless(row []string) []string {
	safe := make([]string, len(row))
	for i, value := range row {
		if value != "" && strings.ContainsRune(formulaStarts, rune(value[0])) {
			value = "'" + value
		}
		safe[i] = value
	}
	return safe
}

// Template is a file to begin with.
func Template() [][]string {
	return [][]string{
		{"maria.lopez@example.com", "María López", "Roof, 12 Elm Street", "CONED", ""},
		{"sam@example.org", "Sam Okafor", "Audit 2041", "", ""},
	}
}
