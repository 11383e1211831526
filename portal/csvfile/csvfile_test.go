package csvfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var rules = Rules{
	Today: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	Utility: func(written string) (string, error) {
		if strings.EqualFold(written, "coned") || strings.EqualFold(written, "con edison") {
			return "CONED", nil
		}
		return "", errors.New("no utility is called that; did you mean CONED?")
	},
}

func TestReadUnderstandsTheFilesThatProgramsWrite(t *testing.T) {
	t.Parallel()
	ana := Row{Line: 2, Email: "ana@example.com", Name: "Ana, Ltd", Utility: "CONED"}
	for name, text := range map[string]string{
		"commas":                  "email,name,utility\nana@example.com,\"Ana, Ltd\",CONED\n",
		"semicolons":              "email;name;utility\nana@example.com;Ana, Ltd;CONED\n",
		"tabs":                    "email\tname\tutility\nana@example.com\tAna, Ltd\tCONED",
		"byte order mark":         "\ufeffemail,name,utility\r\nana@example.com,\"Ana, Ltd\",CONED\r\n",
		"other order":             "utility,email,name\nCONED,ana@example.com,\"Ana, Ltd\"\n",
		"other names":             "Customer E-mail;Full Name;Utility ID\nana@example.com;Ana, Ltd;CONED\n",
		"spaces around":           "email , name , utility \n ana@example.com , \"Ana, Ltd\", CONED \n",
		"a column more":           "email,colour,name,utility\nana@example.com,red,\"Ana, Ltd\",CONED\n",
		"blank rows":              "email,name,utility\nana@example.com,\"Ana, Ltd\",CONED\n,,\n\n,,,,\n",
		"headings without a name": "email,name,utility,,\nana@example.com,\"Ana, Ltd\",CONED,,\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := Read([]byte(text))
			require.NoError(t, err)
			require.Equal(t, []Row{ana}, file.Rows)
		})
	}
}

// Spreadsheets write nothing between two separators where a cell is empty; whatever the separator, the values after it
// stay under their headings.
func TestReadKeepsValuesUnderTheirHeadings(t *testing.T) {
	t.Parallel()
	for _, separator := range []string{",", ";", "\t"} {
		text := strings.ReplaceAll("email|name|nickname|utility\na@example.com|||CONED\n|Ana||\n", "|", separator)
		file, err := Read([]byte(text))
		require.NoError(t, err)
		require.Equal(t, []Row{{Line: 2, Email: "a@example.com", Utility: "CONED"}, {Line: 3, Name: "Ana"}}, file.Rows, "%q", separator)
	}
}

// A row with more values than headings says so of a column that means something, even where the last one does not.
func TestReadNamesAColumnWhenValuesAreTooMany(t *testing.T) {
	t.Parallel()
	file, err := Read([]byte("email,colour\na@example.com,red,blue,,\nb@example.com,red,,,\n"))
	require.NoError(t, err)
	require.Len(t, file.Rows, 2)
	require.Len(t, file.Rows[0].Mistakes, 1)
	require.Equal(t, Email, file.Rows[0].Mistakes[0].Field)
	require.Contains(t, file.Rows[0].Mistakes[0].Problem, "double quotes")
	require.Empty(t, file.Rows[1].Mistakes, "empty cells behind the last heading are nothing")
}

// The first line that Excel itself writes names the separator; headings are found in every way that people write them.
func TestReadFindsSeparatorAndHeadings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"sep=,\nemail,name\na@example.com,Ana;Bea\n", "sep=;\r\nemail;name\r\na@example.com;Ana;\r\n", "sep=\t\nemail\tname\na@example.com\tAna\n",
		"Correo electrónico,Nombre\na@example.com,Ana\n", "E_MAIL-Address*,Full.Name\na@example.com,Ana\n", "  Customer e-mail: ,customer name\na@example.com,Ana\n",
		"\ufeff\"email\",\"name\"\r\n\"a@example.com\",\"Ana\"\r\n",
	} {
		file, err := Read([]byte(text))
		require.NoError(t, err, "%q", text)
		require.Len(t, file.Rows, 1, "%q", text)
		require.Equal(t, "a@example.com", file.Rows[0].Email, "%q", text)
		require.Contains(t, file.Rows[0].Name, "Ana", "%q", text)
		require.Empty(t, file.Ignored, "%q", text)
	}
}

