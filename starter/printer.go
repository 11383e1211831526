package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/dustin/go-humanize/english"
	"golang.org/x/term"

	"github.com/meterkey/meterkey"
)

// printer writes to one stream, in colour where that is a terminal. It keeps the first error, to be looked at once.
type printer struct {
	w      io.Writer
	tty    bool
	colour bool
	err    error
}

func newPrinter(w io.Writer, plain bool) *printer {
	tty := isTerminal(w)
	return &printer{w: w, tty: tty, colour: tty && !plain}
}

// width is how many columns a line has.
func (p *printer) width() int {
	if file, ok := p.w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

func (p *printer) linef(format string, args ...any) { p.printf(format+"\n", args...) }

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// json writes one JSON document, indented for a terminal and on one line for a machine.
func (p *printer) json(document any) {
	encoder := json.NewEncoder(p.w)
	encoder.SetEscapeHTML(false)
	if p.tty {
		encoder.SetIndent("", "  ")
	}
	if p.err == nil {
		p.err = encoder.Encode(document)
	}
}

// The few styles there are.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p *printer) in(style, text string) string {
	if !p.colour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// status is a status in the colour of who has to act.
func (p *printer) status(s meterkey.Status) string {
	switch {
	case s == meterkey.Connected:
		return p.in(green, string(s))
	case s.Terminal():
		return p.in(red, string(s))
	case s.WaitingOn() == meterkey.Customer:
		return p.in(yellow, string(s))
	default:
		return p.in(cyan, string(s))
	}
}

// table prints rows in columns under a heading. Columns in which no row has anything are left out; without rows
// there is no heading.
func (p *printer) table(heading []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	width := make([]int, len(heading))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], ansi.StringWidth(cell))
		}
	}
	titles := make([]string, len(heading))
	for i, title := range heading {
		if width[i] > 0 {
			width[i] = max(width[i], len(title))
		}
		titles[i] = p.in(bold, title)
	}
	for _, row := range append([][]string{titles}, rows...) {
		p.linef("%s", strings.TrimRight(align(row, width), " "))
	}
}

func align(row []string, width []int) string {
	var line strings.Builder
	for i, cell := range row {
		if width[i] == 0 {
			continue
		}
		line.WriteString(cell)
		line.WriteString(strings.Repeat(" ", width[i]-ansi.StringWidth(cell)+2))
	}
	return line.String()
}

// facts prints names and values in two columns, leaving out what is empty.
func (p *printer) facts(pairs ...[2]string) {
	width := 0
	for _, pair := range pairs {
		if pair[1] != "" {
			width = max(width, len(pair[0]))
		}
	}
	for _, pair := range pairs {
		if pair[1] != "" {
			p.linef("%s  %s", p.in(dim, fmt.Sprintf("%-*s", width, pair[0])), pair[1])
		}
	}
}

// clock is a time as people read it on the spot: today's without the date.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2006-01-02 15:04")
}

// left is the time that remains, as a countdown: 9:41, 3:09:41, 6 days.
func left(until, now time.Time) string {
	d := max(until.Sub(now), 0).Round(time.Second)
	hours, minutes, seconds := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case hours >= 48:
		return fmt.Sprintf("%d days", hours/24)
	case hours > 0:
		return fmt.Sprintf("%d:%02d:%02d", hours, minutes, seconds)
	default:
		return fmt.Sprintf("%d:%02d", minutes, seconds)
	}
}

// count is a number with its noun: 1 meter, 2 meters, no meters.
func count(n int, noun string) string {
	if n == 0 {
		return "no " + english.PluralWord(n, noun, "")
	}
	return english.Plural(n, noun, "")
}
