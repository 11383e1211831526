package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/meterkey/meterkey/internal/stack"
	"github.com/meterkey/meterkey/workflows"
)

const (
	// pollEvery is how often a customer's page asks where the request stands.
	pollEvery = 25 * time.Millisecond
	// password is right for every practice account.
	password = "practice"
)

// customer plays one customer of a practice utility, and the backend that sends them a data request.
type customer struct {
	stack   *stack.Stack
	client  *workflows.Client
	id      string // of the data request
	utility string
	user    string
	say     func(format string, args ...any)

	acted    time.Time     // when the customer last did something
	codePage time.Duration // from the login to the code page
	meters   time.Duration // from the customer's last act to the meters
}

func (c *customer) start(ctx context.Context) error {
	c.say("data request sent")
	return c.client.Start(ctx, workflows.Request{RequestID: c.id, Requester: "acme-solar", RequesterName: "Acme Solar",
		RequesterEmail: "requests@acme.example", CustomerEmail: "customer@example.com", Utility: c.utility})
}

// signIn submits the login and waits for what it leads to.
func (c *customer) signIn(ctx context.Context, to ...workflows.Status) (workflows.State, error) {
	c.say("signs in")
	c.acted = time.Now()
	if err := c.client.SubmitLogin(ctx, c.id, workflows.Credentials{Username: c.user, Password: password}); err != nil {
		return workflows.State{}, err
	}
	s, err := c.await(ctx, to...)
	if s.Challenge != nil && c.codePage == 0 {
		c.codePage = time.Since(c.acted)
		c.say("sees the code page after %.1f s: %s", c.codePage.Seconds(), s.Challenge.Kind)
	}
	return s, err
}

// await waits until the request stands at one of these statuses. Ending anywhere else is an error.
func (c *customer) await(ctx context.Context, to ...workflows.Status) (workflows.State, error) {
	version := 0
	s, err := c.client.Wait(ctx, c.id, pollEvery, func(s workflows.State) bool {
		if s.Version < version {
			return false
		}
		for _, status := range to {
			if s.Status == status {
				return true
			}
		}
		return s.Status.Terminal()
	})
	if err != nil {
		return s, err
	}
	for _, status := range to {
		if s.Status == status {
			return s, nil
		}
	}
	return s, fmt.Errorf("it stands at %s (%s) instead of %s", s.Status, s.Reason, to)
}

// answer types an answer to the challenge and waits for what it leads to.
func (c *customer) answer(ctx context.Context, challenge *workflows.Challenge, text string, to ...workflows.Status) (workflows.State, error) {
	c.acted = time.Now()
	if err := c.client.SubmitCode(ctx, c.id, challenge.ID, text); err != nil {
		return workflows.State{}, err
	}
	if _, err := c.client.Wait(ctx, c.id, pollEvery, func(s workflows.State) bool {
		return s.Challenge == nil || s.Challenge.ID != challenge.ID
	}); err != nil {
		return workflows.State{}, err
	}
	return c.await(ctx, to...)
}

// message is what the practice phone got.
type message struct {
	Code string `json:"code"`
}

// readCode waits for the newest message on the practice phone that is not among the old ones.
func (c *customer) readCode(ctx context.Context, old int) (code string, messages int, err error) {
	for {
		var inbox []message
		if err := c.get(ctx, "/inbox/"+c.utility+"/"+c.user, &inbox); err != nil {
			return "", 0, err
		}
		if len(inbox) > old {
			return inbox[len(inbox)-1].Code, len(inbox), nil
		}
		select {
		case <-ctx.Done():
			return "", 0, fmt.Errorf("waiting for a message on the practice phone: %w", ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// connected ends the row: the meters are there.
func (c *customer) connected(s workflows.State, err error) (workflows.State, error) {
	c.meters = time.Since(c.acted)
	if err == nil {
		c.say("%d meters after %.1f s", len(s.Meters), c.meters.Seconds())
	}
	return s, err
}

func (c *customer) turnMFAOff(ctx context.Context) error {
	c.say("turns MFA off at the practice site")
	return c.post(ctx, "/mfa/"+c.utility+"/"+c.user, map[string]bool{"enabled": false})
}

func (c *customer) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

func (c *customer) post(ctx context.Context, path string, body any) error {
	return c.do(ctx, http.MethodPost, path, body, nil)
}

func (c *customer) do(ctx context.Context, method, path string, body, into any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.stack.Practice.URL()+path, &content)
	if err != nil {
		return fmt.Errorf("asking the practice utilities: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return fmt.Errorf("asking the practice utilities: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // read to the end, or not needed
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

var errUnexpected = errors.New("not as expected")
