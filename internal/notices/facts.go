package notices

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/meterkey/meterkey"
)

// facts are what templates may say. Every text is one line.
type facts struct {
	RequestID string
	// Requester and Utility are names for people.
	Requester, Utility string
	// At is the utility where a sentence wants one by name: "your utility" as long as the customer has not chosen.
	At           string
	Website, FAQ string
	// Link is where the customer signs in.
	Link string
	// Customer is the customer's address, which the requester knows them by; empty when there is none.
	Customer string
	// Why is what this audience is told of the reason, Next what happens next; empty without a reason.
	Why, Next string
	// Left is the time until the deadline, such as "7 days"; empty without a deadline.
	Left string
	// Meters is a count with its noun, such as "1 meter".
	Meters    string
	MFAWasOff bool
}

func factsOf(n meterkey.Notice, u UtilityInfo, link func(string, time.Time) string, now time.Time) facts {
	reason := n.Reason.Text()
	f := facts{
		RequestID: line(n.Request.RequestID),
		Requester: line(cmp.Or(n.Request.RequesterName, n.Request.Requester)),
		Utility:   line(cmp.Or(u.Name, u.ID, n.Request.Utility, "utility")),
		At:        line(cmp.Or(u.Name, u.ID, n.Request.Utility, "your utility")),
		Website:   webAddress(u.Website),
		FAQ:       webAddress(u.FAQ),
		Link:      cmp.Or(webAddress(n.Request.Link), link(n.Request.RequestID, n.LinkedAt)),
		Customer:  line(n.Request.CustomerEmail),
		Why:       reason.Customer,
		Next:      reason.Next,
		Meters:    english.Plural(n.Meters, "meter", ""),
		MFAWasOff: n.MFAWasOff,
	}
	if n.To == meterkey.ToRequester {
		f.Why = reason.Requester
	}
	if n.Until != nil {
		f.Left = left(n.Until.Sub(now))
	}
	return f
}

// line keeps what others wrote from adding lines or paragraphs of its own.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// webAddress keeps only what a browser opens as a page.
func webAddress(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// left rounds down, so that no one comes too late; the few moments since the deadline was set do not count.
func left(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day-time.Hour:
		return english.Plural(int((d+time.Hour)/day), "day", "")
	case d >= 2*time.Hour-5*time.Minute:
		return english.Plural(int((d+5*time.Minute)/time.Hour), "hour", "")
	case d >= 30*time.Second:
		return english.Plural(int((d+30*time.Second)/time.Minute), "minute", "")
	}
	return ""
}
