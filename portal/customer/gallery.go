package customer

import (
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/meterkey/meterkey/portal/web"
)

// GalleryPrefix is where Gallery is to be mounted.
const GalleryPrefix = "/gallery/"

// gallery shows every page in every state, drawn as it is for customers, from states that are made up.
type gallery struct {
	*Handler
	scenes []scene
}

// Gallery serves an index of all pages in all states, below GalleryPrefix. Of the dependencies it needs Utilities, Assets
// and Log alone. It is for looking at, and for tests: what is pressed there does nothing.
func Gallery(d Deps) (http.Handler, error) {
	h, err := New(d)
	if err != nil {
		return nil, err
	}
	g := &gallery{Handler: h}
	if g.scenes, err = scenes(d.Utilities); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+GalleryPrefix+"{$}", g.index)
	mux.HandleFunc("GET "+GalleryPrefix+"{lang}/{name}", g.scene)
	mux.HandleFunc(GalleryPrefix, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, GalleryPrefix, http.StatusSeeOther)
	})
	return web.Secure(mux), nil
}

// index lists the scenes.
func (g *gallery) index(w http.ResponseWriter, _ *http.Request) {
	var names []string
	for _, s := range g.scenes {
		names = append(names, s.name)
	}
	g.log(g.pages.Write(w, http.StatusOK, "gallery", web.Page{Title: "Gallery", Class: "wide", Styles: []string{"customer.css"},
		Data: map[string]any{"Prefix": GalleryPrefix, "Languages": languages(), "Scenes": names}}))
}

func (g *gallery) scene(w http.ResponseWriter, r *http.Request) {
	lang, name := r.PathValue("lang"), r.PathValue("name")
	at := slices.IndexFunc(g.scenes, func(s scene) bool { return s.name == name })
	if at < 0 || !slices.Contains(languages(), lang) {
		g.missing(w, r)
		return
	}
	if other := r.URL.Query().Get("lang"); slices.Contains(languages(), other) {
		http.Redirect(w, r, GalleryPrefix+other+"/"+name, http.StatusSeeOther)
		return
	}
	s := g.scenes[at]
	if s.problem != "" {
		g.problem(w, s.status, g.words.in(lang), s.problem, s.link, "Requester", s.sight.Requester)
		return
	}
	s.sight.speech, s.sight.Base = g.words.in(lang), GalleryPrefix+lang+"/"+name
	page, drawn, err := s.sight.draw()
	if err == nil {
		err = g.pages.Write(w, s.status, page, drawn)
	}
	g.log(err)
}

func (g *gallery) log(err error) {
	if err != nil {
		g.Log.Error("gallery", zap.Error(err))
	}
}
