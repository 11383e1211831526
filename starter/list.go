package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/sdk"
)

type listCmd struct {
	Status    string `placeholder:"STATUS" help:"Only requests that stand there."`
	Utility   string `placeholder:"NAME" help:"Only requests to customers of this utility: its id, its name or another name it goes by."`
	Requester string `placeholder:"ID" help:"Only requests of this requester."`
	Limit     int    `default:"50" placeholder:"N" help:"How many at most (${default})."`
}

// Help is the command's longer help.
func (listCmd) Help() string {
	return `Lists data requests as Temporal's visibility has them, which may lag a second behind: those under way first, then
those that ended last. A request that was sent again after its end stands there once for each time.

  starter list
  starter list --status awaiting_code
  starter list --requester acme --utility CONED --limit 10
  starter list --status failed -o json | jq -r '.[].request_id'`
}

// Run lists the requests.
func (c *listCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	utility, err := utilityID(c.Utility)
	if err != nil {
		return err
	}
	b, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	var listed []sdk.Listed
	filter := sdk.Filter{Status: meterkey.Status(c.Status), Utility: utility, Requester: c.Requester}
	err = b.call(ctx, func(ctx context.Context) error {
		listed, err = b.client.List(ctx, filter, c.Limit)
		return err
	})
	if err != nil {
		return err
	}
	a.showList(listed)
	return nil
}

func (c *listCmd) check() error {
	if c.Status != "" && !meterkey.Status(c.Status).Valid() {
		var names []string
		for _, s := range meterkey.Statuses() {
			names = append(names, string(s))
		}
		return badInput(fmt.Sprintf("there is no status %q", c.Status), strings.Join(names, ", "))
	}
	if c.Limit < 1 {
		return badInput(fmt.Sprintf("--limit %d lists nothing", c.Limit), "1 or more")
	}
	return nil
}

func (a *app) showList(listed []sdk.Listed) {
	if a.json {
		a.out.json(append([]sdk.Listed{}, listed...))
		return
	}
	now := time.Now()
	rows := make([][]string, len(listed))
	for i, l := range listed {
		rows[i] = []string{l.RequestID, l.Requester, l.Utility, a.out.status(l.Status), string(l.WaitingOn), clock(l.Started, now)}
	}
	a.out.table([]string{"REQUEST", "REQUESTER", "UTILITY", "STATUS", "WAITS ON", "STARTED"}, rows)
	a.side.linef("%s", a.side.in(dim, count(len(listed), "request")))
}
