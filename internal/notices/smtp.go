package notices

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// answersWithin bounds a conversation with the mail server.
const answersWithin = 30 * time.Second

type smtpServer struct {
	address      *url.URL
	passwordFile string
	marks        marks
	// roots are the authorities that vouch for the server; nil: the system's.
	roots *x509.CertPool
}

func (s smtpServer) deliver(ctx context.Context, name string, m message) (Delivery, error) {
	if s.marks.has(name) {
		return SentBefore, nil
	}
	server, err := s.client(ctx)
	if err != nil {
		return "", err
	}
	connection, err := server.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return "", fmt.Errorf("connecting to the mail server %s: %w", s.address.Host, err)
	}
	defer connection.Close() //nolint:errcheck // the message is delivered or not by then
	if err := server.SendWithSMTPClient(connection, m); !m.IsDelivered() {
		return "", refusal(err)
	}
	// The message is out: an error here would only have it sent again.
	_ = s.marks.add(name)
	return Sent, nil
}

func (s smtpServer) client(ctx context.Context) (*gomail.Client, error) {
	// The library heeds the context while it connects, and this from then on.
	bound := answersWithin
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, max(time.Until(deadline), time.Millisecond))
	}
	options := []gomail.Option{
		gomail.WithTimeout(bound),
		gomail.WithTLSPolicy(gomail.TLSOpportunistic),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.address.Hostname(), RootCAs: s.roots, MinVersion: tls.VersionTLS12}),
	}
	port := "25"
	if s.address.Scheme == "smtps" {
		port, options = "465", append(options, gomail.WithSSL())
	}
	number, err := strconv.Atoi(cmp.Or(s.address.Port(), port))
	if err != nil {
		return nil, fmt.Errorf("reading the mail server's port: %w", err)
	}
	login, err := s.login()
	if err != nil {
		return nil, err
	}
	return gomail.NewClient(s.address.Hostname(), append(append(options, gomail.WithPort(number)), login...)...)
}

func (s smtpServer) login() ([]gomail.Option, error) {
	user := s.address.User.Username()
	if user == "" {
		return nil, nil
	}
	password, err := os.ReadFile(s.passwordFile)
	if err != nil {
		return nil, fmt.Errorf("reading the mail server's password: %w", err)
	}
	return []gomail.Option{
		// Of the ways that the server offers, the best one that does not show the password on an open line.
		gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
		gomail.WithUsername(user), gomail.WithPassword(strings.TrimRight(string(password), "\r\n")),
	}, nil
}

// refusal tells a message that the server will never take from trouble that passes. Only what it says of the recipient
// or of the message is final; what it says of us, such as of our login or sender, an operator can mend. The server's own
// words often quote the recipient and stay behind.
func refusal(err error) error {
	var answer *gomail.SendError
	if !errors.As(err, &answer) {
		return err
	}
	said := fmt.Sprintf("%s: the mail server answered %d %s", answer.Reason, answer.ErrorCode(), answer.EnhancedStatusCode())
	aboutMessage := answer.Reason == gomail.ErrSMTPRcptTo || answer.Reason == gomail.ErrSMTPData || answer.Reason == gomail.ErrSMTPDataClose
	if aboutMessage && answer.ErrorCode() >= 500 {
		return fmt.Errorf("%w: %s", ErrRefused, said)
	}
	return errors.New(said)
}
