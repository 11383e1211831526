package csvfile

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// formulaStarts are the characters by which spreadsheets take a value for a formula.
const formulaStarts = "=+-@\t\r\n"

// Write writes a file that spreadsheets open as UTF-8 and whose values are all EscapeFormula.
func Write(w io.Writer, heading []string, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, row := range append([][]string{heading}, rows...) {
		safe := make([]string, len(row))
		for i, value := range row {
			safe[i] = EscapeFormula(value)
		}
		if err := out.Write(safe); err != nil {
			return fmt.Errorf("writing the file: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	return nil
}

// EscapeFormula keeps spreadsheets from calculating a value that somebody else wrote: an apostrophe goes before what they
// would take for a formula.
func EscapeFormula(value string) string {
	if value != "" && strings.ContainsRune(formulaStarts, rune(value[0])) {
		return "'" + value
	}
	return value
}

// Template is a file to begin with.
func Template() [][]string {
	return [][]string{
		{"maria.lopez@example.com", "María López", "Roof, 12 Elm Street", "CONED", ""},
		{"sam@example.org", "Sam Okafor", "Audit 2041", "", ""},
	}
}
