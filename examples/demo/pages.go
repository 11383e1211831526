package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sandbox/devenv"
)

// visitor is a customer with a browser of their own, and the requester whose backend asks them through the API.
type visitor struct {
	devenv.Access
	browser *devenv.Browser
	url     string // of the customer's page
}

// ask creates the data request through the API, as the requester's backend does.
func (v *visitor) ask(ctx context.Context, c *devenv.Customer) error {
	var form struct{ UID, URL string }
	err := v.Call(ctx, http.MethodPost, "/forms", map[string]any{"utility": c.Utility, "customer_email": "customer@example.com"}, &form)
	if err != nil {
		return err
	}
	c.Say("data request sent through the API")
	c.ID, v.url = form.UID, form.URL
	return nil
}

// walk takes the customer through the pages, and the meters from the API.
func (v *visitor) walk(ctx context.Context, c *devenv.Customer) (meterkey.State, error) {
	page, err := v.browser.Open(v.url)
	if err != nil {
		return meterkey.State{}, err
	}
	c.Say("opens the link in a browser, reads who asks, and agrees")
	if err := page.Agree(); err != nil {
		return meterkey.State{}, err
	}
	c.Say("signs in on the page")
	c.Acted = time.Now()
	if err := page.SignIn(c.User, devenv.PracticePassword); err != nil {
		return meterkey.State{}, err
	}
	if err := page.See("#code"); err != nil {
		return meterkey.State{}, err
	}
	c.CodePage = time.Since(c.Acted)
	c.Say("sees the code page after %.1f s", c.CodePage.Seconds())
	code, _, err := c.ReadCode(ctx, 0)
	if err != nil {
		return meterkey.State{}, err
	}
	c.Say("types the code on the page")
	c.Acted = time.Now()
	if err := page.TypeCode(code); err != nil {
		return meterkey.State{}, err
	}
	if err := v.awaitMeters(ctx, c); err != nil {
		return meterkey.State{}, err
	}
	if err := page.SeeHeading("is connected"); err != nil {
		return meterkey.State{}, err
	}
	c.Say("is told that the account is connected")
	if err := page.Leave(); err != nil {
		return meterkey.State{}, err
	}
	return c.Await(ctx, meterkey.Connected)
}

// awaitMeters asks the API until it has the meters.
func (v *visitor) awaitMeters(ctx context.Context, c *devenv.Customer) error {
	ticker := time.NewTicker(devenv.PollEvery)
	defer ticker.Stop()
	for {
		var answer struct {
			Authorizations []struct {
				Meters struct{ Meters []struct{ UID string } }
			}
		}
		if err := v.Call(ctx, http.MethodGet, "/authorizations?include=meters&forms="+c.ID, nil, &answer); err != nil {
			return err
		}
		if len(answer.Authorizations) == 1 && len(answer.Authorizations[0].Meters.Meters) > 0 {
			c.Meters = time.Since(c.Acted)
			c.Say("meter list in the API after %.1f s: %d", c.Meters.Seconds(), len(answer.Authorizations[0].Meters.Meters))
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the meters in the API: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}
