package dashboard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// ends are what tests share and what has to be ended after all of them.
var ends []func(context.Context) error

func TestMain(m *testing.M) {
	code := m.Run()
	if err := endAll(); err != nil {
		fmt.Fprintln(os.Stderr, "ending what tests shared:", err)
		code = 1
	}
	os.Exit(code)
}

func endAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	for _, end := range ends {
		err = errors.Join(err, end(ctx))
	}
	return err
}