func TestReadCountsLinesAsTheEditorDoes(t *testing.T) {
	t.Parallel()
	file, err := Read([]byte("sep=;\nemail;name\n\na@example.com;\"two\nlines\"\nb@example.com;B\n"))
	require.NoError(t, err)
	require.Len(t, file.Rows, 2)
	require.Equal(t, 4, file.Rows[0].Line)
	require.Equal(t, 6, file.Rows[1].Line)
}

func TestReadNamesTheColumnsItIgnores(t *testing.T) {
	t.Parallel()
	file, err := Read([]byte("email,shoe size,,colour\na@example.com,43,,red\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"shoe size", "colour"}, file.Ignored)
}

func TestReadSaysWhatToDoAboutAFileItCannotUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"empty":          {"", "the file is empty"},
		"heading only":   {"email,name\n\n,\n", "holds no customers"},
		"no e-mail":      {"name,utility\nAna,CONED\n", `no column is called "email"`},
		"twice":          {"email,mail\na@example.com,b@example.com\n", "two columns hold the email"},
		"a spreadsheet":  {"PK\x03\x04rest", "CSV UTF-8"},
		"UTF-16":         {"\xff\xfee\x00m\x00", "UTF-16"},
		"Latin 1":        {"email,name\na@example.com,Jos\xe9\n", "not in UTF-8"},
		"zero bytes":     {"email,name\na@example.com,\x00\n", "not in UTF-8"},
		"open quote":     {"email,name\na@example.com,\"Ana\nb@example.com,B\n", "line 2: a double quote opens a value"},
		"stray quote":    {"email,name\na@example.com,\"Ana\" Ltd\n", "line 2: a double quote stands inside"},
		"stray, skipped": {"sep=,\nemail,name\na@example.com,A\"na\n", "line 3: a double quote stands inside"},
		"quoted heading": {"\"email", "line 1: a double quote"},
		"too large":      {strings.Repeat("x", MaxBytes+1), "larger than 4 MB"},
		"too many":       {"email\n" + strings.Repeat("a@example.com\n", MaxRows+1), "more than 10000 customers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read([]byte(c.text))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestCheckNamesFieldAndRemedy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row   string
		field Field
		says  string
	}{
		"no e-mail":       {",Ana,,,", Email, "is missing"},
		"not an e-mail":   {"ana.example.com,,,,", Email, "name@example.com"},
		"a name inside":   {"Ana <ana@example.com>,,,,", Email, "name@example.com"},
		"two addresses":   {"a@example.com;b@example.com,,,,", Email, "name@example.com"},
		"endless":         {strings.Repeat("a", 300) + "@example.com,,,,", Email, "longer"},
		"long name":       {"a@example.com," + strings.Repeat("a", 201) + ",,,", Name, "shorten"},
		"two lines":       {"a@example.com,,\"a\nb\",,", Nickname, "one line"},
		"unknown utility": {"a@example.com,,,CONNED,", Utility, "did you mean CONED?"},
		"American date":   {"a@example.com,,,,12/31/2027", Expires, "2027-11-23"},
		"in the past":     {"a@example.com,,,,2026-11-22", Expires, "in the past"},
		"values too many": {"a@example.com,Ana, Ltd,x,CONED,2027-01-01", Expires, "double quotes"},
		"control":         {"a@example.com,A\x07na,,,", Name, "one line of plain text"},
		"not a day":       {"a@example.com,,,,2027-02-30", Expires, "2027-11-23"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := Read([]byte("email,name,nickname,utility,expires\n" + c.row + "\n"))
			require.NoError(t, err)
			file.Check(rules)
			require.Len(t, file.Rows, 1)
			require.Len(t, file.Rows[0].Mistakes, 1)
			require.Equal(t, c.field, file.Rows[0].Mistakes[0].Field)
			require.Contains(t, file.Rows[0].Mistakes[0].Problem, c.says)
			require.Zero(t, file.Good())
		})
	}
}

func TestCheckTurnsAliasesIntoIDsAndFlagsRepeats(t *testing.T) {
	t.Parallel()
	file, err := Read([]byte("email,utility,expires\nana@example.com,con edison,2026-11-23\nANA@example.com,CONED,\nana@example.com,,\n"))
	require.NoError(t, err)
	file.Check(rules)
	require.Equal(t, "CONED", file.Rows[0].Utility)
	require.Empty(t, file.Rows[0].Mistakes)
	require.Equal(t, []Mistake{{Email, "stands on line 2 already, for the same utility: remove one of the two"}}, file.Rows[1].Mistakes)
	require.Empty(t, file.Rows[2].Mistakes, "the customer chooses: another request")
	require.Equal(t, 2, file.Good())
}

