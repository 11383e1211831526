package customer

import (
	"fmt"
	"slices"

	"github.com/meterkey/meterkey"
)

// maxAddresses is how many addresses the connected page lists.
const maxAddresses = 6

// MFAOff tells whether the customer is asked to turn MFA off.
func (m *pageModel) MFAOff() bool { return m.State.Status == meterkey.AwaitingMFAOff }

// MFAWasOff tells whether the customer was asked to turn MFA off on the way.
func (m *pageModel) MFAWasOff() bool {
	return slices.ContainsFunc(m.State.Timeline, func(t meterkey.Moment) bool { return t.Status == meterkey.AwaitingMFAOff })
}

// FixAtSite tells whether the customer has something to do at the utility's own website first.
func (m *pageModel) FixAtSite() bool {
	switch m.State.Reason {
	case meterkey.AccountLocked, meterkey.PasswordExpired, meterkey.RegistrationUnfinished:
		return true
	default:
		return false
	}
}

// Declinable tells whether the customer can still say no.
func (m *pageModel) Declinable() bool {
	return !m.State.Status.Terminal() && m.State.Status != meterkey.FetchingMeters
}

// SentAgain tells whether the site has just been had to send another code.
func (m *pageModel) SentAgain() bool {
	t := m.State.Timeline
	return len(t) > 1 && m.State.Reason == "" && t[len(t)-1].Status == meterkey.AwaitingCode && t[len(t)-2].Status == meterkey.AwaitingCode
}

// SecondsLeft is how long the browser window still lives.
func (m *pageModel) SecondsLeft() int {
	return max(0, int(m.State.Challenge.ExpiresAt.Sub(m.Now).Seconds()))
}

// TimeLeft says so.
func (m *pageModel) TimeLeft() (string, error) {
	left := m.SecondsLeft()
	return m.T("time_left", "Minutes", left/60, "Seconds", fmt.Sprintf("%02d", left%60))
}

// CodePattern is what a browser lets through as a number code: the server takes the same.
func (m *pageModel) CodePattern() string {
	if digits := m.State.Challenge.Digits; digits > 0 {
		return fmt.Sprintf(`[\s\-]*(?:[0-9][\s\-]*){%d}`, digits)
	}
	return `[\s\-]*(?:[0-9][\s\-]*)+`
}

// Addresses lists the places that the meters serve, each once, up to maxAddresses.
func (m *pageModel) Addresses() []string {
	all := m.addresses()
	return all[:min(len(all), maxAddresses)]
}

// MoreAddresses is how many the list leaves out.
func (m *pageModel) MoreAddresses() int { return max(0, len(m.addresses())-maxAddresses) }

func (m *pageModel) addresses() []string {
	var all []string
	seen := map[string]bool{}
	for _, meter := range m.State.Meters {
		if meter.ServiceAddress != "" && !seen[meter.ServiceAddress] {
			seen[meter.ServiceAddress] = true
			all = append(all, meter.ServiceAddress)
		}
	}
	return all
}

// step is one of the steps shown above every page.
type step struct {
	Name string
	// State is "done", "now" or "" for one that is still to come.
	State string
}

// Steps shows how far the customer is.
func (m *pageModel) Steps() []step {
	names := []string{"agree", "sign_in", "confirm", "finish"}
	now := m.stepNow()
	steps := make([]step, len(names))
	for i, name := range names {
		steps[i].Name = name
		switch {
		case i < now || m.State.Status == meterkey.Connected:
			steps[i].State = "done"
		case i == now:
			steps[i].State = "now"
		}
	}
	return steps
}

func (m *pageModel) stepNow() int {
	switch m.page() {
	case "choose", "consent", "decline":
		return 0
	case "code", "choice":
		return 2
	case "connected":
		return 3
	}
	switch m.State.Status {
	case meterkey.SubmittingCode, meterkey.AwaitingCode, meterkey.AwaitingChoice:
		return 2
	case meterkey.FetchingMeters:
		return 3
	default:
		return 1
	}
}

// mistake is what is wrong with a field; an empty Text means nothing.
type mistake struct{ Field, Text string }

// Mistake says what is wrong with a field.
func (m *pageModel) Mistake(field string) (mistake, error) {
	id, ok := m.Wrong[field]
	if !ok {
		return mistake{Field: field}, nil
	}
	var text string
	var err error
	if digits := m.digits(); id == "code.digits" {
		text, err = m.N(id, digits)
	} else {
		text, err = m.T(id)
	}
	return mistake{Field: field, Text: text}, err
}

func (m *pageModel) digits() int {
	if m.State.Challenge == nil {
		return 0
	}
	return m.State.Challenge.Digits
}

// CodeMistake says what is wrong with the code: that it cannot be one, or that the utility did not accept it.
func (m *pageModel) CodeMistake() (string, error) {
	if m, err := m.Mistake("code"); err != nil || m.Text != "" {
		return m.Text, err
	}
	if m.State.Reason == meterkey.CodeRejected && m.State.Challenge.Kind == meterkey.SecurityAnswer {
		return m.T("code.rejected_question") // the table speaks of codes
	}
	return m.Because("text")
}

// MaxLogin is how many characters a user name or password may have.
func (m *pageModel) MaxLogin() int { return maxLogin }

// MaxAnswer is how many characters a code or an answer may have.
func (m *pageModel) MaxAnswer() int { return maxAnswer }

// HelpPage is the utility's own page about turning MFA off and on; empty if it has none.
func (m *pageModel) HelpPage() string {
	if m.Site == nil {
		return ""
	}
	return m.Site.MFA.FAQ
}

// outside is a link to another site, which opens in a new tab.
type outside struct{ Address, Text, NewTab, Class string }

// Outside makes one.
func (m *pageModel) Outside(address, textID, class string) (outside, error) {
	text, err := m.T(textID)
	if err != nil {
		return outside{}, err
	}
	newTab, err := m.T("new_tab")
	return outside{Address: address, Text: text, NewTab: newTab, Class: class}, err
}
