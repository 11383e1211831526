package utilities

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Demo is the utility to try things with, by the name that UtilityAPI gives it. It exists on practice sites alone: requests for it
// are tests.
const Demo = "DEMO"

// Catalog is the set of known utilities.
type Catalog struct {
	all    []*Utility // by id
	byName map[string]*Utility
}

// Load reads the embedded utility files and then those in dir, which add to them or replace them by id. An empty dir means none.
// Mistakes come joined, each naming file, line and field.
func Load(dir string) (*Catalog, error) {
	byID := map[string]*Utility{}
	if err := loadFolder(embedded, "", byID); err != nil {
		return nil, err
	}
	if dir != "" {
		if err := loadFolder(os.DirFS(dir), dir, byID); err != nil {
			return nil, err
		}
	}
	return newCatalog(byID)
}

// loadFolder adds the utilities of one folder. Two files of one folder must not describe the same utility.
func loadFolder(folder fs.FS, dir string, byID map[string]*Utility) error {
	names, err := utilityFiles(folder)
	if err != nil {
		return fmt.Errorf("reading utility files in %s: %w", dir, err)
	}
	here := map[string]*Utility{}
	var mistakes []error
	for _, name := range names {
		u, err := loadFile(folder, dir, name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		if other := here[u.ID]; other != nil {
			mistakes = append(mistakes, u.mistake("id", fmt.Sprintf("%s is described in %s already", u.ID, other.File)))
		}
		here[u.ID], byID[u.ID] = u, u
	}
	return errors.Join(mistakes...)
}

func utilityFiles(folder fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func loadFile(folder fs.FS, dir, name string) (*Utility, error) {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("reading utility file %s: %w", name, err)
	}
	return parseFile(filepath.Join(dir, name), data, folder, embedded)
}

// mistake speaks of one of the utility's top-level fields.
func (u *Utility) mistake(field, problem string) error {
	return &Mistake{File: u.File, Line: u.lines[field], Field: field, Problem: problem}
}

// newCatalog checks that every id and alias means one utility.
func newCatalog(byID map[string]*Utility) (*Catalog, error) {
	c := &Catalog{byName: map[string]*Utility{}}
	for id, u := range byID {
		c.all = append(c.all, u)
		c.byName[fold(id)] = u
	}
	slices.SortFunc(c.all, func(a, b *Utility) int { return cmp.Compare(a.ID, b.ID) })
	var mistakes []error
	for _, u := range c.all {
		for _, alias := range append([]string{u.Name}, u.Aliases...) {
			if other := c.byName[fold(alias)]; other != nil && other != u {
				mistakes = append(mistakes, u.mistake("aliases", fmt.Sprintf("%q is a name of %s already", alias, other.ID)))
			}
			c.byName[fold(alias)] = u
		}
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return c, nil
}

// All returns the utilities by id.
func (c *Catalog) All() []*Utility { return slices.Clone(c.all) }

// Find returns the utility with this id, name or alias, whatever the case. The error of an unknown one lists what comes near.
func (c *Catalog) Find(idOrAlias string) (*Utility, error) {
	if u := c.byName[fold(idOrAlias)]; u != nil {
		return u, nil
	}
	near := c.near(fold(idOrAlias))
	if len(near) == 0 {
		return nil, fmt.Errorf("no utility is called %q; there are %s", idOrAlias, strings.Join(c.ids(), ", "))
	}
	return nil, fmt.Errorf("no utility is called %q; did you mean %s?", idOrAlias, strings.Join(near, " or "))
}

func (c *Catalog) ids() []string {
	ids := make([]string, len(c.all))
	for i, u := range c.all {
		ids[i] = u.ID
	}
	return ids
}

// near returns the ids one of whose names is within two slips of the name asked for, or holds it.
func (c *Catalog) near(name string) []string {
	var ids []string
	for known, u := range c.byName {
		close := levenshtein.ComputeDistance(name, known) <= 2 || len(name) >= 3 && strings.Contains(known, name)
		if close && !slices.Contains(ids, u.ID) {
			ids = append(ids, u.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// fold brings a name to the form in which names are compared.
func fold(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }
