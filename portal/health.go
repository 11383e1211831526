package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

type healthCmd struct{}

// Run implements the command: for containers, which have nothing else to ask with.
func (healthCmd) Run(a *app) error {
	address, err := reached(a.settings.PortalListen)
	if err != nil {
		return fmt.Errorf("reading MK_PORTAL_LISTEN: %w", err)
	}
	request, err := http.NewRequestWithContext(a.ctx, http.MethodGet, "http://"+address+"/healthz", http.NoBody)
	if err != nil {
		return fmt.Errorf("asking the portal: %w", err)
	}
	response, err := (&http.Client{Timeout: 2 * healthLimit, Transport: &http.Transport{}}).Do(request) // through no proxy
	if err != nil {
		return fmt.Errorf("asking the portal: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("reading the portal's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the portal is not well: %s", strings.TrimSpace(string(text)))
	}
	fmt.Fprint(a.stdout, string(text))
	return nil
}

// reached is where on this machine a server is reached that listens there: on all addresses means on loopback too.
func reached(listens string) (string, error) {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return "", err
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
