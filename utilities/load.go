package utilities

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed *.yaml shared/*.yaml
var embedded embed.FS

//go:embed schema.json
var schemaJSON []byte

// Schema returns the JSON Schema (2020-12) of a utility file.
func Schema() []byte { return bytes.Clone(schemaJSON) }

// ParseFile reads and checks one utility file. A mistake names file, line and field; several come joined.
func ParseFile(name string, data []byte) (*Utility, error) {
	return parseFile(name, data, embedded)
}

// parseFile looks for shared flows in shared first, so that a folder of the operator's may hold its own.
func parseFile(name string, data []byte, shared ...fs.FS) (*Utility, error) {
	own, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	d := &document{own: own}
	if err := d.addBase(shared); err != nil {
		return nil, err
	}
	if err := d.checkSchema(); err != nil {
		return nil, err
	}
	u, err := d.decode()
	if err != nil {
		return nil, err
	}
	if err := d.check(u); err != nil {
		return nil, err
	}
	return u, nil
}

// document is a utility file together with the shared flow it may follow.
type document struct {
	own  *yamlText
	base *yamlText
}

var constant = regexp.MustCompile(`\$\{([a-z_]+)\}`)

// addBase reads the shared flow the file is like, with the file's constants put in.
func (d *document) addBase(shared []fs.FS) error {
	like, ok := d.own.values["like"].(string)
	if !ok {
		return nil
	}
	name := "shared/" + like + ".yaml"
	data, err := firstFile(name, shared)
	if err != nil {
		return d.mistake("there is no shared flow of this name", "like")
	}
	with, _ := d.own.values["with"].(map[string]any) // of another type: the schema says so
	var missing []string
	filled := constant.ReplaceAllStringFunc(string(data), func(found string) string {
		key := constant.FindStringSubmatch(found)[1]
		value, ok := with[key]
		if !ok {
			missing = append(missing, key)
		}
		return fmt.Sprint(value)
	})
	if len(missing) > 0 {
		slices.Sort(missing)
		return d.mistake(name+" also needs "+strings.Join(slices.Compact(missing), ", "), "with")
	}
	d.base, err = parseYAML(name, []byte(filled))
	return err
}

func firstFile(name string, folders []fs.FS) ([]byte, error) {
	for _, folder := range folders {
		data, err := fs.ReadFile(folder, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return nil, os.ErrNotExist
}

// values are the file's own, with flow and unverified of the shared one.
func (d *document) values() map[string]any {
	values := map[string]any{}
	for key, value := range d.own.values {
		values[key] = value
	}
	if d.base == nil {
		return values
	}
	for key, value := range d.base.values {
		if key != "unverified" {
			values[key] = value
		}
	}
	delete(values, "unverified")
	var joined []any
	for _, s := range []*yamlText{d.own, d.base} {
		list, isList := s.values["unverified"].([]any)
		if said := s.values["unverified"]; said != nil && !isList {
			values["unverified"] = said // the schema says what is wrong with it
			return values
		}
		joined = append(joined, list...)
	}
	if len(joined) > 0 {
		values["unverified"] = joined
	}
	return values
}

// mistake says what is wrong with a field, in the file where the field stands.
func (d *document) mistake(problem string, path ...string) error {
	at := d.own
	place := path
	if d.base != nil && len(path) > 0 {
		_, owned := d.own.values[path[0]]
		shift := len(d.ownUnverified())
		switch {
		case path[0] == "unverified" && len(path) > 1:
			if i, err := strconv.Atoi(path[1]); err == nil && i >= shift {
				at, place = d.base, []string{"unverified", strconv.Itoa(i - shift)}
			}
		case !owned:
			at = d.base
		}
	}
	return &Mistake{File: at.name, Line: at.line(place), Field: dotted(place), Problem: problem}
}

func (d *document) ownUnverified() []any {
	own, _ := d.own.values["unverified"].([]any) // of another type: the schema says so
	return own
}

func (d *document) checkSchema() error {
	schema, err := compileSchema()
	if err != nil {
		return err
	}
	data, err := json.Marshal(d.values())
	if err != nil {
		return fmt.Errorf("%s: %w", d.own.name, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", d.own.name, err)
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(value); errors.As(err, &invalid) {
		return d.schemaMistakes(invalid)
	} else if err != nil {
		return fmt.Errorf("%s: %w", d.own.name, err)
	}
	return nil
}

// compileSchema is the schema, read once.
var compileSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", value); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		return nil, fmt.Errorf("compiling the schema: %w", err)
	}
	return schema, nil
})

// decode reads the checked text. What the shared flow says is decoded from there.
func (d *document) decode() (*Utility, error) {
	u := &Utility{File: d.own.name, lines: map[string]int{}}
	for field := range d.own.values {
		u.lines[field] = d.own.line([]string{field})
	}
	for _, s := range []*yamlText{d.base, d.own} {
		if s == nil {
			continue
		}
		unverified := u.Unverified
		if err := yaml.Unmarshal(s.data, u); err != nil {
			return nil, syntaxMistake(s.name, err)
		}
		if s == d.own && d.base != nil {
			u.Unverified = append(d.ownPaths(), unverified...)
		}
	}
	u.ID = strings.ToUpper(u.ID)
	if u.WindowLifetime == 0 {
		u.WindowLifetime = 10 * time.Minute
	}
	return u, nil
}

func (d *document) ownPaths() []string {
	var paths []string
	for _, path := range d.ownUnverified() {
		paths = append(paths, fmt.Sprint(path))
	}
	return paths
}
