package main

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/meterkey/meterkey"
)

type startCmd struct {
	Utility        string `arg:"" optional:"" help:"The customer's utility: its id, its name or another name it goes by. Without it the customer chooses."`
	Requester      string `required:"" placeholder:"ID" help:"Who asks: an id of your own choosing."`
	ID             string `placeholder:"ID" help:"The request's id; one is made up otherwise."`
	RequesterName  string `placeholder:"NAME" help:"How the customer knows the requester."`
	RequesterEmail string `placeholder:"ADDRESS" help:"Gets the requester's notices."`
	CustomerEmail  string `placeholder:"ADDRESS" help:"Gets the customer's notices, the link to sign in among them."`
	Link           string `placeholder:"URL" help:"The page where the customer signs in; the portal's own otherwise."`
	Watch          bool   `help:"Follow the request to its end."`
}

// Help is the command's longer help.
func (startCmd) Help() string {
	return `Starts a data request and prints its id. It runs until the customer has signed in, said no, or let seven days pass.

  starter start DEMO --requester acme
  starter start coned --requester acme --requester-name "Acme Solar" --customer-email pat@example.com
  starter start PSEG --requester acme --id r-1042 --watch
  starter start DEMO --requester acme -o json | jq -r .request_id`
}

// Run starts the request.
func (c *startCmd) Run(ctx context.Context, a *app) error {
	utility, err := utilityID(c.Utility)
	if err != nil {
		return err
	}
	r := c.request(utility)
	if err := r.Validate(); err != nil {
		return err
	}
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.call(ctx, func(ctx context.Context) error { return b.client.Start(ctx, r) }); err != nil {
		return err
	}
	if c.Watch {
		return a.watch(ctx, b, r.RequestID)
	}
	if a.json {
		a.out.json(r)
		return nil
	}
	a.out.linef("Started %s: %s asks for access to an account at %s.", a.out.in(bold, r.RequestID), r.Requester, utilityName(r.Utility))
	a.out.facts(
		[2]string{"sign in", "starter login " + r.RequestID},
		[2]string{"follow it", "starter watch " + r.RequestID},
		[2]string{"call it off", "starter cancel " + r.RequestID},
	)
	return nil
}

func (c *startCmd) request(utility string) meterkey.Request {
	id := c.ID
	if id == "" {
		id = "r-" + strings.ToLower(rand.Text()[:12])
	}
	return meterkey.Request{
		RequestID:      id,
		Requester:      c.Requester,
		RequesterName:  c.RequesterName,
		RequesterEmail: c.RequesterEmail,
		CustomerEmail:  c.CustomerEmail,
		Utility:        utility,
		Link:           c.Link,
	}
}
