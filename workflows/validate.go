package workflows

import (
	"errors"
	"fmt"
	"strings"
)

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
		if err := validID(field.value); err != nil {
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

func validID(id string) error {
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
