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

// pageModel is all that a page is drawn from: what is known of one request at one moment, for one customer.
type pageModel struct {
	localizer
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
func (m *pageModel) page() string {
	status := m.State.Status
	switch {
	case status.Terminal():
		if status == meterkey.Connected {
			return "connected"
		}
		return "ended"
	case m.Declining && m.Declinable():
		return "decline"
	case m.Sent:
		return "waiting"
	}
	return m.pageFor(status)
}

func (m *pageModel) pageFor(status meterkey.Status) string {
	switch asked := m.State.Challenge != nil; {
	case status == meterkey.AwaitingLogin, status == meterkey.AwaitingMFAOff:
		return m.loginPage()
	case status == meterkey.AwaitingChoice && asked:
		return "choice"
	case status == meterkey.AwaitingCode && asked:
		return "code"
	}
	return "waiting"
}

func (m *pageModel) loginPage() string {
	switch {
	case m.Site == nil || m.Choosing:
		return "choose"
	case !m.Consented:
		return "consent"
	}
	return "sign_in"
}

// draw prepares the page for web.Pages.
func (m *pageModel) draw() (name string, page web.Page, err error) {
	name = m.page()
	page = web.Page{Lang: m.Lang, Key: m.key(), Scripts: []string{"customer.js"}, Styles: []string{"customer.css"}, Class: "customer", Data: m}
	if page.Title, err = m.Title(); err != nil {
		return name, page, err
	}
	if name == "waiting" {
		page.Refresh = refreshSeconds
	}
	if m.Live && !m.State.Status.Terminal() {
		page.Live = m.Address("/live")
	}
	return name, page, nil
}

// key tells pages apart that differ in what they show. What changes by itself, such as the time left, is not in it: a page
// is not to be replaced under a customer's hands without need.
func (m *pageModel) key() string {
	site := ""
	if m.Site != nil {
		site = m.Site.ID
	}
	sum := sha256.Sum256(fmt.Append(nil, m.page(), m.Lang, m.stamp(), m.State.Status, m.State.Reason, m.State.LinkedAt.UnixMicro(), site,
		m.Consented, m.Behind, m.challengeID()))
	return hex.EncodeToString(sum[:8])
}

// stamp names the moment at which the present status was entered. Forms carry it, so that one that was made for an earlier
// moment is told apart. Stored times are whole microseconds.
func (m *pageModel) stamp() string { return strconv.FormatInt(m.State.Since.UnixMicro(), 36) }

func (m *pageModel) challengeID() string {
	if m.State.Challenge == nil {
		return ""
	}
	return m.State.Challenge.ID
}

// Stamp is stamp, for forms.
func (m *pageModel) Stamp() string { return m.stamp() }

// Address is an address below the page's own that keeps the chosen utility.
func (m *pageModel) Address(below string) string {
	query := url.Values{}
	if !m.Named && m.Site != nil {
		query.Set("utility", m.Site.ID)
	}
	if m.Sent {
		query.Set("sent", m.version())
	}
	if len(query) == 0 {
		return m.Base + below
	}
	return m.Base + below + "?" + query.Encode()
}

// version names the state that something was sent at, see Sent.
func (m *pageModel) version() string {
	return strconv.FormatInt(m.State.LinkedAt.UnixMicro(), 36) + "-" + strconv.Itoa(m.State.Revision)
}

// OtherLanguage is the address of this page in the other language.
func (m *pageModel) OtherLanguage() (string, error) {
	code, err := m.T("other_language_code")
	if err != nil {
		return "", err
	}
	query := url.Values{"lang": {code}}
	if !m.Named && m.Site != nil {
		query.Set("utility", m.Site.ID)
	}
	return m.Base + "?" + query.Encode(), nil
}

// T says something about who asks, and of which utility, besides the facts that are given.
func (m *pageModel) T(id string, facts ...any) (string, error) {
	return m.localizer.T(id, append(facts, m.names()...)...)
}

// N says something of a number of things.
func (m *pageModel) N(id string, count int, facts ...any) (string, error) {
	return m.localizer.N(id, count, append(facts, m.names()...)...)
}

func (m *pageModel) names() []any {
	return []any{"Requester", m.Requester, "Utility", m.Utility()}
}

// Utility is how people call the utility.
func (m *pageModel) Utility() string {
	if m.Site != nil {
		return m.Site.Name
	}
	if m.State.Utility != "" {
		return m.State.Utility
	}
	name, err := m.localizer.T("your_utility")
	if err != nil {
		return ""
	}
	return name
}

// Title is the page's heading.
func (m *pageModel) Title() (string, error) {
	switch name := m.page(); name {
	case "waiting":
		return m.T("waiting." + m.Work())
	case "ended":
		return m.T(m.ending() + ".title")
	case "code":
		if m.State.Challenge.Kind == meterkey.SecurityAnswer {
			return m.T("code.title_question")
		}
		return m.T("code.title")
	case "sign_in":
		if m.MFAOff() {
			return m.T("mfa_off.title")
		}
		return m.T("sign_in.title")
	default:
		return m.T(name + ".title")
	}
}

// Work names what is being done while the customer waits.
func (m *pageModel) Work() string {
	switch {
	case m.Sent:
		return "received"
	case m.State.Status == meterkey.SigningIn && m.State.Reason == meterkey.UtilityUnavailable:
		return "unavailable"
	}
	return string(m.State.Status)
}

// ending names the messages for how the request ended: those of the reason, or of the status.
func (m *pageModel) ending() string {
	if m.State.Reason != "" {
		return "reason." + string(m.State.Reason)
	}
	return "status." + string(m.State.Status)
}

// Ending says how the request ended ("text"), or what comes next ("next").
func (m *pageModel) Ending(part string) (string, error) { return m.T(m.ending() + "." + part) }

// Because says a part of the reason why the customer is asked again: "title", "text" or "next". It is empty without one.
func (m *pageModel) Because(part string) (string, error) {
	if m.State.Reason == "" {
		return "", nil
	}
	return m.T("reason." + string(m.State.Reason) + "." + part)
}
