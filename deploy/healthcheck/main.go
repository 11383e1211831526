// Healthcheck asks an address over HTTP and ends well if the answer is 200: for containers that have nothing else to ask
// with.
//
//	healthcheck http://127.0.0.1:8420/healthz
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// patience is how long the answer may take.
const patience = 3 * time.Second

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("one address is needed, not %d: healthcheck http://127.0.0.1:8420/healthz", len(args))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], http.NoBody) //nolint:gosec // whose address it asks is what it is for
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	response, err := (&http.Client{Timeout: patience}).Do(request) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("closing the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", args[0], response.Status)
	}
	return nil
}
