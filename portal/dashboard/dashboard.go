package dashboard

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/imports"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// Prefix is what the path of every page begins with.
const Prefix = "/dashboard/"

//go:embed all:templates
var templates embed.FS

// Deps is what the dashboard works with.
type Deps struct {
	Store     *store.Store
	Requests  *sdk.Client
	Imports   *imports.Service
	Utilities *utilities.Catalog
	Key       *portalkey.Key
	Assets    *web.Assets
	Webhooks  Webhooks
	// PortalURL is where the portal is reached from outside, without a slash at its end. Where it begins with https://,
	// cookies are sent over nothing else.
	PortalURL string
	Log       *zap.Logger
}

// Webhooks is what the dashboard asks of those who deliver webhooks. It must be safe for concurrent use.
type Webhooks interface {
	// Check tells why nothing may be delivered to an address, in words for whoever typed it.
	Check(ctx context.Context, address string) error
	// NewSecret makes a signing secret: as it is shown to the requester, and as it is stored.
	NewSecret() (shown, sealed string, err error)
	// Deliver starts deliveries. One that cannot be started now is started later.
	Deliver(ctx context.Context, deliveries ...string)
	// Redeliver makes a requester's delivery anew and starts it. store.ErrNotFound.
	Redeliver(ctx context.Context, requester, uid string) (store.Delivery, error)
}

type dashboard struct {
	Deps
	pages *web.Pages
	watch *watch
}

// New is the dashboard as a handler, to be mounted at Prefix behind net/http.CrossOriginProtection.
func New(d Deps) (http.Handler, error) {
	d.PortalURL = strings.TrimSuffix(d.PortalURL, "/")
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, fmt.Errorf("opening the dashboard's templates: %w", err)
	}
	h := &dashboard{Deps: d, watch: newWatch(d.Store.LastChange)}
	if h.pages, err = web.NewPages(files, d.Assets, funcs()); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	h.routeSessions(mux)
	h.routeRequests(mux)
	h.routeImports(mux)
	h.routeKeys(mux)
	h.routeWebhooks(mux)
	mux.Handle("GET /dashboard/numbers", h.signedIn(h.showStats))
	mux.Handle("GET /dashboard/{$}", http.RedirectHandler(listPath, http.StatusSeeOther))
	mux.Handle(Prefix, h.signedIn(func(http.ResponseWriter, *http.Request, person) error { return store.ErrNotFound }))
	return web.Secure(bounded(mux)), nil
}

// maxForm is far above any form that is not a file.
const maxForm = 64 << 10

// bounded bounds what a form may hold. Uploads, which may hold more, set their own bound.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != importsPath {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		}
		next.ServeHTTP(w, r)
	})
}

// funcs are what templates say things with.
func funcs() template.FuncMap {
	return template.FuncMap{
		"words":   func(s meterkey.Status) badge { w := wordsFor(s); return badge{w.name, w.tone} },
		"outcome": deliveryBadge,
		"reason":  reasonWords,
		"actor":   actsWords,
		"number":  thousands,
		"over":    func(end *time.Time) bool { return end != nil && !end.After(time.Now()) },
		"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"date":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
		"ago":     func(t time.Time) string { return agoWords(t, time.Now()) },
	}
}

// badge is a word in a colour.
type badge struct {
	Name string
	Tone tone
}

// frame is what every page is drawn from: who is signed in, where they are, and what the page itself shows.
type frame struct {
	Person *personView
	Places []navLink
	Body   any
}

// navLink is one entry of the navigation.
type navLink struct {
	Name, Address string
	Here          bool
}

func navLinks(path string) []navLink {
	all := []navLink{
		{Name: "Requests", Address: listPath}, {Name: "Numbers", Address: "/dashboard/numbers"},
		{Name: "API keys", Address: keysPath}, {Name: "Webhooks", Address: webhooksPath},
	}
	for i, p := range all {
		all[i].Here = strings.HasPrefix(path, p.Address) || p.Address == listPath && strings.HasPrefix(path, importsPath)
	}
	return all
}

// page is one page to be drawn.
type page struct {
	name, title string
	status      int // 0: 200
	class       string
	refresh     int // seconds, for browsers without scripts
	body        any
}

