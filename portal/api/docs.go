package api

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/meterkey/meterkey/portal/web"
)

// DocsPath is where people read about the API.
const DocsPath = "/api/docs"

//go:embed pages
var pages embed.FS

// serveDescription serves the API's description (OpenAPI 3.1) for programs, and a page made of it for people. Both are
// open to everyone.
func (a *API) serveDescription(mux *http.ServeMux) error {
	description := a.huma.OpenAPI()
	asJSON, err := description.MarshalJSON()
	if err != nil {
		return fmt.Errorf("writing the API's description: %w", err)
	}
	asYAML, err := description.YAML()
	if err != nil {
		return fmt.Errorf("writing the API's description as YAML: %w", err)
	}
	page, err := a.docsPage(description)
	if err != nil {
		return err
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", fixed("application/openapi+json", asJSON))
	mux.HandleFunc("GET "+Prefix+"/openapi.yaml", fixed("application/openapi+yaml", asYAML))
	mux.Handle("GET "+DocsPath, web.Secure(page))
	return nil
}

// fixed answers with the same content always.
func fixed(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(content) // the client has gone: nobody is left to tell
	}
}

func (a *API) docsPage(description *huma.OpenAPI) (http.Handler, error) {
	files, err := fs.Sub(pages, "pages")
	if err != nil {
		return nil, fmt.Errorf("opening the API's pages: %w", err)
	}
	assets, err := web.NewAssets()
	if err != nil {
		return nil, err
	}
	drawn, err := web.NewPages(files, assets, nil)
	if err != nil {
		return nil, err
	}
	content := web.Page{Title: description.Info.Title, Class: "wide api-docs", Styles: []string{"api.css"}, Data: docsOf(description)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := drawn.Write(w, http.StatusOK, "docs", content); err != nil {
			a.Log.Error("page not drawn", zap.String("request_id", requestID(r.Context())), zap.Error(err))
		}
	}), nil
}

// docs is the page's content.
type docs struct {
	Info   *huma.Info
	Server string
	Groups []docsGroup
	Shapes []docsShape
}

type docsGroup struct {
	Name, Text string
	Operations []docsOperation
}

type docsOperation struct {
	*huma.Operation
	Parameters []docsField
	Body       string // name of the body's shape
	Answers    []docsAnswer
	Errors     []string // statuses
}

type docsAnswer struct{ Format, Shape string }

type docsShape struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, In, Type string
	Shape          string // name of the field's shape, if it has one
	Required       bool
	Doc            string
}

func docsOf(description *huma.OpenAPI) docs {
	d := docs{Info: description.Info, Server: description.Servers[0].URL}
	all := operations(description)
	for _, tag := range description.Tags {
		group := docsGroup{Name: tag.Name, Text: tag.Description}
		for _, op := range all {
			if op.Tags[0] == tag.Name {
				group.Operations = append(group.Operations, docsOperationOf(op))
			}
		}
		d.Groups = append(d.Groups, group)
	}
	for name, schema := range description.Components.Schemas.Map() {
		d.Shapes = append(d.Shapes, docsShape{name, docsFields(schema)})
	}
	slices.SortFunc(d.Shapes, func(a, b docsShape) int { return cmp.Compare(a.Name, b.Name) })
	return d
}

// operations are all operations, by path and method.
func operations(description *huma.OpenAPI) []*huma.Operation {
	var all []*huma.Operation
	for _, path := range description.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	slices.SortFunc(all, func(a, b *huma.Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all
}

func docsOperationOf(op *huma.Operation) docsOperation {
	d := docsOperation{Operation: op}
	for _, p := range op.Parameters {
		field := docsFieldOf(p.Name, p.Schema, p.Required)
		field.In, field.Doc = p.In, cmp.Or(p.Description, field.Doc)
		d.Parameters = append(d.Parameters, field)
	}
	if op.RequestBody != nil {
		d.Body = shapeName(op.RequestBody.Content[formatJSON].Schema)
	}
	for status, response := range op.Responses {
		if !strings.HasPrefix(status, "2") {
			d.Errors = append(d.Errors, status)
			continue
		}
		for format, media := range response.Content {
			d.Answers = append(d.Answers, docsAnswer{format, shapeName(media.Schema)})
		}
	}
	slices.Sort(d.Errors)
	slices.SortFunc(d.Answers, func(a, b docsAnswer) int { return cmp.Compare(a.Format, b.Format) })
	return d
}

func docsFields(schema *huma.Schema) []docsField {
	var fields []docsField
	for name, property := range schema.Properties {
		fields = append(fields, docsFieldOf(name, property, slices.Contains(schema.Required, name)))
	}
	slices.SortFunc(fields, func(a, b docsField) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}

func docsFieldOf(name string, schema *huma.Schema, required bool) docsField {
	return docsField{Name: name, Type: typeName(schema), Shape: shapeName(schema), Required: required, Doc: schema.Description}
}

// typeName says what a value is, such as "string or null" or "array of Meter".
func typeName(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return "anything"
	case schema.Ref != "":
		return shapeName(schema)
	case len(schema.AnyOf) > 0:
		var names []string
		for _, one := range schema.AnyOf {
			names = append(names, typeName(one))
		}
		return strings.Join(names, " or ")
	case schema.Type == huma.TypeArray:
		return "array of " + typeName(schema.Items)
	case schema.Nullable:
		return schema.Type + " or null"
	case schema.Format == "date-time":
		return "time"
	}
	return schema.Type
}

// shapeName is the name of the shape that a schema refers to, "" if it refers to none.
func shapeName(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return ""
	case schema.Ref != "":
		return schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
	case schema.Items != nil:
		return shapeName(schema.Items)
	case len(schema.AnyOf) > 0:
		return shapeName(schema.AnyOf[0])
	}
	return ""
}
