// Package practiceapi talks to the practice utilities as a customer of theirs would: it looks at the phone on which codes
// arrive, and turns codes off. docs/sandbox.md describes what it talks to.
package practiceapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// Password is right for every practice account.
	Password = "practice"
	// answerWithin bounds a question: the practice utilities run on this machine or next to it.
	answerWithin = 5 * time.Second
	// lookEvery is how often the practice phone is looked at.
	lookEvery = 100 * time.Millisecond
	maxAnswer = 4 << 20
)

// Client talks to the practice utilities at one address. It is safe for concurrent use.
type Client struct {
	url  string
	http *http.Client
}

// New is a client of the practice utilities whose front page is at address.
func New(address string) *Client {
	return &Client{strings.TrimSuffix(address, "/"), &http.Client{Timeout: answerWithin}}
}

// Utility is a practice site.
type Utility struct {
	ID string `json:"id"`
	// Kinds are the kinds of account that it can show.
	Kinds []string `json:"kinds"`
}

// Utilities lists the practice sites.
func (c *Client) Utilities(ctx context.Context) ([]Utility, error) {
	var all []Utility
	return all, c.do(ctx, http.MethodGet, "/utilities", nil, &all)
}

// PhoneURL is the page, for people, of the practice phone of an account.
func (c *Client) PhoneURL(utility, user string) string {
	return c.url + "/inbox?" + url.Values{"utility": {utility}, "user": {user}}.Encode()
}

// Code waits for the newest code, or security answer, on the practice phone of an account.
func (c *Client) Code(ctx context.Context, utility, user string) (string, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		var messages []struct {
			Code string `json:"code"`
		}
		if err := c.do(ctx, http.MethodGet, account("/inbox", utility, user), nil, &messages); err != nil {
			return "", err
		}
		if len(messages) > 0 {
			return messages[len(messages)-1].Code, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for a message on the practice phone: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// TurnMFAOff does what the customer would do in the settings of the practice site.
func (c *Client) TurnMFAOff(ctx context.Context, utility, user string) error {
	return c.do(ctx, http.MethodPost, account("/mfa", utility, user), map[string]bool{"enabled": false}, nil)
}

func account(of, utility, user string) string {
	return of + "/" + url.PathEscape(utility) + "/" + url.PathEscape(user)
}

func (c *Client) do(ctx context.Context, method, path string, body, into any) error {
	err := c.ask(ctx, method, path, body, into)
	var asking *url.Error
	if errors.As(err, &asking) {
		return fmt.Errorf("the practice utilities at %s do not answer: %w", c.url, asking.Err)
	}
	return err
}

func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, &content)
	if err != nil {
		return fmt.Errorf("asking the practice utilities: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // read to the end, or not needed
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the practice utilities answered %s to %s %s", response.Status, method, path)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("reading what the practice utilities say: %w", err)
	}
	return nil
}
