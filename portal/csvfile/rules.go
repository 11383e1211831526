package csvfile

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxEmail = 254 // what mail systems carry
	maxText  = 200 // bytes of a name or nickname
)

// Rules say what a good row is.
type Rules struct {
	// Utility turns what people write into a utility's id. Its error says what would be right.
	Utility func(written string) (id string, err error)
	// Today is the first day on which a permission may end, in UTC.
	Today time.Time
}

// Check notes every mistake of the rows and turns utilities into their ids. A second row for the same customer at the same utility is a mistake of the
// later one.
func (f *File) Check(rules Rules) {
	seen := map[string]int{}
	for i := range f.Rows {
		row := &f.Rows[i]
		if len(row.Mistakes) > 0 {
			continue // its values stand under the wrong headings
		}
		row.check(rules)
		key := strings.ToLower(row.Email) + "\n" + row.Utility
		if first, again := seen[key]; again && row.Email != "" {
			row.mistake(Email, "stands on line %d already, for the same utility: remove one of the two", first)
			continue
		}
		seen[key] = row.Line
	}
}

func (r *Row) check(rules Rules) {
	if r.Email == "" {
		r.mistake(Email, "is missing: write the customer's address, as in name@example.com")
	} else if problem := EmailProblem(r.Email); problem != "" {
		r.mistake(Email, "%s", problem)
	}
	for field, value := range map[Field]string{Name: r.Name, Nickname: r.Nickname} {
		if problem := TextProblem(value); problem != "" {
			r.mistake(field, "%s", problem)
		}
	}
	if r.Utility != "" {
		id, err := rules.Utility(r.Utility)
		if err != nil {
			r.mistake(Utility, "%s", err)
		} else {
			r.Utility = id
		}
	}
	if problem := ExpiresProblem(r.Expires, rules.Today); problem != "" {
		r.mistake(Expires, "%s", problem)
	}
}

// EmailProblem says what is wrong with an e-mail address, or nothing.
func EmailProblem(address string) string {
	if len(address) > maxEmail {
		return "is longer than an e-mail address can be"
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || strings.ContainsAny(address, " \t\r\n<>,;\"") {
		return "is not an e-mail address such as name@example.com"
	}
	return ""
}

// TextProblem says what is wrong with a name or nickname, or nothing.
func TextProblem(text string) string {
	switch {
	case len(text) > maxText:
		return "is longer than 200 characters: shorten it"
	case !utf8.ValidString(text), strings.ContainsFunc(text, unicode.IsControl):
		return "must be one line of plain text"
	}
	return ""
}

// ExpiresProblem says what is wrong with the last day of a permission, or nothing. An empty day is none.
func ExpiresProblem(day string, today time.Time) string {
	if day == "" {
		return ""
	}
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "is not a day written as year-month-day, such as " + today.AddDate(1, 0, 0).Format(time.DateOnly)
	}
	if date.Before(today.Truncate(24 * time.Hour)) {
		return "is a day in the past: write a later one, or leave it empty"
	}
	return ""
}