// write draws a page for who is signed in.
func (h *dashboard) write(w http.ResponseWriter, r *http.Request, p *person, v page) error {
	f := frame{Body: v.body}
	if p != nil {
		f.Person, f.Places = p.view(), navLinks(r.URL.Path)
	}
	if v.status == 0 {
		v.status = http.StatusOK
	}
	if v.class == "" {
		v.class = "wide"
	}
	styles := []string{"dashboard.css"}
	scripts := []string{"dashboard.js"}
	if v.name == "stats" {
		styles, scripts = append(styles, "vendor/uplot.min.css"), append(scripts, "vendor/uplot.min.js", "plots.js")
	}
	return h.pages.Write(w, v.status, v.name, web.Page{Title: v.title, Class: v.class, Flash: flashOf(r), Refresh: v.refresh,
		Styles: styles, Scripts: scripts, Data: f})
}

// fragment draws the changing part of a page alone, for a page that shows the rest already.
func (h *dashboard) fragment(w http.ResponseWriter, name string, body any) error {
	var part bytes.Buffer
	if err := h.pages.Draw(&part, name, "part", web.Page{Data: frame{Body: body}}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := part.WriteTo(w)
	return err
}

// wantsFragment tells whether a page asks for the part of itself that has this id.
func wantsFragment(r *http.Request, id string) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Target") == id
}

// problem answers an error with a page in the words for it.
func (h *dashboard) problem(w http.ResponseWriter, r *http.Request, p *person, err error) {
	text, status := web.ErrorText{Link: listPath, LinkText: "To the data requests"}, http.StatusInternalServerError
	var tooLarge *http.MaxBytesError
	switch {
	case r.Context().Err() != nil:
		return // nobody is there to read it
	case errors.Is(err, store.ErrNotFound), errors.Is(err, sdk.ErrNotFound):
		status, text.Heading = http.StatusNotFound, "There is nothing here"
		text.Text = "The address may be mistyped, or what it showed is gone."
	case errors.Is(err, sdk.ErrEnded):
		status, text.Heading = http.StatusConflict, "The request has ended"
		text.Text = "It ended just before you pressed the button. Resend it to open it again."
	case errors.Is(err, errTemporalAway):
		status, text.Heading = http.StatusServiceUnavailable, "Meterkey does not answer at the moment"
		text.Text = "Nothing is lost. Go back and try again in a minute; nothing happens twice."
		h.Log.Warn("dashboard", zap.String("page", r.Pattern), zap.Error(err))
	case errors.As(err, &tooLarge):
		status, text.Heading = http.StatusRequestEntityTooLarge, "That was too much"
		text.Text = "What was sent is larger than this page takes."
	default:
		text.Heading, text.Text = "Something went wrong on our side", "Nothing is lost. Please try again in a moment."
		h.Log.Error("dashboard", zap.String("method", r.Method), zap.String("page", r.Pattern), zap.Error(err))
	}
	if err := h.write(w, r, p, page{name: "problem", title: text.Heading, status: status, body: text}); err != nil {
		h.Log.Error("dashboard: showing a problem", zap.Error(err))
		http.Error(w, text.Heading, status)
	}
}

// done goes on to a page that says what was just done; the code is one of doneTexts.
func done(w http.ResponseWriter, r *http.Request, address, code string) {
	//nolint:gosec // every address begins with a path of the dashboard's
	http.Redirect(w, r, address+"?done="+code, http.StatusSeeOther)
}

// flashOf says what was just done.
func flashOf(r *http.Request) *web.Flash {
	if text := doneText(r.URL.Query().Get("done")); text != "" {
		return &web.Flash{Kind: web.Success, Text: text}
	}
	return nil
}

func doneText(code string) string {
	switch code {
	case "sent":
		return "The data request is on its way to the customer."
	case "resent":
		return "The data request was sent again. The customer has a new link; the old one says so."
	case "canceled":
		return "The request is being called off, and the customer told."
	case "revoked":
		return "The permission is revoked and the meters are deleted."
	case "archived":
		return "The request is archived. The list shows it under Archived."
	case "unarchived":
		return "The request is back in the list."
	case "late":
		return "Nothing was sent: the utility does not ask for this any more."
	case "code":
		return "The answer was passed to the utility."
	case "password":
		return "Your password is changed. You are signed out everywhere else."
	case "key-revoked":
		return "The key is revoked. It opens nothing from now on."
	case "webhook-on", "webhook-off":
		return "The webhook is switched " + strings.TrimPrefix(code, "webhook-") + "."
	case "webhook-deleted":
		return "The webhook is deleted."
	case "pinged":
		return "A ping is on its way. Look again in a moment for the answer."
	case "redelivered":
		return "The events are on their way again, as a new delivery."
	}
	return ""
}
