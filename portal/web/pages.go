package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
)

//go:embed templates
var templates embed.FS

// Page is what the base page is drawn from.
type Page struct {
	// Lang is the language of the text, "en" or "es". Empty means English.
	Lang string
	// Title names the page in the browser's tab; the product's name is added.
	Title string
	// Flash, if any, is said above the content.
	Flash *Flash
	// Live is the address of the stream whose "page" events replace the content of <main>, until an "end" event. Empty:
	// the page stands still.
	Live string
	// Key names what is shown. An event of the stream that carries the same id is not swapped in.
	Key string
	// Refresh is after how many seconds a browser without scripts asks again. 0: never.
	Refresh int
	// Styles and Scripts are more files to load, by the names that Assets knows.
	Styles, Scripts []string
	// Class is put on the body.
	Class string
	// Data is for the page's own template.
	Data any
}

// Flash is one sentence about what was just done.
type Flash struct {
	Kind FlashKind
	Text string
}

// FlashKind says how a flash looks.
type FlashKind string

// The kinds of flash.
const (
	Note    FlashKind = "note"
	Success FlashKind = "success"
	Warning FlashKind = "warning"
	Failure FlashKind = "failure"
)

// Pages draws pages: a base page with blocks that each page's own template fills. It is safe for concurrent use.
type Pages struct {
	byName map[string]*template.Template
}

// NewPages reads templates: each *.html file of the folder is a page, named without the extension, except those whose
// names begin with "_" (to embed those, write all:), which all pages share. A page defines at least the block "main"; it may define "head",
// "header", "footer" as well. Its templates are executed with a Page. Funcs are added to "asset", which gives a file's
// address.
func NewPages(files fs.FS, assets *Assets, funcs template.FuncMap) (*Pages, error) {
	all := template.FuncMap{"asset": assets.Address}
	maps.Copy(all, funcs)
	base, err := template.New("base.html").Funcs(all).ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the base page: %w", err)
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("listing pages: %w", err)
	}
	p := &Pages{byName: map[string]*template.Template{"error": base}}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		page, err := parsePage(base, files, name)
		if err != nil {
			return nil, err
		}
		p.byName[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return p, nil
}

func parsePage(base *template.Template, files fs.FS, name string) (*template.Template, error) {
	page, err := base.Clone()
	if err != nil {
		return nil, fmt.Errorf("copying the base page: %w", err)
	}
	shared, err := fs.Glob(files, "_*.html")
	if err != nil {
		return nil, fmt.Errorf("listing shared templates: %w", err)
	}
	if page, err = page.ParseFS(files, append(shared, name)...); err != nil {
		return nil, fmt.Errorf("reading page %s: %w", name, err)
	}
	return page, nil
}

// Write answers with a whole page. Nothing is sent when the page cannot be drawn.
func (p *Pages) Write(w http.ResponseWriter, status int, name string, page Page) error {
	var body bytes.Buffer
	if err := p.Draw(&body, name, "base.html", page); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("sending page %s: %w", name, err)
	}
	return nil
}

// Draw writes one block of a page, such as "main", or all of it as "base.html".
func (p *Pages) Draw(w io.Writer, name, block string, page Page) error {
	t, ok := p.byName[name]
	if !ok {
		return fmt.Errorf("drawing page %q: there is none", name)
	}
	if err := t.ExecuteTemplate(w, block, page); err != nil {
		return fmt.Errorf("drawing page %q: %w", name, err)
	}
	return nil
}

// Fragment is the title and what stands in <main>, for an event of the page's stream.
func (p *Pages) Fragment(name string, page Page) (string, error) {
	var text strings.Builder
	if err := p.Draw(&text, name, "fragment", page); err != nil {
		return "", err
	}
	return text.String(), nil
}

// ErrorText is the content of the page "error", which is there without a template: put one into Page.Data.
type ErrorText struct {
	Heading, Text string
	// Link, if any, leads on, and LinkText says where.
	Link, LinkText string
}
