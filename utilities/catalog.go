package utilities

import "errors"

// Catalog is the set of known utilities.
type Catalog struct{ byID map[string]*Utility }

var errNotBuilt = errors.New("not built yet")

// Load reads the embedded utility files and then those in dir, which add to them or replace them by id. An empty dir means none.
func Load(dir string) (*Catalog, error) { return nil, errNotBuilt }

// ParseFile reads and checks one utility file. A mistake names file, line and field.
func ParseFile(name string, data []byte) (*Utility, error) { return nil, errNotBuilt }

// Schema returns the JSON Schema (2020-12) of a utility file.
func Schema() []byte { return nil }

// All returns the utilities by id.
func (c *Catalog) All() []*Utility { return nil }

// Find returns the utility with this id or alias, whatever the case. The error of an unknown one lists what comes near.
func (c *Catalog) Find(idOrAlias string) (*Utility, error) { return nil, errNotBuilt }

// Origins maps real origins to those that replace them, for example https://www.coned.com to http://coned.localhost:4000.
type Origins map[string]string

// LoadOrigins reads a YAML map of origins. An empty file name means none. Where origins are given, an address whose origin is not
// replaced is refused, so that nothing reaches a real site while practising.
func LoadOrigins(file string) (Origins, error) { return nil, errNotBuilt }

// Flow is how to get from the login page to the meters.
type Flow struct{}
