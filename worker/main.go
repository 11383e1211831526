// Worker runs data requests: their workflows, and their activities in the browser beside it.
//
// It is configured by environment variables, which docs/configuration.md lists. It runs until it is told to stop by
// SIGTERM or SIGINT, then leaves logins and workflows to other workers, serves its open windows to their end, and exits.
// A second signal ends it at once; the browser and its windows stay, and the next worker on the same host folder goes on with them.
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
	if err := run(ctx, os.Args[1:], nil, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}
