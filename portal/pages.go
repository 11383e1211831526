package main

import (
	"context"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/portal/api"
	"github.com/meterkey/meterkey/portal/customer"
	"github.com/meterkey/meterkey/portal/dashboard"
	"github.com/meterkey/meterkey/portal/web"
)

const (
	// sweepEvery is how often a portal looks for customers who left, and well within the minute that they are given.
	sweepEvery = 5 * time.Second
	// forgetEvery is how often the database forgets what has had its time, such as idempotency keys.
	forgetEvery = time.Hour
)

// handler is everything that the portal shows.
func (p *portal) handler() (http.Handler, error) {
	people, err := dashboard.New(dashboard.Deps{Store: p.store, Requests: p.requests, Imports: p.imports, Utilities: p.catalog, Key: p.key,
		Assets: p.assets, Webhooks: p.webhooks, PortalURL: p.settings.PortalURL, Log: p.log})
	if err != nil {
		return nil, err
	}
	backends, err := api.New(api.Deps{Store: p.store, Requests: p.requests, Utilities: p.catalog, Key: p.key,
		PortalURL: p.settings.PortalURL, Webhooks: p.webhooks, TestSubmit: p.tests, Log: p.log})
	if err != nil {
		return nil, err
	}
	// Forms count only when they come from a page of ours.
	ours := http.NewCrossOriginProtection()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", p.health)
	mux.Handle("GET /{$}", http.RedirectHandler(dashboard.Prefix, http.StatusSeeOther))
	mux.Handle(web.AssetPrefix, p.assets)
	mux.Handle("/api/", backends)
	mux.Handle(customer.Prefix, ours.Handler(p.customer))
	mux.Handle(dashboard.Prefix, ours.Handler(people))
	if p.settings.Gallery {
		gallery, err := customer.Gallery(p.customerDeps())
		if err != nil {
			return nil, err
		}
		mux.Handle(customer.GalleryPrefix, gallery)
	}
	return mux, nil
}

func (p *portal) customerDeps() customer.Deps {
	return customer.Deps{Store: p.store, Requests: p.requests, Utilities: p.catalog, Key: p.key, Assets: p.assets, Log: p.log}
}

// sweep tells workflows of customers who left for good, and has the database forget what is old, until ctx ends.
func (p *portal) sweep(ctx context.Context) error {
	leavers, old := time.NewTicker(sweepEvery), time.NewTicker(forgetEvery)
	defer leavers.Stop()
	defer old.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case now := <-leavers.C:
			err = p.customer.Sweep(ctx, now)
		case now := <-old.C:
			err = p.store.Sweep(ctx, now)
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("sweep", zap.Error(err))
		}
	}
}
