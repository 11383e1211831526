// Package api is the requester's HTTP API, version 2: forms, authorizations, meters and events, in the shapes of
// UtilityAPI's v2, so that its clients work by changing the base address. docs/api.md teaches it.
//
// Each resource has a file: its shapes, its operations, and a method (a *API) registerX that New calls. Operations are
// added with register; what they return as errors is put into the one envelope (see Error).
package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/testsubmit"
	"github.com/meterkey/meterkey/portal/webhooks"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// Prefix is what the path of every operation begins with.
const Prefix = "/api/v2"

// Deps is what the API works with.
type Deps struct {
	Store     *store.Store
	Requests  *sdk.Client
	Utilities *utilities.Catalog
	Key       *portalkey.Key
	// PortalURL is where the portal is reached from outside, without a slash at its end; links begin with it.
	PortalURL string
	// Webhooks checks webhooks' addresses, makes their secrets, and starts and repeats their deliveries.
	Webhooks *webhooks.Service
	// TestSubmit plays practice customers; nil where there are no practice utilities.
	TestSubmit *testsubmit.Service
	Log        *zap.Logger
}

// API serves the operations. It is safe for concurrent use.
type API struct {
	Deps
	huma huma.API
}

// New is the API as a handler, to be mounted at /api/. The page for people loads web.Assets, which the portal serves.
func New(d Deps) (http.Handler, error) {
	d.PortalURL = strings.TrimSuffix(d.PortalURL, "/")
	routes := http.NewServeMux()
	a := &API{Deps: d, huma: humago.NewWithPrefix(routes, Prefix, config(d))}
	a.registerTemplates()
	a.registerForms()
	a.registerAuthorizations()
	a.registerMeters()
	a.registerEvents()
	a.registerWebhooks()
	a.registerTestSubmit()

	all := http.NewServeMux()
	if err := a.serveDescription(all); err != nil {
		return nil, err
	}
	all.Handle(Prefix+"/", a.authenticate(limitRate(enveloped(routes))))
	return a.guard(enveloped(all)), nil
}

// config describes the API as a whole. The library's own pages are off: they load scripts from elsewhere.
func config(d Deps) huma.Config {
	c := huma.DefaultConfig("Meterkey API", "2")
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat}
	c.Info.Description = "Connect a utility customer's account and read its meter list."
	c.Tags = []*huma.Tag{
		{Name: "Forms", Description: "A form is one data request: what a customer is asked for, and by which link."},
		{Name: "Authorizations", Description: "A customer's consent, with what came of it, and what the customer is asked for now."},
		{Name: "Meters", Description: "What the utility's site lists."},
		{Name: "Events", Description: "What happened, for systems that missed a webhook."},
		{Name: "Webhooks", Description: "Addresses that events are posted to."},
		{Name: "Tests", Description: "Customers that are played at the practice utilities."},
		{Name: "Templates", Description: "What forms are made from."},
		{Name: "Not collected", Description: "What UtilityAPI's clients may ask for and Meterkey does not read."},
	}
	c.Servers = []*huma.Server{{URL: d.PortalURL + Prefix}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":       {Type: "http", Scheme: "bearer", Description: "An API key of the requester's."},
		"access_token": {Type: "apiKey", In: "query", Name: "access_token", Description: "The same key as a parameter."},
	}
	c.Security = []map[string][]string{{"bearer": {}}, {"access_token": {}}}
	return c
}

// link is the address of one of our paths, as seen from outside.
func (a *API) link(path string) string { return a.PortalURL + path }
