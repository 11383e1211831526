package practice

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed pages static
var files embed.FS

// view is what every page is drawn from.
type view struct {
	Site, Name, Title string
	Late              int64  // milliseconds until the page's forms draw themselves
	Ends              string // milliseconds until the session ends, empty for never
	SignedIn          bool
	Data              any
}

// pages are the parsed templates, by "folder/name".
type pages struct{ byName map[string]*template.Template }

func parsePages() (*pages, error) {
	layout, err := template.New("layout.html").Funcs(template.FuncMap{"lower": strings.ToLower}).
		ParseFS(files, "pages/layout.html", "pages/partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing the page layout: %w", err)
	}
	found, err := fs.Glob(files, "pages/*/*.html")
	if err != nil {
		return nil, fmt.Errorf("listing pages: %w", err)
	}
	all := &pages{byName: map[string]*template.Template{}}
	for _, file := range found {
		own, err := template.Must(layout.Clone()).ParseFS(files, file)
		if err != nil {
			return nil, fmt.Errorf("parsing page %s: %w", file, err)
		}
		folder, name := path.Split(strings.TrimPrefix(file, "pages/"))
		all.byName[folder+strings.TrimSuffix(name, ".html")] = own
	}
	return all, nil
}

// write draws a page into memory first, so that a broken one is never half sent. A name like folder/page#part draws that
// part alone.
func (p *pages) write(w http.ResponseWriter, status int, name string, v view) error {
	name, part, _ := strings.Cut(name, "#")
	page, known := p.byName[name]
	if !known {
		http.Error(w, "no such page", http.StatusInternalServerError)
		return fmt.Errorf("no page is called %q", name)
	}
	var html bytes.Buffer
	if part == "" {
		part = page.Name()
	}
	if err := page.ExecuteTemplate(&html, part, v); err != nil {
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := html.WriteTo(w); err != nil {
		return fmt.Errorf("sending %s: %w", name, err)
	}
	return nil
}

// assets serves the style sheet and the pages' scripts.
func assets() (http.Handler, error) {
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, fmt.Errorf("opening the pages' scripts: %w", err)
	}
	return http.StripPrefix("/practice/assets/", http.FileServerFS(static)), nil
}
