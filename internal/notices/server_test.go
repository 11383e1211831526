package notices

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailServer is a real SMTP server whose answers a test may set.
type mailServer struct {
	*smtp.Server
	roots   *x509.CertPool
	address string

	mu       sync.Mutex
	received []string
	secure   []bool
	// onMail, onRcpt and onData answer instead of taking, once for each element.
	onMail, onRcpt, onData []error
	user, password         string
}

// startMailServer serves until the test ends, with STARTTLS if offered.
func startMailServer(t *testing.T, startTLS, fromTheStart bool) *mailServer {
	t.Helper()
	s := &mailServer{}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secure := c.TLSConnectionState()
		return &mailSession{server: s, secure: secure}, nil
	}))
	s.Domain = "localhost"
	s.ErrorLog = quiet{}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = listener.Addr().String()
	certificate, roots := certify(t)
	s.roots = roots
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if startTLS {
		s.TLSConfig = config
	}
	if fromTheStart {
		listener = tls.NewListener(listener, config)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		_ = listener.Close() // which the server knows nothing of yet when the test was quick
		require.NoError(t, <-served)
	})
	return s
}

// quiet keeps the server's complaints about dropped connections, which tests provoke, off the screen.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (s *mailServer) url(scheme string) *url.URL {
	u := &url.URL{Scheme: scheme, Host: s.address}
	if s.user != "" {
		u.User = url.User(s.user)
	}
	return u
}

func (s *mailServer) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.received...)
}

func (s *mailServer) answer(from *[]error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(*from) == 0 {
		return nil
	}
	first := (*from)[0]
	*from = (*from)[1:]
	return first
}

type mailSession struct {
	server *mailServer
	secure bool
	signed bool
}

func (m *mailSession) AuthMechanisms() []string {
	if m.server.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (m *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != m.server.user || password != m.server.password {
			return errors.New("wrong user or password")
		}
		m.signed = true
		return nil
	}), nil
}

func (m *mailSession) Mail(string, *smtp.MailOptions) error {
	if m.server.user != "" && !m.signed {
		return smtp.ErrAuthRequired
	}
	return m.server.answer(&m.server.onMail)
}

func (m *mailSession) Rcpt(string, *smtp.RcptOptions) error {
	return m.server.answer(&m.server.onRcpt)
}

func (m *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := m.server.answer(&m.server.onData); err != nil {
		return err
	}
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.server.received = append(m.server.received, string(text))
	m.server.secure = append(m.server.secure, m.secure)
	return nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

// certify makes a certificate for 127.0.0.1 and the pool that trusts it.
func certify(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
