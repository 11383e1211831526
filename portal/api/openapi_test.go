package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// description is the API's own description as a client reads it.
type description struct {
	document map[string]any
	routes   *http.ServeMux // only to find the operation of a call
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	schemas  map[string]*jsonschema.Schema
}

const descriptionURL = "https://meterkey.example/openapi.json"

func newDescription(t testing.TB, document []byte) *description {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	d := &description{routes: http.NewServeMux(), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.document = member(t, parsed)
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	require.NoError(t, d.compiler.AddResource(descriptionURL, parsed))
	for path, methods := range member(t, d.document["paths"]) {
		for method := range member(t, methods) {
			d.routes.Handle(strings.ToUpper(method)+" "+Prefix+path, http.NotFoundHandler())
		}
	}
	return d
}

func member(t testing.TB, v any) map[string]any {
	t.Helper()
	object, ok := v.(map[string]any)
	require.True(t, ok, "%v is no object", v)
	return object
}

// conforms holds an answer to what the description says of it. What is not described is a 404 or 405 of the envelope, or
// stands outside of the operations.
func (d *description) conforms(t testing.TB, answer *http.Response, body []byte) {
	t.Helper()
	_, pattern := d.routes.Handler(answer.Request)
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return
	}
	status := pointerTo("paths", strings.TrimPrefix(path, Prefix), strings.ToLower(method), "responses", status(answer))
	response := member(t, d.at(t, status))
	format, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	require.Contains(t, member(t, response["content"]), format, "%s answered in a format that is not described", pattern)
	if format != formatJSON {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, d.schema(t, status+pointerTo("content", formatJSON, "schema")).Validate(value), "%s: %s", pattern, body)
}

func status(answer *http.Response) string { return answer.Status[:3] }

// at is what stands at a JSON pointer.
func (d *description) at(t testing.TB, pointer string) any {
	t.Helper()
	var here any = d.document
	for part := range strings.SplitSeq(pointer[1:], "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		object := member(t, here)
		require.Contains(t, object, name, "the description has nothing at %s", pointer)
		here = object[name]
	}
	return here
}

func pointerTo(names ...string) string {
	var pointer strings.Builder
	for _, name := range names {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return pointer.String()
}

func (d *description) schema(t testing.TB, pointer string) *jsonschema.Schema {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.schemas[pointer] == nil {
		schema, err := d.compiler.Compile(descriptionURL + "#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer))
		require.NoError(t, err)
		d.schemas[pointer] = schema
	}
	return d.schemas[pointer]
}

// outside gets something that is open to everyone.
func (p *party) outside(path string) []byte {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.server.URL+path, nil)
	require.NoError(p.t, err)
	body := p.send(r)
	require.Equal(p.t, http.StatusOK, p.last.StatusCode)
	return body
}

func TestDescription_IsWhole(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	d := p.described
	require.Equal(t, "3.1.0", d.document["openapi"])
	require.Equal(t, []any{map[string]any{"url": p.server.URL + Prefix}}, d.document["servers"])
	ids := map[string]bool{}
	for path, methods := range member(t, d.document["paths"]) {
		for method, operation := range member(t, methods) {
			op := member(t, operation)
			id, _ := op["operationId"].(string)
			require.NotEmpty(t, id, "%s %s", method, path)
			require.False(t, ids[id], "%s twice", id)
			ids[id] = true
			require.NotEmpty(t, op["summary"], id)
			require.NotEmpty(t, op["tags"], id)
			requirePathParameters(t, path, op)
			responses := slices.Sorted(maps.Keys(member(t, op["responses"])))
			require.Subset(t, responses, []string{"200", "400", "401", "429", "503"}, id)
		}
	}
	for name := range member(t, d.at(t, "/components/schemas")) {
		d.schema(t, pointerTo("components", "schemas", name)) // each compiles, and so do all that it refers to
	}
}

// requirePathParameters: each {name} of a path is a parameter, and each path parameter is in the path.
func requirePathParameters(t testing.TB, path string, op map[string]any) {
	t.Helper()
	parameters, _ := op["parameters"].([]any)
	var declared []string
	for _, one := range parameters {
		if parameter := member(t, one); parameter["in"] == "path" {
			declared = append(declared, fmt.Sprintf("{%s}", parameter["name"]))
		}
	}
	var written []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			written = append(written, part)
		}
	}
	require.ElementsMatch(t, written, declared, path)
}

func TestDescription_NamesUtilityAPIsEndpoints(t *testing.T) {
	t.Parallel()
	d := newParty(t).described
	for _, endpoint := range []string{
		"GET /templates", "GET /templates/{uid}", "GET /forms", "POST /forms", "GET /forms/{uid}", "POST /forms/{uid}", "DELETE /forms/{uid}",
		"POST /forms/{uid}/test-submit", "GET /authorizations", "GET /authorizations/{uid}", "POST /authorizations/{uid}",
		"DELETE /authorizations/{uid}", "POST /authorizations/{uid}/revoke", "GET /meters", "GET /meters/{uid}", "POST /meters/{uid}",
		"POST /meters/historical-collection", "POST /meters/ongoing-monitoring", "GET /bills", "GET /intervals", "GET /events", "GET /events/{uid}",
	} {
		method, path, _ := strings.Cut(endpoint, " ")
		require.Contains(t, member(t, d.at(t, pointerTo("paths", path))), strings.ToLower(method), endpoint)
	}
}

func TestDescription_AsYAML(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	var fromYAML any
	require.NoError(t, yaml.Unmarshal(p.outside("/api/v2/openapi.yaml"), &fromYAML))
	require.Equal(t, "application/openapi+yaml", p.last.Header.Get("Content-Type"))
	again, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	require.JSONEq(t, string(p.outside("/api/v2/openapi.json")), string(again))
}

func TestDocsPage(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	page := string(p.outside(DocsPath))
	require.Contains(t, p.last.Header.Get("Content-Security-Policy"), "default-src 'self'")
	for _, methods := range member(t, p.described.document["paths"]) {
		for _, operation := range member(t, methods) {
			require.Contains(t, page, fmt.Sprintf(`id="%s"`, member(t, operation)["operationId"]))
		}
	}
	for name := range member(t, p.described.at(t, "/components/schemas")) {
		require.Contains(t, page, `id="shape-`+name+`"`)
	}
	for _, attribute := range []string{`src="`, `href="`} { // nothing is loaded from elsewhere
		for _, rest := range strings.Split(page, attribute)[1:] {
			address, _, _ := strings.Cut(rest, `"`)
			require.True(t, strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") || strings.HasPrefix(address, "#"), address)
		}
	}
}
