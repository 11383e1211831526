package meterkey

import (
	"errors"
	"fmt"
	"strings"
)

// Request is the workflow's input: who asks whom for access to what.
type Request struct {
	// RequestID names the request: 1 to 64 of A-Z a-z 0-9 . _ -, unique for ever.
	RequestID string `json:"request_id"`
	// Requester is who asks: an id of the requester's own choosing, shown to operators. Same alphabet as RequestID.
	Requester string `json:"requester"`
	// RequesterName is how the customer knows the requester ("Acme Solar"). Optional.
	RequesterName string `json:"requester_name,omitempty"`
	// RequesterEmail receives the requester's notices. Without it the requester gets none.
	RequesterEmail string `json:"requester_email,omitempty"`
	// CustomerEmail receives the customer's notices. Without it the customer gets none.
	CustomerEmail string `json:"customer_email,omitempty"`
	// Utility is the id of the customer's utility, such as "CONED". Empty: the customer chooses, and their login says which.
	Utility string `json:"utility"`
	// Link is the page where the customer signs in. Empty: the portal's own page for this request.
	Link string `json:"link,omitempty"`
	// Test tells that this is for trying: only practice sites are ever opened for it, never a real utility's.
	Test bool `json:"test,omitempty"`
}

// ErrInvalidRequest tells that a Request cannot be started; the error names the field.
var ErrInvalidRequest = errors.New("invalid request")

// maxID bounds the ids that become workflow ids, file names and message ids.
const maxID = 64

// Validate tells what is wrong with the request, naming the field. The utility's id is checked for its form only:
// which utilities exist is the workers' knowledge.
func (r Request) Validate() error {
	for _, field := range []struct{ name, value string }{
		{"request_id", r.RequestID}, {"requester", r.Requester}, {"utility", r.Utility},
	} {
		if field.name == "utility" && field.value == "" {
			continue // the customer chooses
		}
		if err := ValidID(field.value); err != nil {
			return fmt.Errorf("%w: %s %w", ErrInvalidRequest, field.name, err)
		}
	}
	for _, field := range []struct{ name, value string }{
		{"requester_email", r.RequesterEmail}, {"customer_email", r.CustomerEmail},
	} {
		if field.value != "" && !plausibleEmail(field.value) {
			return fmt.Errorf("%w: %s is not an e-mail address", ErrInvalidRequest, field.name)
		}
	}
	if r.Link != "" && !strings.HasPrefix(r.Link, "https://") && !strings.HasPrefix(r.Link, "http://") {
		return fmt.Errorf("%w: link must begin with https:// or http://", ErrInvalidRequest)
	}
	if strings.ContainsAny(r.RequesterName, "\r\n") || len(r.RequesterName) > 200 {
		return fmt.Errorf("%w: requester_name must be one line of at most 200 bytes", ErrInvalidRequest)
	}
	return nil
}

// ValidID tells what is wrong with an id of a request, a requester or a utility.
func ValidID(id string) error {
	if id == "" {
		return errors.New("is missing")
	}
	if len(id) > maxID {
		return fmt.Errorf("is longer than %d characters", maxID)
	}
	for _, c := range id {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", c) {
			return fmt.Errorf("may hold only letters, digits and . _ - (it has %q)", c)
		}
	}
	return nil
}

// plausibleEmail keeps out what no mail system could deliver, and line breaks that would forge headers; the mail
// system itself has the last word.
func plausibleEmail(address string) bool {
	local, domain, found := strings.Cut(address, "@")
	return found && local != "" && domain != "" && !strings.ContainsAny(address, " \t\r\n<>,;\"") && !strings.Contains(domain, "@")
}
