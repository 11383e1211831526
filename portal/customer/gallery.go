package customer

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/portal/web"
)

// GalleryPrefix is where Gallery is to be mounted.
const GalleryPrefix = "/gallery/"

// gallery shows every page in every state, drawn as it is for customers, from states that are made up.
type gallery struct {
	*Handler
	previews []preview
}

// Gallery serves an index of all pages in all states, below GalleryPrefix. Of the dependencies it needs Utilities, Assets
// and Log alone. It is for looking at, and for tests: what is pressed there does nothing.
func Gallery(d Deps) (http.Handler, error) {
	h, err := New(d)
	if err != nil {
		return nil, err
	}
	g := &gallery{Handler: h}
	if g.previews, err = previews(d.Utilities); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+GalleryPrefix+"{$}", g.index)
	mux.HandleFunc("GET "+GalleryPrefix+"{lang}/{name}", g.show)
	mux.HandleFunc(GalleryPrefix, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, GalleryPrefix, http.StatusSeeOther)
	})
	return web.Secure(mux), nil
}

// index lists the previews.
func (g *gallery) index(w http.ResponseWriter, _ *http.Request) {
	var names []string
	for _, s := range g.previews {
		names = append(names, s.name)
	}
	g.log(g.pages.Write(w, http.StatusOK, "gallery", web.Page{Title: "Gallery", Class: "wide", Styles: []string{"customer.css"},
		Data: map[string]any{"Prefix": GalleryPrefix, "Languages": languages(), "Previews": names}}))
}

func (g *gallery) show(w http.ResponseWriter, r *http.Request) {
	lang, s := knownLanguage(r.PathValue("lang")), g.named(r.PathValue("name"))
	if s == nil || lang == "" {
		g.missing(w, r)
		return
	}
	if other := knownLanguage(r.URL.Query().Get("lang")); other != "" {
		http.Redirect(w, r, GalleryPrefix+other+"/"+s.name, http.StatusSeeOther)
		return
	}
	if s.problem != "" {
		g.problem(w, s.status, g.words.in(lang), s.problem, s.link, "Requester", s.model.Requester)
		return
	}
	model := s.model
	model.localizer, model.Base = g.words.in(lang), GalleryPrefix+lang+"/"+s.name
	name, page, err := model.draw()
	if err == nil {
		err = g.pages.Write(w, s.status, name, page)
	}
	g.log(err)
}

// named finds a preview, nil if there is none of this name.
func (g *gallery) named(name string) *preview {
	for i := range g.previews {
		if g.previews[i].name == name {
			return &g.previews[i]
		}
	}
	return nil
}

func (g *gallery) log(err error) {
	if err != nil {
		g.Log.Error("gallery", zap.Error(err))
	}
}
