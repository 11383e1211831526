package customer

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/go-chi/httprate"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/internal/portalkey"
	"github.com/meterkey/meterkey/internal/store"
	"github.com/meterkey/meterkey/portal/web"
	"github.com/meterkey/meterkey/sdk"
	"github.com/meterkey/meterkey/utilities"
)

// Prefix is where the pages are to be mounted: a link is Prefix and a token of portalkey.
const Prefix = "/r/"

const (
	// triesPerMinute bounds what may be sent with one link, so that nobody guesses codes or passwords by it.
	triesPerMinute = 20
	// maxForm bounds the bytes of a form.
	maxForm = 16 << 10
)

//go:embed all:templates
var templateFiles embed.FS

// Deps is what the pages need.
type Deps struct {
	Store     *store.Store
	Requests  *sdk.Client // with the workers' recipient, to which it seals what customers type
	Utilities *utilities.Catalog
	Key       *portalkey.Key
	Assets    *web.Assets
	Log       *zap.Logger
}

// Handler serves the customer's pages below Prefix.
type Handler struct {
	Deps
	pages   *web.Pages
	words   *words
	hub     *hub
	handler http.Handler
}

// New reads the templates and words. The handler sets its own security headers; put http.CrossOriginProtection around it.
// Streams end with their requests' contexts: a server that stops should cancel those.
func New(d Deps) (*Handler, error) {
	h := &Handler{Deps: d, hub: newHub(d.Requests.Follow)}
	var err error
	if h.pages, err = loadPages(d.Assets); err != nil {
		return nil, err
	}
	if h.words, err = loadWords(); err != nil {
		return nil, err
	}
	h.handler = web.Secure(h.routes())
	return h, nil
}

func loadPages(assets *web.Assets) (*web.Pages, error) {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, fmt.Errorf("opening the customer's templates: %w", err)
	}
	return web.NewPages(files, assets, nil)
}

// ServeHTTP serves one page, form or stream.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.handler.ServeHTTP(w, r) }

func (h *Handler) routes() http.Handler {
	limit := httprate.LimitBy(triesPerMinute, time.Minute, h.linkKey, httprate.WithLimitHandler(h.busy))
	form := func(act func(*pageRequest) error) http.Handler { return limit(h.current(act)) }
	mux := http.NewServeMux()
	mux.HandleFunc(Prefix, h.missing)
	mux.Handle("GET "+Prefix+"{token}", h.current((*pageRequest).show))
	mux.Handle("GET "+Prefix+"{token}/live", h.linked((*pageRequest).live, (*pageRequest).failLive))
	mux.Handle("GET "+Prefix+"{token}/utilities", h.current((*pageRequest).found))
	mux.Handle("GET "+Prefix+"{token}/decline", h.current((*pageRequest).askDecline))
	mux.Handle("GET "+Prefix+"{token}/{rest...}", h.current((*pageRequest).goBack))
	mux.Handle("POST "+Prefix+"{token}/consent", form((*pageRequest).consent))
	mux.Handle("POST "+Prefix+"{token}/decline", form((*pageRequest).decline))
	mux.Handle("POST "+Prefix+"{token}/login", form((*pageRequest).login))
	mux.Handle("POST "+Prefix+"{token}/code", form((*pageRequest).code))
	mux.Handle("POST "+Prefix+"{token}/again", form((*pageRequest).again))
	mux.HandleFunc("POST "+Prefix+"{token}/presence", h.touch)
	return mux
}

// linkKey counts a request's tries together, whichever of its links they come by; strangers' tokens count together.
func (h *Handler) linkKey(r *http.Request) (string, error) {
	id, _, _ := h.Key.ReadLinkToken(r.PathValue("token"))
	return id, nil
}

// problem shows a page that says what is wrong; id names its messages.
func (h *Handler) problem(w http.ResponseWriter, status int, say localizer, id, link string, facts ...any) {
	page, err := h.problemPage(say, id, link, facts...)
	if err == nil {
		err = h.pages.Write(w, status, "error", page)
	}
	if err != nil {
		h.Log.Error("customer's page", zap.String("page", id), zap.Error(err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

func (h *Handler) problemPage(say localizer, id, link string, facts ...any) (web.Page, error) {
	text := web.ErrorText{Link: link}
	var err error
	if text.Heading, err = say.T(id+".title", facts...); err != nil {
		return web.Page{}, err
	}
	if text.Text, err = say.T(id+".text", facts...); err != nil {
		return web.Page{}, err
	}
	if link != "" {
		text.LinkText, err = say.T(id + ".link")
	}
	return web.Page{Lang: say.Lang, Title: text.Heading, Key: id, Styles: []string{"customer.css"}, Class: "customer", Data: text}, err
}

func (h *Handler) missing(w http.ResponseWriter, r *http.Request) {
	h.problem(w, http.StatusNotFound, h.words.forRequest(r), "missing", "")
}

func (h *Handler) busy(w http.ResponseWriter, r *http.Request) {
	h.problem(w, http.StatusTooManyRequests, h.words.forRequest(r), "busy", Prefix+r.PathValue("token"))
}
