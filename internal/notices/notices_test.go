package notices

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func notice() meterkey.Notice {
	return meterkey.Notice{ID: "r-1042.0f3a9c11.1", Kind: meterkey.NoticeSignIn, To: meterkey.ToCustomer, Request: request()}
}

func newSender(t *testing.T, o Options) *Sender {
	t.Helper()
	if o.From == "" {
		o.From = "Meterkey <notices@meterkey.example>"
	}
	o.Link = links
	s, err := New(o)
	require.NoError(t, err)
	return s
}

// links makes links that a test can foretell.
func links(requestID string, _ time.Time) string { return "https://meterkey.example/r/" + requestID }

// newSMTPSender makes a sender that trusts the server's certificate.
func newSMTPSender(t *testing.T, server *mailServer, scheme, password string) *Sender {
	t.Helper()
	o := Options{SMTP: server.url(scheme), Sent: filepath.Join(t.TempDir(), "sent")}
	if password != "" {
		o.SMTPPasswordFile = filepath.Join(t.TempDir(), "password")
		require.NoError(t, os.WriteFile(o.SMTPPasswordFile, []byte(password+"\n"), 0o600))
	}
	s := newSender(t, o)
	transport, ok := s.transport.(smtpServer)
	require.True(t, ok)
	transport.roots = server.roots
	s.transport = transport
	return s
}

func TestOutbox(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "outbox")
	s := newSender(t, Options{Outbox: folder})
	for range 2 {
		delivery, err := s.Send(t.Context(), notice(), utility())
		require.NoError(t, err)
		require.Equal(t, Saved, delivery)
	}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1, "a retry replaces the file")
	require.Equal(t, "r-1042.0f3a9c11.1.eml", entries[0].Name())
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	info, err = entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(filepath.Join(folder, entries[0].Name()))
	require.NoError(t, err)
	requireMessage(t, string(text))
}

// requireMessage reads a message as a mail program would.
func requireMessage(t *testing.T, raw string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	require.Equal(t, "<r-1042.0f3a9c11.1@meterkey.example>", m.Header.Get("Message-ID"))
	require.Equal(t, "auto-generated", m.Header.Get("Auto-Submitted"))
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, "pat@customer.example", to[0].Address)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Acme Solar asks to connect your Philadelphia Electric Company account", subject)
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Contains(t, part.Header.Get("Content-Type"), want)
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		require.Contains(t, string(body), "https://meterkey.example/r/r-1042")
	}
	_, err = parts.NextRawPart()
	require.ErrorIs(t, err, io.EOF)
}

// TestNoticesGoByTheGivenClock and not by this machine's, which may be wrong.
func TestNoticesGoByTheGivenClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	until := now.Add(10 * time.Minute)
	folder := t.TempDir()
	s := newSender(t, Options{Outbox: folder, Now: func() time.Time { return now }})
	n := notice()
	n.Kind, n.Until = meterkey.NoticeCodeNeeded, &until
	_, err := s.Send(t.Context(), n, utility())
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(folder, n.ID+".eml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "You have 10 minutes.")
	require.Contains(t, string(text), "Date: Mon, 23 Nov 2026 09:00:00 +0000")
}

func TestOutboxThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := newSender(t, Options{Outbox: file}).Send(t.Context(), notice(), utility())
	require.ErrorContains(t, err, "sending notice r-1042.0f3a9c11.1: writing to the outbox")
	require.NotErrorIs(t, err, ErrRefused, "an operator can mend it")
}

func TestSMTP(t *testing.T) {
	cases := []struct {
		name               string
		startTLS, implicit bool
		user               string
		secure             bool
	}{
		{name: "plain"},
		{name: "STARTTLS", startTLS: true, secure: true},
		{name: "STARTTLS and a password", startTLS: true, user: "meterkey", secure: true},
		{name: "TLS from the start and a password", implicit: true, user: "meterkey", secure: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := startMailServer(t, c.startTLS, c.implicit)
			server.user, server.password = c.user, "s3cret words"
			scheme := "smtp"
			if c.implicit {
				scheme = "smtps"
			}
			s := newSMTPSender(t, server, scheme, server.password)
			delivery, err := s.Send(t.Context(), notice(), utility())
			require.NoError(t, err)
			require.Equal(t, Sent, delivery)
			require.Len(t, server.messages(), 1)
			requireMessage(t, server.messages()[0])
			require.Equal(t, []bool{c.secure}, server.secure)
		})
	}
}

func TestSMTPRefuses(t *testing.T) {
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later, pat@customer.example"}
	unknown := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user pat@customer.example"}
	cases := []struct {
		name  string
		set   func(*mailServer)
		final bool
		says  string
	}{
		{"the sender, for now", func(m *mailServer) { m.onMail = []error{busy} }, false, "answered 451"},
		{"the sender, for good", func(m *mailServer) { m.onMail = []error{unknown} }, false, "answered 550"},
		{"the recipient, for now", func(m *mailServer) { m.onRcpt = []error{busy} }, false, "RCPT TO command: the mail server answered 451 4.3.0"},
		{"the recipient, for good", func(m *mailServer) { m.onRcpt = []error{unknown} }, true, "RCPT TO command: the mail server answered 550 5.1.1"},
		{"the message, for now", func(m *mailServer) { m.onData = []error{busy} }, false, "answered 451"},
		{"the message, for good", func(m *mailServer) { m.onData = []error{unknown} }, true, "answered 550"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := startMailServer(t, false, false)
			c.set(server)
			s := newSMTPSender(t, server, "smtp", "")
			_, err := s.Send(t.Context(), notice(), utility())
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "pat@customer.example")
			if c.final {
				require.ErrorIs(t, err, ErrRefused)
			} else {
				require.NotErrorIs(t, err, ErrRefused)
			}
			delivery, err := s.Send(t.Context(), notice(), utility())
			require.NoError(t, err, "what was refused is not taken for sent")
			require.Equal(t, Sent, delivery)
		})
	}
}

