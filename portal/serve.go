package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/portal/requests"
	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/portal/webhooks"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

const (
	// headerTimeout bounds how slowly a request may begin, bodyTimeout how slowly it may go on. Answers are not bounded:
	// live pages last.
	headerTimeout = 10 * time.Second
	bodyTimeout   = time.Minute
	idleTimeout   = 2 * time.Minute
	// stopLimit is how long a stopping portal lets answers go on. Live pages are ended at once and come back elsewhere.
	stopLimit = 10 * time.Second
	// healthLimit bounds each question of the health check.
	healthLimit = 2 * time.Second
	// askEvery is how often a portal looks for the recipient that the first worker publishes.
	askEvery = time.Second
)

type serveCmd struct{}

// portal is the serving process: what its parts share.
type portal struct {
	*app
	store    *store.Store
	temporal client.Client
	requests *sdk.Client
	catalog  *utilities.Catalog
	key      *portalkey.Key
	assets   *web.Assets
	webhooks *webhooks.Service
	imports  *imports.Service
	tests    *testsubmit.Service // nil without practice utilities
	customer *customer.Handler
}

// Run implements the command: it serves until it is told to stop.
func (serveCmd) Run(a *app) error {
	return a.withStore(func(s *store.Store) error {
		p := &portal{app: a, store: s}
		if err := p.open(); err != nil {
			return err
		}
		defer p.temporal.Close()
		return p.serve()
	})
}

func (p *portal) open() error {
	var err error
	if p.catalog, err = utilities.Load(p.settings.UtilitiesDir); err != nil {
		return fmt.Errorf("loading utilities: %w", err)
	}
	if p.key, err = portalkey.LoadOrCreate(p.settings.PortalKeyFile); err != nil {
		return err
	}
	recipient, err := p.recipient()
	if err != nil {
		return err
	}
	temporal, converter, err := p.settings.TemporalClient(p.ctx, p.log)
	if err != nil {
		return err
	}
	p.temporal, p.requests = temporal, sdk.New(temporal, recipient, converter)
	p.webhooks = webhooks.New(temporal, p.store, p.key, p.settings.WebhooksPrivate, p.log)
	p.imports = imports.New(temporal, requests.Sender{Store: p.store, Requests: p.requests, Webhooks: p.webhooks})
	if p.settings.PracticeURL != "" {
		p.tests = testsubmit.New(temporal, converter, p.requests, p.catalog, p.settings.PracticeURL)
	}
	return p.openPages()
}

func (p *portal) openPages() error {
	var err error
	if p.assets, err = web.NewAssets(); err != nil {
		return err
	}
	p.customer, err = customer.New(p.customerDeps())
	return err
}

// recipient is what logins and codes are sealed to. The first worker makes it, so a portal that is started before waits;
// one that cannot be read is a mistake that waiting does not mend.
func (p *portal) recipient() (string, error) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for asked := 0; ; asked++ {
		recipient, err := p.settings.Recipient()
		if !errors.Is(err, fs.ErrNotExist) {
			return recipient, err
		}
		if asked == 0 {
			p.log.Warn("waiting for the workers' recipient: start a worker, or set MK_RECIPIENT", zap.Error(err))
		}
		select {
		case <-p.ctx.Done():
			return "", fmt.Errorf("waiting for the workers' recipient: %w", err)
		case <-ticker.C:
		}
	}
}

// serve listens until the process is told to stop, or a part of it fails.
func (p *portal) serve() error {
	listener, err := (&net.ListenConfig{}).Listen(p.ctx, "tcp", p.settings.PortalListen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; MK_PORTAL_LISTEN names another address", p.settings.PortalListen, err)
	}
	group, ctx := errgroup.WithContext(p.ctx)
	handler, err := p.handler()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		// Live pages end with the process's context, so that stopping does not wait for them.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    zap.NewStdLog(p.log),
	}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error { return p.webhooks.Run(ctx) })
	group.Go(func() error { return p.imports.Run(ctx) })
	group.Go(func() error { return p.sweep(ctx) })
	group.Go(func() error { return p.reconcile(ctx) })
	if p.tests != nil {
		group.Go(func() error { return p.tests.Run(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return server.Shutdown(stopping)
	})
	p.log.Info("portal ready", zap.Stringer("address", listener.Addr()), zap.String("url", p.settings.PortalURL))
	return group.Wait()
}

// health answers whether the portal can do its work: 200, or 503 with what it lacks.
func (p *portal) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthLimit)
	defer cancel()
	answer := map[string]string{"status": "ok"}
	if err := p.store.Ping(ctx); err != nil {
		answer["database"] = "does not answer"
	}
	if _, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		answer["temporal"] = "does not answer"
	}
	w.Header().Set("Content-Type", "application/json")
	if len(answer) > 1 {
		answer["status"] = "unwell"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		p.log.Debug("health check not answered", zap.Error(err))
	}
}
