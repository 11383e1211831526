// Portal serves the customer's pages, the requester's API and dashboard, and delivers webhooks.
//
// It is configured by environment variables, which docs/configuration.md lists. Any number of portals may run beside one
// another: all they know is in the database and in Temporal.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // from the first signal on, the next one has its usual effect
	if err := run(ctx, os.Args[1:], nil, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1)
	}
}