func TestWriteLeavesNoFormula(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, Write(&out, []string{"a"}, [][]string{{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "plain", "", "a=b", "a \"quoted\", one"}}))
	text, found := strings.CutPrefix(out.String(), "\ufeff")
	require.True(t, found)
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "plain", "", "a=b", "a \"quoted\", one"}, rows[1])
}

// FuzzEscapeFormula: no text begins as a formula does, and every text is still there.
func FuzzEscapeFormula(f *testing.F) {
	f.Add("=cmd|'/c calc'!A0")
	f.Add("\n\"=1")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		safe := EscapeFormula(text)
		require.NotContains(t, formulaStarts, (safe + "x")[:1])
		require.Equal(t, text, strings.TrimPrefix(safe, strings.TrimSuffix(safe, text)))
		require.LessOrEqual(t, len(safe), len(text)+1)
	})
}

func TestWriteTellsOfAWriterThatFails(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 3} {
		require.ErrorContains(t, Write(&full{room}, []string{"a"}, nil), "writing the file")
	}
}

// full takes so many bytes and no more.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errors.New("no room")
	}
	f.room -= len(p)
	return len(p), nil
}

// What was written is read back by any reader of CSV, whatever is in it.
func TestWrittenTextsComeBack(t *testing.T) {
	t.Parallel()
	odd := []string{"\"", "a\"b", "a,b;c\td", " leading and trailing ", "Zoë Ærø 東京 ☀️", "two\nlines", "'quoted'", "\u200b", "a\x07b", "1e5", "00123"}
	var out bytes.Buffer
	require.NoError(t, Write(&out, make([]string, len(odd)), [][]string{odd, odd}))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, odd, rows[1])
	require.Equal(t, odd, rows[2])
}

// Every mistake of a row is named, not only the first.
func TestCheckNamesAllMistakesOfARow(t *testing.T) {
	t.Parallel()
	file, err := Read([]byte("email,name,nickname,utility,expires\nnobody,\"a\nb\"," + strings.Repeat("é", 101) + ",CONNED,soon\n"))
	require.NoError(t, err)
	file.Check(rules)
	fields := map[Field]bool{}
	for _, m := range file.Rows[0].Mistakes {
		fields[m.Field] = true
		require.NotEmpty(t, m.Problem)
	}
	require.Equal(t, map[Field]bool{Email: true, Name: true, Nickname: true, Utility: true, Expires: true}, fields)
}

func TestEmailProblem(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a@b.example", "o'hara+tag@example.co.uk", "ana@münchen.example", strings.Repeat("a", 242) + "@example.com"} {
		require.Empty(t, EmailProblem(good), good)
	}
	for _, bad := range []string{"", "a", "a@", "@b.example", "a b@c.example", "a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example",
		"<a@b.example>", "\"a\"@b.example", "a@b.example ", strings.Repeat("a", 243) + "@example.com"} {
		require.NotEmpty(t, EmailProblem(bad), "%q", bad)
	}
}

func TestTheTemplateIsGood(t *testing.T) {
	t.Parallel()
	var heading []string
	for _, column := range Columns() {
		heading = append(heading, string(column))
	}
	var out bytes.Buffer
	require.NoError(t, Write(&out, heading, Template()))
	file, err := Read(out.Bytes())
	require.NoError(t, err)
	file.Check(rules)
	require.Equal(t, len(Template()), file.Good())
	require.Empty(t, file.Ignored)
}

// FuzzRead: whatever is uploaded, reading it ends, never panics, and what is called good can be sent.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"email,name\na@example.com,Ana\n", "sep=;\nemail;utility\na@b.c;coned\n", "\ufeffmail\t\"x\ny\"\n1\t2\t3\n", "\"", "PK\x03\x04"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(data)
		if err != nil {
			require.Empty(t, file.Rows)
			return
		}
		require.NotEmpty(t, file.Rows)
		file.Check(rules)
		lines := strings.Count(string(data), "\n") + 1
		last := 1
		for _, row := range file.Rows {
			require.Greater(t, row.Line, last, "rows stand below the headings, in order")
			require.LessOrEqual(t, row.Line, lines)
			last = row.Line
			if len(row.Mistakes) == 0 {
				require.Empty(t, EmailProblem(row.Email))
				require.NotContains(t, row.Name+row.Nickname, "\n")
				require.Contains(t, []string{"", "CONED"}, row.Utility)
			}
		}
	})
}