func TestRetryDoesNotSendTwice(t *testing.T) {
	server := startMailServer(t, false, false)
	o := Options{SMTP: server.url("smtp"), Sent: t.TempDir()}
	s := newSender(t, o)
	first, err := s.Send(t.Context(), notice(), utility())
	require.NoError(t, err)
	require.Equal(t, Sent, first)
	again := newSender(t, o)
	second, err := again.Send(t.Context(), notice(), utility())
	require.NoError(t, err)
	require.Equal(t, SentBefore, second, "a worker started anew remembers")
	other := notice()
	other.ID = "r-1042.0f3a9c11.2"
	third, err := again.Send(t.Context(), other, utility())
	require.NoError(t, err)
	require.Equal(t, Sent, third)
	require.Len(t, server.messages(), 2)
}

func TestSentIsForgottenInTime(t *testing.T) {
	folder := t.TempDir()
	m := marks{folder}
	require.NoError(t, m.add("old"))
	require.NoError(t, m.add("new"))
	long := time.Now().Add(-rememberFor - time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(folder, "old"), long, long))
	newSender(t, Options{SMTP: &url.URL{Scheme: "smtp", Host: "127.0.0.1:1"}, Sent: folder})
	require.False(t, m.has("old"))
	require.True(t, m.has("new"))
}

func TestSMTPThatOperatorsMustMend(t *testing.T) {
	t.Run("a wrong password", func(t *testing.T) {
		server := startMailServer(t, true, false)
		server.user, server.password = "meterkey", "right"
		_, err := newSMTPSender(t, server, "smtp", "hunter2").Send(t.Context(), notice(), utility())
		require.ErrorContains(t, err, "connecting to the mail server "+server.address)
		require.NotErrorIs(t, err, ErrRefused)
		require.NotContains(t, err.Error(), "hunter2")
	})
	t.Run("no way to keep the password secret", func(t *testing.T) {
		server := startMailServer(t, false, false)
		server.AllowInsecureAuth = true
		server.user, server.password = "meterkey", "right"
		_, err := newSMTPSender(t, server, "smtp", "right").Send(t.Context(), notice(), utility())
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrRefused)
		require.Empty(t, server.messages())
	})
	t.Run("a certificate nobody vouches for", func(t *testing.T) {
		server := startMailServer(t, true, false)
		s := newSender(t, Options{SMTP: server.url("smtp"), Sent: t.TempDir()})
		_, err := s.Send(t.Context(), notice(), utility())
		require.ErrorContains(t, err, "certificate")
		require.Empty(t, server.messages())
	})
	t.Run("no password file", func(t *testing.T) {
		server := startMailServer(t, true, false)
		server.user = "meterkey"
		_, err := newSMTPSender(t, server, "smtp", "").Send(t.Context(), notice(), utility())
		require.ErrorContains(t, err, "reading the mail server's password")
	})
	t.Run("no server", func(t *testing.T) {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		s := newSender(t, Options{SMTP: &url.URL{Scheme: "smtp", Host: listener.Addr().String()}, Sent: t.TempDir()})
		_, err = s.Send(t.Context(), notice(), utility())
		require.ErrorContains(t, err, "connecting to the mail server")
		require.NotErrorIs(t, err, ErrRefused)
	})
}

func TestServerThatNeverAnswers(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	s := newSender(t, Options{SMTP: &url.URL{Scheme: "smtp", Host: listener.Addr().String()}, Sent: t.TempDir()})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = s.Send(ctx, notice(), utility())
	require.ErrorContains(t, err, "connecting to the mail server")
}

func TestWhoReceivesIt(t *testing.T) {
	folder := t.TempDir()
	s := newSender(t, Options{Outbox: folder})
	n := notice()
	n.Request.CustomerEmail = ""
	delivery, err := s.Send(t.Context(), n, utility())
	require.NoError(t, err)
	require.Equal(t, NoAddress, delivery)

	n.Kind, n.To = meterkey.NoticeConnected, meterkey.ToRequester
	delivery, err = s.Send(t.Context(), n, utility())
	require.NoError(t, err)
	require.Equal(t, Saved, delivery)
	text, err := os.ReadFile(filepath.Join(folder, n.ID+".eml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "To: <desk@acme.example>")
}

func TestForgedAddressesAndIDs(t *testing.T) {
	folder := t.TempDir()
	s := newSender(t, Options{Outbox: folder})
	n := notice()
	n.Request.CustomerEmail = "pat@customer.example\r\nBcc: all@x.example"
	_, err := s.Send(t.Context(), n, utility())
	require.ErrorIs(t, err, ErrRefused)
	require.NotContains(t, err.Error(), "pat@")

	n = notice()
	n.ID = "../../r-1\r\nBcc: all@x.example"
	_, err = s.Send(t.Context(), n, utility())
	require.NoError(t, err)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Regexp(t, `^[0-9a-f]{64}\.eml$`, entries[0].Name())

	n = notice()
	n.Kind = "no_such_kind"
	_, err = s.Send(t.Context(), n, utility())
	require.ErrorIs(t, err, ErrRefused)
}

func TestNewNeedsASender(t *testing.T) {
	_, err := New(Options{From: "nobody"})
	require.ErrorContains(t, err, "reading the sender of notices")
}
