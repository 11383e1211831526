package customer

import (
	"fmt"
	"slices"

	"github.com/meterkey/meterkey"
)

// maxAddresses is how many addresses the connected page lists.
const maxAddresses = 6

// MFAOff tells whether the customer is asked to turn MFA off.
func (s *sight) MFAOff() bool { return s.State.Status == meterkey.AwaitingMFAOff }

// MFAWasOff tells whether the customer was asked to turn MFA off on the way.
func (s *sight) MFAWasOff() bool {
	return slices.ContainsFunc(s.State.Timeline, func(m meterkey.Moment) bool { return m.Status == meterkey.AwaitingMFAOff })
}

// FixAtSite tells whether the customer has something to do at the utility's own website first.
func (s *sight) FixAtSite() bool {
	switch s.State.Reason {
	case meterkey.AccountLocked, meterkey.PasswordExpired, meterkey.RegistrationUnfinished:
		return true
	default:
		return false
	}
}

// Declinable tells whether the customer can still say no.
func (s *sight) Declinable() bool {
	return !s.State.Status.Terminal() && s.State.Status != meterkey.FetchingMeters
}

// SentAgain tells whether the site has just been had to send another code.
func (s *sight) SentAgain() bool {
	t := s.State.Timeline
	return len(t) > 1 && s.State.Reason == "" && t[len(t)-1].Status == meterkey.AwaitingCode && t[len(t)-2].Status == meterkey.AwaitingCode
}

// SecondsLeft is how long the browser window still lives.
func (s *sight) SecondsLeft() int {
	return max(0, int(s.State.Challenge.ExpiresAt.Sub(s.Now).Seconds()))
}

// TimeLeft says so.
func (s *sight) TimeLeft() (string, error) {
	left := s.SecondsLeft()
	return s.T("time_left", "Minutes", left/60, "Seconds", fmt.Sprintf("%02d", left%60))
}

// CodePattern is what a browser lets through as a number code: the server takes the same.
func (s *sight) CodePattern() string {
	if digits := s.State.Challenge.Digits; digits > 0 {
		return fmt.Sprintf(`[\s\-]*(?:[0-9][\s\-]*){%d}`, digits)
	}
	return `[\s\-]*(?:[0-9][\s\-]*)+`
}

// Addresses lists the places that the meters serve, each once, up to maxAddresses.
func (s *sight) Addresses() []string {
	all := s.addresses()
	return all[:min(len(all), maxAddresses)]
}

// MoreAddresses is how many the list leaves out.
func (s *sight) MoreAddresses() int { return max(0, len(s.addresses())-maxAddresses) }

func (s *sight) addresses() []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range s.State.Meters {
		if m.ServiceAddress != "" && !seen[m.ServiceAddress] {
			seen[m.ServiceAddress] = true
			all = append(all, m.ServiceAddress)
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
func (s *sight) Steps() []step {
	names := []string{"agree", "sign_in", "confirm", "finish"}
	now := s.stepNow()
	steps := make([]step, len(names))
	for i, name := range names {
		steps[i].Name = name
		switch {
		case i < now || s.State.Status == meterkey.Connected:
			steps[i].State = "done"
		case i == now:
			steps[i].State = "now"
		}
	}
	return steps
}

func (s *sight) stepNow() int {
	switch s.page() {
	case "choose", "consent", "decline":
		return 0
	case "code", "choice":
		return 2
	case "connected":
		return 3
	}
	switch s.State.Status {
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
func (s *sight) Mistake(field string) (mistake, error) {
	id, ok := s.Wrong[field]
	if !ok {
		return mistake{Field: field}, nil
	}
	var text string
	var err error
	if digits := s.digits(); id == "code.digits" {
		text, err = s.N(id, digits)
	} else {
		text, err = s.T(id)
	}
	return mistake{Field: field, Text: text}, err
}

func (s *sight) digits() int {
	if s.State.Challenge == nil {
		return 0
	}
	return s.State.Challenge.Digits
}

// CodeMistake says what is wrong with the code: that it cannot be one, or that the utility did not accept it.
func (s *sight) CodeMistake() (string, error) {
	if m, err := s.Mistake("code"); err != nil || m.Text != "" {
		return m.Text, err
	}
	if s.State.Reason == meterkey.CodeRejected && s.State.Challenge.Kind == meterkey.SecurityAnswer {
		return s.T("code.rejected_question") // the table speaks of codes
	}
	return s.Because("text")
}

// MaxLogin is how many characters a user name or password may have.
func (s *sight) MaxLogin() int { return maxLogin }

// MaxAnswer is how many characters a code or an answer may have.
func (s *sight) MaxAnswer() int { return maxAnswer }

// HelpPage is the utility's own page about turning MFA off and on; empty if it has none.
func (s *sight) HelpPage() string {
	if s.Site == nil {
		return ""
	}
	return s.Site.MFA.FAQ
}

// outside is a link to another site, which opens in a new tab.
type outside struct{ Address, Text, NewTab, Class string }

// Outside makes one.
func (s *sight) Outside(address, textID, class string) (outside, error) {
	text, err := s.T(textID)
	if err != nil {
		return outside{}, err
	}
	newTab, err := s.T("new_tab")
	return outside{Address: address, Text: text, NewTab: newTab, Class: class}, err
}
