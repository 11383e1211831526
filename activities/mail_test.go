package activities_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailServer is a real mail server on loopback. What answer, if any, says to a recipient is its answer; otherwise it takes the letter.
type mailServer struct {
	url    *url.URL
	answer func(to string) error

	mu    sync.Mutex
	taken []string // by whom
}

func startMailServer(t *testing.T, answer func(to string) error) *mailServer {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mailServer{url: &url.URL{Scheme: "smtp", Host: listener.Addr().String()}, answer: answer}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{server: m}, nil }))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
	return m
}

// letters are those that were taken, by their recipients.
func (m *mailServer) letters() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.taken...)
}

type mailSession struct {
	server *mailServer
	to     string
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *mailSession) Reset()                               {}
func (s *mailSession) Logout() error                        { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.server.answer == nil {
		return nil
	}
	return s.server.answer(to)
}

func (s *mailSession) Data(text io.Reader) error {
	if _, err := io.Copy(io.Discard, text); err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.taken = append(s.server.taken, s.to)
	return nil
}
