package customer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/utilities"
)

// refreshSeconds is how often a browser without scripts looks again while the customer waits.
const refreshSeconds = 3

// sight is all that a page is drawn from: what is known of one request at one moment, for one customer.
type sight struct {
	speech
	// Base is the address of the customer's page, without a slash at its end.
	Base string
	// Requester is how the customer knows who asks.
	Requester string
	// Named tells that the requester named the utility, so that there is nothing to choose.
	Named bool
	// Site is the customer's utility, nil until one is chosen.
	Site *utilities.Utility
	// Expires is when the requester has to let go of the list; nil for a consent that lasts until it is withdrawn.
	Expires   *time.Time
	Consented bool
	State     meterkey.State
	// MeterCount counts the meters, also where State does not list them.
	MeterCount int
	// Behind: no worker answered, so State is what was stored last.
	Behind bool
	// Sent: what the customer sent at this state is on its way.
	Sent bool
	// Declining and Choosing are what the customer wants to see instead of the next step.
	Declining, Choosing bool
	// Query is what a utility is searched by, and Found what there is.
	Query string
	Found []*utilities.Utility
	// Wrong names the message of each field that was not filled in well.
	Wrong map[string]string
	Now   time.Time
	// Live: the page follows the request.
	Live bool
}

// page names the page that shows this.
func (s *sight) page() string {
	status := s.State.Status
	switch {
	case status.Terminal():
		if status == meterkey.Connected {
			return "connected"
		}
		return "ended"
	case s.Declining && s.Declinable():
		return "decline"
	case s.Sent:
		return "waiting"
	}
	return s.pageFor(status)
}

func (s *sight) pageFor(status meterkey.Status) string {
	switch asked := s.State.Challenge != nil; {
	case status == meterkey.AwaitingLogin, status == meterkey.AwaitingMFAOff:
		return s.loginPage()
	case status == meterkey.AwaitingChoice && asked:
		return "choice"
	case status == meterkey.AwaitingCode && asked:
		return "code"
	}
	return "waiting"
}

func (s *sight) loginPage() string {
	switch {
	case s.Site == nil || s.Choosing:
		return "choose"
	case !s.Consented:
		return "consent"
	}
	return "sign_in"
}

// draw prepares the page for web.Pages.
func (s *sight) draw() (name string, page web.Page, err error) {
	name = s.page()
	page = web.Page{Lang: s.Lang, Key: s.key(), Scripts: []string{"customer.js"}, Styles: []string{"customer.css"}, Class: "customer", Data: s}
	if page.Title, err = s.Title(); err != nil {
		return name, page, err
	}
	if name == "waiting" {
		page.Refresh = refreshSeconds
	}
	if s.Live && !s.State.Status.Terminal() {
		page.Live = s.Address("/live")
	}
	return name, page, nil
}

// key tells pages apart that differ in what they show. What changes by itself, such as the time left, is not in it: a page
// is not to be replaced under a customer's hands without need.
func (s *sight) key() string {
	site := ""
	if s.Site != nil {
		site = s.Site.ID
	}
	sum := sha256.Sum256(fmt.Append(nil, s.page(), s.Lang, s.stamp(), s.State.Status, s.State.Reason, s.State.LinkedAt.UnixMicro(), site,
		s.Consented, s.Behind, s.challengeID()))
	return hex.EncodeToString(sum[:8])
}

// stamp names the moment at which the present status was entered. Forms carry it, so that one that was made for an earlier
// moment is told apart. Stored times are whole microseconds.
func (s *sight) stamp() string { return strconv.FormatInt(s.State.Since.UnixMicro(), 36) }

func (s *sight) challengeID() string {
	if s.State.Challenge == nil {
		return ""
	}
	return s.State.Challenge.ID
}

// Stamp is stamp, for forms.
func (s *sight) Stamp() string { return s.stamp() }

// Address is an address below the page's own that keeps the chosen utility.
func (s *sight) Address(below string) string {
	query := url.Values{}
	if !s.Named && s.Site != nil {
		query.Set("utility", s.Site.ID)
	}
	if s.Sent {
		query.Set("sent", s.version())
	}
	if len(query) == 0 {
		return s.Base + below
	}
	return s.Base + below + "?" + query.Encode()
}

// version names the state that something was sent at, see Sent.
func (s *sight) version() string {
	return strconv.FormatInt(s.State.LinkedAt.UnixMicro(), 36) + "-" + strconv.Itoa(s.State.Revision)
}

// OtherLanguage is the address of this page in the other language.
func (s *sight) OtherLanguage() (string, error) {
	code, err := s.T("other_language_code")
	if err != nil {
		return "", err
	}
	query := url.Values{"lang": {code}}
	if !s.Named && s.Site != nil {
		query.Set("utility", s.Site.ID)
	}
	return s.Base + "?" + query.Encode(), nil
}

// T says something about who asks, and of which utility, besides the facts that are given.
func (s *sight) T(id string, facts ...any) (string, error) {
	return s.speech.T(id, append(facts, s.names()...)...)
}

// N says something of a number of things.
func (s *sight) N(id string, count int, facts ...any) (string, error) {
	return s.speech.N(id, count, append(facts, s.names()...)...)
}

func (s *sight) names() []any {
	return []any{"Requester", s.Requester, "Utility", s.Utility()}
}

// Utility is how people call the utility.
func (s *sight) Utility() string {
	if s.Site != nil {
		return s.Site.Name
	}
	if s.State.Utility != "" {
		return s.State.Utility
	}
	name, err := s.speech.T("your_utility")
	if err != nil {
		return ""
	}
	return name
}

// Title is the page's heading.
func (s *sight) Title() (string, error) {
	switch name := s.page(); name {
	case "waiting":
		return s.T("waiting." + s.Work())
	case "ended":
		return s.T(s.ending() + ".title")
	case "code":
		if s.State.Challenge.Kind == meterkey.SecurityAnswer {
			return s.T("code.title_question")
		}
		return s.T("code.title")
	case "sign_in":
		if s.MFAOff() {
			return s.T("mfa_off.title")
		}
		return s.T("sign_in.title")
	default:
		return s.T(name + ".title")
	}
}

// Work names what is being done while the customer waits.
func (s *sight) Work() string {
	switch {
	case s.Sent:
		return "received"
	case s.State.Status == meterkey.SigningIn && s.State.Reason == meterkey.UtilityUnavailable:
		return "unavailable"
	}
	return string(s.State.Status)
}

// ending names the messages for how the request ended: those of the reason, or of the status.
func (s *sight) ending() string {
	if s.State.Reason != "" {
		return "reason." + string(s.State.Reason)
	}
	return "status." + string(s.State.Status)
}

// Ending says how the request ended ("text"), or what comes next ("next").
func (s *sight) Ending(part string) (string, error) { return s.T(s.ending() + "." + part) }

// Because says a part of the reason why the customer is asked again: "title", "text" or "next". It is empty without one.
func (s *sight) Because(part string) (string, error) {
	if s.State.Reason == "" {
		return "", nil
	}
	return s.T("reason." + string(s.State.Reason) + "." + part)
}
