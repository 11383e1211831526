// Package csvfile reads and writes the comma separated files that people keep in spreadsheets.
//
// [Read] takes a file of customers to send data requests to: commas, semicolons or tabs, with or without a byte order
// mark, its columns in any order and under several names. What is wrong comes back row by row, with the line, the field and what would be right.
// [Write] writes files that a spreadsheet opens without taking a value for a formula.
package csvfile

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// MaxBytes is the size of the largest file that is read.
	MaxBytes = 4 << 20
	// MaxRows is how many customers one file may hold.
	MaxRows = 10_000
)

// Field names one of the columns that are understood.
type Field string

// The fields of a row.
const (
	Email    Field = "email"    // the customer's e-mail address, required
	Name     Field = "name"     // the customer's name
	Nickname Field = "nickname" // the requester's own word for the request
	Utility  Field = "utility"  // id, name or alias; empty lets the customer choose
	Expires  Field = "expires"  // the last day of the permission, 2027-12-31
)

// Row is one customer of the file.
type Row struct {
	Line     int // where the row begins in the file, from 1
	Email    string
	Name     string
	Nickname string
	Utility  string // as written; Rules turn it into an id
	Expires  string
	Mistakes []Mistake
}

// Mistake says what is wrong with one field of a row, and what would be right.
type Mistake struct {
	Field   Field
	Problem string
}

// File is what was read of a file.
type File struct {
	Rows []Row
	// Ignored are the headings of columns that mean nothing here.
	Ignored []string
}

// Good counts the rows without a mistake.
func (f File) Good() int {
	good := 0
	for _, row := range f.Rows {
		if len(row.Mistakes) == 0 {
			good++
		}
	}
	return good
}

// headings are the names under which a column is known, folded by foldHeading. The first one stands in the template.
var headings = map[Field][]string{
	Email:    {"email", "emailaddress", "mail", "customeremail", "customeremailaddress", "correo", "correoelectronico"},
	Name:     {"name", "customername", "fullname", "customer", "contact", "nombre"},
	Nickname: {"nickname", "reference", "ref", "project", "label", "note", "site"},
	Utility:  {"utility", "utilityid", "utilityname", "utilitycompany", "provider"},
	Expires:  {"expires", "expiry", "expirydate", "accessuntil", "until", "validuntil"},
}

// Columns lists the fields in the order of the template.
func Columns() []Field { return []Field{Email, Name, Nickname, Utility, Expires} }

// Read reads a file of customers. An error means that nothing of it can be used and says what to do; mistakes of single
// rows are in the rows.
func Read(data []byte) (File, error) {
	text, err := plainText(data)
	if err != nil {
		return File{}, err
	}
	text, skipped, separator := split(text)
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma, reader.FieldsPerRecord = separator, -1
	reader.TrimLeadingSpace = separator != '\t' // or an empty value would be taken for such space
	heading, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return File{}, errors.New("the file is empty: its first line names the columns, each further line is one customer")
	}
	if err != nil {
		return File{}, unreadable(err, skipped)
	}
	columns, ignored, err := readHeading(heading)
	if err != nil {
		return File{}, err
	}
	rows, err := readRows(reader, columns, skipped)
	return File{Rows: rows, Ignored: ignored}, err
}

