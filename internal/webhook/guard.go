package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"code.dny.dev/ssrf"
)

// ErrRefused tells that no webhook may go to an address; the error says why and what would be right.
var ErrRefused = errors.New("refused")

const (
	// answerWithin bounds an attempt: a receiver is to store what it gets and to answer, working on it later.
	answerWithin = 10 * time.Second
	// connectWithin is how much of that connecting may take, lookupWithin how long a name is looked up when it is registered.
	connectWithin = 5 * time.Second
	lookupWithin  = 5 * time.Second
	// maxHeader bounds an answer's header, in bytes. Its body is of no interest.
	maxHeader = 64 << 10
	maxURL    = 2000
)

// Guard keeps webhooks away from what only this machine or its network should reach: loopback, private, link-local (where
// clouds keep machines' keys), shared, multicast and reserved addresses.
type Guard struct{ public *ssrf.Guardian }

// NewGuard makes a guard; with private everything may be reached, for trying and for receivers on one's own network.
func NewGuard(private bool) *Guard {
	if private {
		return &Guard{}
	}
	return &Guard{public: ssrf.New(ssrf.WithAnyPort())}
}

// Check tells whether an address may be registered: ErrRefused says why not. A name may mean another address tomorrow,
// which is why Client looks again each time.
func (g *Guard) Check(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%w: it must be an address that begins with https:// or http://", ErrRefused)
	case len(address) > maxURL:
		return fmt.Errorf("%w: it is longer than %d characters", ErrRefused, maxURL)
	case u.User != nil:
		return fmt.Errorf("%w: it must hold no user name and no password; deliveries are signed with the webhook's secret", ErrRefused)
	case u.Fragment != "":
		return fmt.Errorf("%w: it must not hold a #, which is never sent", ErrRefused)
	case g.public == nil:
		return nil
	}
	return g.checkHost(ctx, u.Hostname())
}

func (g *Guard) checkHost(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupWithin)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	var lookup *net.DNSError
	if errors.As(err, &lookup) && lookup.IsNotFound {
		return fmt.Errorf("%w: there is no host %.100q", ErrRefused, host)
	}
	// Where names cannot be looked up right now, the first delivery does.
	for _, ip := range found {
		if g.public.SafeAddr(ip.Unmap()) != nil {
			return fmt.Errorf("%w: %.100q is a private or reserved address; webhooks go to public ones, unless the operator sets MK_WEBHOOKS_PRIVATE", ErrRefused, host)
		}
	}
	return nil
}

// Client posts to webhooks. It looks at the very address that a connection is made to, after names were looked up, uses no
// proxy, which would hide that address, and follows no redirect.
func (g *Guard) Client() *http.Client {
	dialer := &net.Dialer{Timeout: connectWithin}
	if g.public != nil {
		dialer.Control = g.public.Safe
	}
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectWithin, MaxResponseHeaderBytes: maxHeader,
			IdleConnTimeout: time.Minute, MaxIdleConns: 100, ForceAttemptHTTP2: true,
		},
	}
}

// Explain says for people why a post failed, without the address's path, which may hold a key, and without what names on our
// own network mean.
func Explain(err error) string {
	var posting *url.Error
	if errors.As(err, &posting) {
		err = posting.Err
	}
	var timeout net.Error
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return "its host means a private or reserved address now, which webhooks do not go to"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %s", answerWithin)
	}
	return "not reached: " + err.Error()
}
