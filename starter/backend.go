package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// backend is a connection to Temporal. Every call is bounded by the time-out of the command line.
type backend struct {
	client   *sdk.Client
	temporal client.Client
	limit    time.Duration
	sealErr  error // why logins and codes cannot be sealed
}

func (b *backend) close() { b.temporal.Close() }

// connect reads the settings and connects to Temporal.
func (a *app) connect(ctx context.Context) (*backend, error) {
	settings, err := config.Load(nil)
	if err != nil {
		return nil, badInput(err.Error(), "docs/configuration.md lists the settings")
	}
	bounded, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	temporal, converter, err := settings.TemporalClient(bounded, zap.NewNop())
	switch {
	case err != nil && ctx.Err() != nil: // Ctrl-C
		return nil, ctx.Err()
	case err != nil:
		return nil, notConnected(err)
	}
	recipient, sealErr := settings.Recipient()
	return &backend{sdk.New(temporal, recipient, converter), temporal, a.timeout, sealErr}, nil
}

// notConnected tells a Temporal that does not answer from settings that it, or we, cannot make sense of.
func notConnected(err error) error {
	if unreachable(err) {
		return &failure{exitUnreachable, err.Error(), ""}
	}
	return badInput(err.Error(), "docs/configuration.md lists the settings")
}

func unreachable(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

// canSeal tells why a login or a code could not be sealed, before a person types it for nothing.
func (b *backend) canSeal() error {
	if b.sealErr == nil {
		return nil
	}
	return badInput(b.sealErr.Error(), "MK_RECIPIENT names the workers' recipient or its file")
}

func (b *backend) call(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return f(ctx)
}

func (b *backend) state(ctx context.Context, id string) (meterkey.State, error) {
	return b.answered(ctx, func(ctx context.Context) (meterkey.State, error) { return b.client.State(ctx, id) })
}

// answered calls what is answered with a state.
func (b *backend) answered(ctx context.Context, send func(context.Context) (meterkey.State, error)) (s meterkey.State, err error) {
	err = b.call(ctx, func(ctx context.Context) error {
		s, err = send(ctx)
		return err
	})
	return s, err
}

// followed is what following a request tells: where it stands, or why that cannot be told.
type followed struct {
	state meterkey.State
	err   error
}

// follow tells where the request stands, and each time that it changes. The channel is closed when ctx ends, or after an
// error that does not pass.
func (b *backend) follow(ctx context.Context, id string) <-chan followed {
	seen := make(chan followed)
	go func() {
		defer close(seen)
		for s, err := range b.client.Follow(ctx, id) {
			select {
			case seen <- followed{s, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return seen
}

// catalog loads what is known of the utilities.
func catalog() (*utilities.Catalog, error) {
	settings, err := config.Load(nil)
	if err != nil {
		return nil, badInput(err.Error(), "docs/configuration.md lists the settings")
	}
	known, err := utilities.Load(settings.UtilitiesDir)
	if err != nil {
		return nil, badInput(err.Error(), "starter check FILE checks one file")
	}
	return known, nil
}

func findUtility(id string) (*utilities.Utility, error) {
	known, err := catalog()
	if err != nil {
		return nil, err
	}
	found, err := known.Find(id)
	if err != nil {
		return nil, badInput(err.Error(), "starter utilities lists them")
	}
	return found, nil
}

// utilityID is the id of the utility that goes by this name; none stands for none.
func utilityID(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	found, err := findUtility(name)
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

// utilityName is how people know a utility; one that the catalog lacks shows by its id.
func utilityName(id string) string {
	if id == "" {
		return "a utility of the customer's choice"
	}
	known, err := catalog()
	if err != nil {
		return id
	}
	found, err := known.Find(id)
	if err != nil || found.Name == "" {
		return id
	}
	return fmt.Sprintf("%s (%s)", found.Name, found.ID)
}