// plainText keeps out what is no text file in UTF-8, with advice for the usual cases.
func plainText(data []byte) (string, error) {
	switch {
	case len(data) > MaxBytes:
		return "", fmt.Errorf("the file is larger than %d MB: split it into several", MaxBytes>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return "", errors.New("this is a spreadsheet, not a CSV file: in your spreadsheet program choose Save as, CSV UTF-8")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "", errors.New("the file is in UTF-16: save it as CSV UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("the file is not in UTF-8: save it as CSV UTF-8")
	}
	return string(data), nil
}

// split finds the separator: the one that Excel's own first line "sep=;" names, or the one that the headings use. Skipped is how
// many lines stand before the headings.
func split(text string) (rest string, skipped int, separator rune) {
	first, rest, _ := strings.Cut(text, "\n")
	switch strings.TrimRight(first, "\r") {
	case "sep=,":
		return rest, 1, ','
	case "sep=;":
		return rest, 1, ';'
	case "sep=\t":
		return rest, 1, '\t'
	}
	separator = ','
	for _, candidate := range ";\t" {
		if strings.Count(first, string(candidate)) > strings.Count(first, string(separator)) {
			separator = candidate
		}
	}
	return text, 0, separator
}

// readHeading says which field each column holds; "" for one that is ignored.
func readHeading(heading []string) (columns []Field, ignored []string, err error) {
	for _, title := range heading {
		field := fieldOf(title)
		if field == "" && strings.TrimSpace(title) != "" {
			ignored = append(ignored, strings.TrimSpace(title))
		}
		if field != "" && slices.Contains(columns, field) {
			return nil, nil, fmt.Errorf("two columns hold the %s: remove one of them", field)
		}
		columns = append(columns, field)
	}
	if !slices.Contains(columns, Email) {
		return nil, nil, errors.New(`no column is called "email": the first line of the file names the columns, as in the template`)
	}
	return columns, ignored, nil
}

func fieldOf(title string) Field {
	folded := foldHeading(title)
	for field, names := range headings {
		if slices.Contains(names, folded) {
			return field
		}
	}
	return ""
}

// foldHeading makes "E-mail address", "email_address" and "EmailAddress" one.
func foldHeading(title string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case strings.ContainsRune(" -_./:*\u00a0", c):
			return -1
		case c == 'ó':
			return 'o'
		case c == 'é':
			return 'e'
		}
		return c
	}, strings.ToLower(title))
}

func readRows(reader *csv.Reader, columns []Field, skipped int) ([]Row, error) {
	var rows []Row
	for {
		values, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, unreadable(err, skipped)
		}
		line, _ := reader.FieldPos(0)
		if row, blank := readRow(line+skipped, columns, values); !blank {
			rows = append(rows, row)
		}
		if len(rows) > MaxRows {
			return nil, fmt.Errorf("the file holds more than %d customers: split it into several", MaxRows)
		}
	}
	if len(rows) == 0 {
		return nil, errors.New("the file holds no customers: below the line of headings, each line is one")
	}
	return rows, nil
}

// readRow puts the values under their headings. A row without any value is blank: spreadsheets leave many.
func readRow(line int, columns []Field, values []string) (row Row, blank bool) {
	row, blank = Row{Line: line}, true
	into := map[Field]*string{
		Email: &row.Email, Name: &row.Name, Nickname: &row.Nickname, Utility: &row.Utility, Expires: &row.Expires,
	}
	for i, value := range values {
		value = strings.TrimSpace(value)
		blank = blank && value == ""
		switch {
		case i >= len(columns) && value != "":
			row.mistake(cmp.Or(columns[len(columns)-1], Email),
				"more values follow than there are headings; put a value that holds the separator into double quotes")
			return row, false
		case i < len(columns) && columns[i] != "":
			*into[columns[i]] = value
		}
	}
	return row, blank
}

func (r *Row) mistake(field Field, problem string, values ...any) {
	r.Mistakes = append(r.Mistakes, Mistake{Field: field, Problem: fmt.Sprintf(problem, values...)})
}

// unreadable puts the decoder's complaint into words. Skipped lines count too.
func unreadable(err error, skipped int) error {
	var wrong *csv.ParseError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("reading the file: %w", err)
	}
	if errors.Is(wrong.Err, csv.ErrQuote) && wrong.StartLine != wrong.Line {
		return fmt.Errorf("line %d: a double quote opens a value that is never closed: close it, or remove it", wrong.StartLine+skipped)
	}
	return fmt.Errorf(`line %d: a double quote stands inside a value: write it twice ("") and put the whole value into double quotes`, wrong.Line+skipped)
}
