package activities_test

import (
	"io"
	"net"
	"net/url"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailServer refuses every recipient.
type mailServer struct{ refusal error }

func (m mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m mailServer) Mail(string, *smtp.MailOptions) error        { return nil }
func (m mailServer) Rcpt(string, *smtp.RcptOptions) error        { return m.refusal }
func (m mailServer) Data(io.Reader) error                        { return nil }
func (m mailServer) Reset()                                      {}
func (m mailServer) Logout() error                               { return nil }

// startMailServer starts a real mail server on loopback and returns its address.
func startMailServer(t *testing.T, refusal error) *url.URL {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := smtp.NewServer(mailServer{refusal})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
	return &url.URL{Scheme: "smtp", Host: listener.Addr().String()}
}
