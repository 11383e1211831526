package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

const (
	// PollEvery is how often the practice phone is looked at.
	PollEvery = 25 * time.Millisecond
	// PracticePassword is right for every practice account.
	PracticePassword = "practice"
)

// Customer plays one customer of a practice utility, and the backend that sends them a data request.
type Customer struct {
	Environment *Environment
	Client      *sdk.Client
	ID          string // of the data request
	Utility     string
	User        string // the practice account's user name, which decides what the site does
	// Say is told what the customer does.
	Say func(format string, args ...any)

	Acted    time.Time     // when the customer last did something
	CodePage time.Duration // from the login to the code page
	Meters   time.Duration // from the customer's last act to the meters
}

// Start sends the data request.
func (c *Customer) Start(ctx context.Context) error {
	c.Say("data request sent")
	return c.Client.Start(ctx, meterkey.Request{RequestID: c.ID, Requester: "acme-solar", RequesterName: "Acme Solar",
		RequesterEmail: "requests@acme.example", CustomerEmail: "customer@example.com", Utility: c.Utility})
}

// SignIn submits the login and waits for what it leads to.
func (c *Customer) SignIn(ctx context.Context, to ...meterkey.Status) (meterkey.State, error) {
	c.Say("signs in")
	c.Acted = time.Now()
	if err := c.SubmitLogin(ctx); err != nil {
		return meterkey.State{}, err
	}
	s, err := c.Await(ctx, to...)
	if s.Challenge != nil && c.CodePage == 0 {
		c.CodePage = time.Since(c.Acted)
		c.Say("sees the code page after %.1f s: %s", c.CodePage.Seconds(), s.Challenge.Kind)
	}
	return s, err
}

// SubmitLogin submits the login. That it is kept for a worker that is not there yet will do.
func (c *Customer) SubmitLogin(ctx context.Context) error {
	_, err := c.Client.SubmitLogin(ctx, c.ID, meterkey.Credentials{Username: c.User, Password: PracticePassword})
	return unlessKept(err)
}

// SubmitCode submits an answer to the challenge, likewise.
func (c *Customer) SubmitCode(ctx context.Context, challenge *meterkey.Challenge, text string) error {
	_, err := c.Client.SubmitCode(ctx, c.ID, challenge.ID, text)
	return unlessKept(err)
}

func unlessKept(err error) error {
	if errors.Is(err, sdk.ErrNoWorker) {
		return nil
	}
	return err
}

// Await waits until the request stands at one of these statuses. Ending anywhere else is an error.
func (c *Customer) Await(ctx context.Context, to ...meterkey.Status) (meterkey.State, error) {
	version := 0
	s, err := c.Client.Wait(ctx, c.ID, func(s meterkey.State) bool {
		if s.Revision < version {
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

// Answer types an answer to the challenge and waits for what it leads to.
func (c *Customer) Answer(ctx context.Context, challenge *meterkey.Challenge, text string, to ...meterkey.Status) (meterkey.State, error) {
	c.Acted = time.Now()
	if err := c.SubmitCode(ctx, challenge, text); err != nil {
		return meterkey.State{}, err
	}
	if _, err := c.Client.Wait(ctx, c.ID, func(s meterkey.State) bool {
		return s.Challenge == nil || s.Challenge.ID != challenge.ID
	}); err != nil {
		return meterkey.State{}, err
	}
	return c.Await(ctx, to...)
}

// Message is what the practice phone got.
type Message struct {
	Code string `json:"code"`
}

// ReadCode waits for the newest message on the practice phone that is not among the old ones.
func (c *Customer) ReadCode(ctx context.Context, old int) (code string, messages int, err error) {
	for {
		var inbox []Message
		if err := c.Get(ctx, "/inbox/"+c.Utility+"/"+c.User, &inbox); err != nil {
			return "", 0, err
		}
		if len(inbox) > old {
			return inbox[len(inbox)-1].Code, len(inbox), nil
		}
		select {
		case <-ctx.Done():
			return "", 0, fmt.Errorf("waiting for a message on the practice phone: %w", ctx.Err())
		case <-time.After(PollEvery):
		}
	}
}

// Connected ends the row: the meters are there.
func (c *Customer) Connected(s meterkey.State, err error) (meterkey.State, error) {
	c.Meters = time.Since(c.Acted)
	if err == nil {
		c.Say("meter list after %.1f s: %d", c.Meters.Seconds(), len(s.Meters))
	}
	return s, err
}

// TurnMFAOff does what the customer would do in the practice site's settings.
func (c *Customer) TurnMFAOff(ctx context.Context) error {
	c.Say("turns MFA off at the practice site")
	return c.Post(ctx, "/mfa/"+c.Utility+"/"+c.User, map[string]bool{"enabled": false})
}

// Get reads a document of the practice utilities.
func (c *Customer) Get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

// Post sends one.
func (c *Customer) Post(ctx context.Context, path string, body any) error {
	return c.do(ctx, http.MethodPost, path, body, nil)
}

func (c *Customer) do(ctx context.Context, method, path string, body, into any) error {
	return call(ctx, method, c.Environment.Practice.URL()+path, http.Header{}, body, into)
}

// call makes an HTTP request with a JSON document and reads the JSON document that answers it.
func call(ctx context.Context, method, address string, header http.Header, body, into any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, &content)
	if err != nil {
		return fmt.Errorf("asking %s: %w", address, err)
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return fmt.Errorf("asking %s: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }() // read to the end, or not needed
	if response.StatusCode >= http.StatusBadRequest {
		said, _ := io.ReadAll(io.LimitReader(response.Body, tailBytes))
		return fmt.Errorf("%s %s: %s %s", method, address, response.Status, bytes.TrimSpace(said))
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", address, err)
	}
	return nil
}
