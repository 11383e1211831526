// Package notices writes the e-mails of a data request and sends them, through a mail server or into a folder.
//
// One template holds the words of one kind of notice to one audience (templates/<audience>/<kind>.txt); the same words
// become a text and an HTML page. What the audiences are told of each reason comes from the workflows' table.
package notices

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"time"

	"github.com/meterkey/meterkey"
)

// Options say how notices are sent.
type Options struct {
	// SMTP is the mail server: smtp://user@host:port (STARTTLS where it is offered) or smtps://user@host:port. A
	// password is never sent in the clear. Nil: notices are written to Outbox.
	SMTP *url.URL
	// SMTPPasswordFile holds the password of the user in SMTP. It is read for each notice, so that it may change.
	SMTPPasswordFile string
	// From is the sender, an RFC 5322 address.
	From string
	// Outbox is the folder of .eml files, one a notice, for its owner's eyes only.
	Outbox string
	// Sent is the folder that remembers which notices the mail server took.
	Sent string
	// Link makes the address of the customer's page, for requests that bring no link of their own.
	Link func(requestID string, linkedAt time.Time) string
	// Now is the clock that deadlines are of; nil means time.Now.
	Now func() time.Time
}

// UtilityInfo is what notices say of a utility.
type UtilityInfo struct {
	ID string
	// Name is how customers know it; ID when empty.
	Name string
	// Website and FAQ (how to turn MFA off) are addresses; empty when not known.
	Website, FAQ string
}

// Delivery says what became of a notice.
type Delivery string

// The deliveries.
const (
	// Sent: the mail server took it.
	Sent Delivery = "sent"
	// Saved: it is a file in the outbox.
	Saved Delivery = "saved"
	// SentBefore: an earlier attempt had sent it, so this one did not.
	SentBefore Delivery = "sent_before"
	// NoAddress: the request has no address for this audience.
	NoAddress Delivery = "no_address"
)

// ErrRefused tells that this notice can never be delivered, such as to an address that does not exist: trying again
// mends nothing. It comes wrapped: use errors.Is.
var ErrRefused = errors.New("the notice cannot be delivered")

// Sender sends notices. It is safe for concurrent use.
type Sender struct {
	from      *mail.Address
	link      func(requestID string, linkedAt time.Time) string
	now       func() time.Time
	letters   letters
	transport transport
}

// transport takes a message under the notice's name: a string that is safe in file names and the same for every attempt.
type transport interface {
	deliver(ctx context.Context, name string, m message) (Delivery, error)
}

// New makes a sender.
func New(o Options) (*Sender, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("reading the sender of notices: %w", err)
	}
	letters, err := parseLetters()
	if err != nil {
		return nil, fmt.Errorf("reading the notices' templates: %w", err)
	}
	s := &Sender{from: from, link: o.Link, now: o.Now, letters: letters, transport: outbox{o.Outbox}}
	if s.now == nil {
		s.now = time.Now
	}
	if o.SMTP != nil {
		marks := marks{o.Sent}
		if err := marks.open(time.Now().Add(-rememberFor)); err != nil {
			return nil, fmt.Errorf("opening the folder of sent notices: %w", err)
		}
		s.transport = smtpServer{address: o.SMTP, passwordFile: o.SMTPPasswordFile, marks: marks}
	}
	return s, nil
}

// Send sends a notice to its audience. No error names an address. ErrRefused: do not try again; any other error: do.
func (s *Sender) Send(ctx context.Context, n meterkey.Notice, u UtilityInfo) (Delivery, error) {
	to := n.Request.CustomerEmail
	if n.To == meterkey.ToRequester {
		to = n.Request.RequesterEmail
	}
	if to == "" {
		return NoAddress, nil
	}
	now := s.now()
	letter, err := s.letters.write(n, factsOf(n, u, s.link, now))
	if err != nil {
		return "", fmt.Errorf("writing notice %s: %w: %w", n.ID, ErrRefused, err)
	}
	name := safeName(n.ID)
	message, err := newMessage(s.from, to, name, letter, now)
	if err != nil {
		return "", fmt.Errorf("addressing notice %s: %w", n.ID, err)
	}
	delivery, err := s.transport.deliver(ctx, name, message)
	if err != nil {
		return "", fmt.Errorf("sending notice %s: %w", n.ID, err)
	}
	return delivery, nil
}

var safe = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,149}$`)

// safeName names a notice in file names and message ids: by its id, or by a digest of an id that could be mistaken there.
func safeName(id string) string {
	if safe.MatchString(id) {
		return id
	}
	digest := sha256.Sum256([]byte(id))
	return hex.EncodeToString(digest[:])
}
