package utilities

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// reading checks the steps that read the meters: each does one thing, and speaks only of what was found before it.
func (c *checker) reading() {
	for i := range c.flow.Meters.Read {
		step := &c.flow.Meters.Read[i]
		at := []string{"flow", "meters", "read", strconv.Itoa(i)}
		if n := step.verbs(); n != 1 {
			c.wrong("says exactly one of open, press, pick, rows, fetch, each", at...)
		}
		c.readingTargets(step, at)
		c.readingTexts(step, at)
		c.columns(step, at)
		c.markList(step.None, append(at, "none")...)
		if step.As != "" {
			c.names[step.As] = true
		}
	}
	for _, field := range slices.Sorted(maps.Keys(c.flow.Meters.Fields)) {
		for _, text := range c.flow.Meters.Fields[field] {
			c.template(text, "flow", "meters", "fields", field)
		}
	}
}

func (r *Reading) verbs() int {
	n := 0
	for _, said := range []bool{r.Open != "", len(r.Press) > 0, r.Pick != nil, len(r.Rows) > 0, r.Fetch != "", r.Each != ""} {
		if said {
			n++
		}
	}
	return n
}

func (c *checker) readingTargets(r *Reading, at []string) {
	c.target(r.Press, append(at, "press")...)
	c.target(r.Rows, append(at, "rows")...)
	c.target(r.Next, append(at, "next")...)
	c.target(r.After, append(at, "after")...)
	if len(r.After) > 0 && !r.Optional {
		c.wrong("is for optional steps", append(at, "after")...)
	}
	if r.Pick != nil {
		c.target(r.Pick.List, append(at, "pick", "list")...)
		c.target(r.Pick.Options, append(at, "pick", "options")...)
		c.target(r.Pick.Submit, append(at, "pick", "submit")...)
	}
}

func (c *checker) readingTexts(r *Reading, at []string) {
	if r.Open != "" {
		c.address(Placeholder.ReplaceAllString(r.Open, "x"), append(at, "open")...)
		c.template(r.Open, append(at, "open")...)
	}
	if r.Each != "" {
		c.template("{"+r.Each+"}", append(at, "each")...)
	}
	if r.BearerOf != "" {
		c.answer(r.BearerOf, append(at, "bearer_of")...)
	}
	if r.Fetch == "" {
		return
	}
	if !strings.HasPrefix(r.Fetch, "/") {
		c.address(Placeholder.ReplaceAllString(r.Fetch, "x"), append(at, "fetch")...)
	}
	c.template(r.Fetch, append(at, "fetch")...)
	c.template(r.Bearer, append(at, "bearer")...)
	if r.PageSize > 0 && !strings.Contains(r.Fetch, "{page}") && !strings.Contains(r.Fetch, "{offset}") {
		c.wrong("the address has neither {page} nor {offset} in it", append(at, "page_size")...)
	}
}

func (c *checker) columns(r *Reading, at []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Columns)) {
		column := r.Columns[name]
		if column.CSS != "" {
			c.target(Target{{CSS: column.CSS}}, append(at, "columns", name)...)
		}
		c.pattern(column.Match, append(at, "columns", name, "match")...)
	}
}

// template checks that a text with {name.path} in it speaks of things that were found.
func (c *checker) template(text string, path ...string) {
	for _, found := range Placeholder.FindAllStringSubmatch(text, -1) {
		name, _, _ := strings.Cut(found[1], ".")
		if name != "page" && name != "offset" && !c.names[name] {
			c.wrong(fmt.Sprintf("no step before this one is called %q (as: %s)", name, name), path...)
		}
	}
}
