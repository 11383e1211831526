package dashboard

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/imports"
)

// tone groups statuses by how urgent they look. Colour never says more than the words beside it.
type tone string

const (
	toneWaits  tone = "waits"  // a person has to act
	toneBusy   tone = "busy"   // a machine is at work
	toneGood   tone = "good"   // connected
	toneEnded  tone = "ended"  // over, as somebody wanted it
	toneFailed tone = "failed" // over, as nobody wanted it
)

// statusWords is how a requester's people read a status, and what happens next when no reason says more.
type statusWords struct {
	status meterkey.Status
	name   string
	tone   tone
	next   string
}

var statusTable = []statusWords{
	{meterkey.AwaitingLogin, "Waiting for sign-in", toneWaits,
		"The customer opens the link in their e-mail and signs in to their utility account."},
	{meterkey.SigningIn, "Signing in", toneBusy,
		"Meterkey is signing in at the utility's website. This usually takes a few seconds."},
	{meterkey.AwaitingChoice, "Waiting for a choice", toneWaits,
		"The customer chooses how the utility sends its code. Their sign-in stays open meanwhile."},
	{meterkey.AwaitingCode, "Waiting for a code", toneWaits,
		"The customer types what the utility asks for. Their sign-in stays open meanwhile."},
	{meterkey.SubmittingCode, "Checking the code", toneBusy,
		"The utility is checking what the customer typed."},
	{meterkey.AwaitingMFAOff, "MFA to be turned off", toneWaits,
		"The customer turns multi-factor authentication off at the utility and signs in again from the same link."},
	{meterkey.FetchingMeters, "Reading meters", toneBusy,
		"The customer is signed in. Meterkey is reading the list of meters."},
	{meterkey.Connected, "Connected", toneGood,
		"Nothing more is needed. The meters are below."},
	{meterkey.Declined, "Declined", toneEnded,
		"The customer said no. Speak with them before you send the request again."},
	{meterkey.Canceled, "Canceled", toneEnded,
		"This request was called off, and the customer was told. Resend it to open it again."},
	{meterkey.Expired, "Expired", toneEnded,
		"The customer did not act in time. Resend the request to give them seven more days."},
	{meterkey.Failed, "Failed", toneFailed,
		"This request could not be completed. Resend it to try again."},
}

// wordsFor is the row of a status. One that has no row yet, because the request is only now being started, is starting.
func wordsFor(s meterkey.Status) statusWords {
	for _, row := range statusTable {
		if row.status == s {
			return row
		}
	}
	return statusWords{s, "Starting", toneBusy, "The request is about to be sent to the customer."}
}

// actsWords says who must act, to the requester.
func actsWords(who meterkey.WaitingOn) string {
	switch who {
	case meterkey.Customer:
		return "The customer"
	case meterkey.Utility:
		return "The utility"
	case meterkey.Requester:
		return "You"
	case meterkey.Operator:
		return "Meterkey’s operators"
	case meterkey.Nobody:
	}
	return "Nobody"
}

// acts says who must act. A request that failed waits for nobody by itself; its reason tells who can mend it.
func acts(waitsOn meterkey.WaitingOn, s meterkey.Status, reason meterkey.Reason) meterkey.WaitingOn {
	if s == meterkey.Failed && reason != "" {
		return reason.Text().Acts
	}
	return waitsOn
}

// nextWords says what happens next: the reason's words while it still holds, or else the status's.
func nextWords(s meterkey.Status, reason meterkey.Reason) string {
	if text := reason.Text(); reason != "" && text.Next != "" && text.Leads == s {
		return text.Next
	}
	return wordsFor(s).next
}

// reasonWords says to the requester why a request went back or failed.
func reasonWords(reason meterkey.Reason) string {
	switch {
	case reason == "":
		return ""
	case reason.Text().Requester != "":
		return reason.Text().Requester
	case reason == meterkey.CodeRejected:
		return "The utility did not accept the code."
	}
	return reason.Text().Customer
}

// importWords is how people read the state of an import that is neither only looked at nor done, and what happens next.
func importWords(s imports.State) statusWords {
	switch s {
	case imports.Sending:
		return statusWords{name: "Sending the requests", next: "You may leave this page; it goes on without you."}
	case imports.Paused:
		return statusWords{name: "Paused", next: "Nothing more is sent until you resume."}
	case imports.Stopped:
		return statusWords{name: "Stopped", next: "The rest is not sent. To send it after all, upload the file again: who was sent a request is flagged then."}
	case imports.Done:
	}
	return statusWords{name: "Meterkey does not answer at the moment", next: "Nothing is lost: it goes on where it was, and nobody is sent a request twice."}
}

// outcomeWords is how people read what became of a row of an import.
func outcomeWords(o store.ImportOutcome, state imports.State) badge {
	switch o {
	case store.ImportBad:
		return badge{"To mend", toneFailed}
	case store.ImportOpen:
		return badge{"Asked already", toneWaits}
	case store.ImportSent:
		return badge{"Sent", toneGood}
	case store.ImportFailed:
		return badge{"Refused", toneFailed}
	case store.ImportReady:
	}
	switch state {
	case imports.Sending, imports.Paused:
		return badge{"Waiting its turn", toneBusy}
	case imports.Stopped:
		return badge{"Not sent", toneEnded}
	default:
		return badge{"Ready", toneGood}
	}
}

// lengthWords says how long something took, in its two largest units.
func lengthWords(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case d < time.Second:
		return "under 1 s"
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	}
	return fmt.Sprintf("%d s", seconds)
}

// agoWords says roughly how far a moment is from now, either way.
func agoWords(at, now time.Time) string {
	d := now.Sub(at)
	if d < 0 {
		return "in " + roughly(-d)
	}
	if d < time.Minute {
		return "just now"
	}
	return roughly(d) + " ago"
}

func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}

// thousands writes 12345 as 12,345.
func thousands(n int) string { return humanize.Comma(int64(n)) }

// count is a number with its noun: 1 meter, 1,250 meters.
func count(n int, noun string) string { return english.Plural(n, noun, "") }
