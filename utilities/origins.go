package utilities

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
)

// ErrOriginNotReplaced refuses an address on a real site while practising.
var ErrOriginNotReplaced = errors.New("no replacing origin is given for this address, and practising never reaches a real site")

// Origins maps real origins to those that replace them, for example https://www.coned.com to http://coned.localhost:4000.
type Origins map[string]string

// LoadOrigins reads a YAML map of origins. An empty file name means none. Where origins are given, an address whose origin is not
// replaced is refused, so that nothing reaches a real site while practising.
func LoadOrigins(file string) (Origins, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading origins: %w", err)
	}
	var pairs map[string]string
	if err := yaml.Unmarshal(data, &pairs); err != nil {
		return nil, syntaxMistake(file, err)
	}
	origins := Origins{}
	for from, to := range pairs {
		if err := origins.add(from, to); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(origins) == 0 {
		return nil, fmt.Errorf("%s: holds no origins", file)
	}
	return origins, nil
}

// add takes one pair, which must work in both directions.
func (o Origins) add(from, to string) error {
	for _, text := range []string{from, to} {
		if originOf(text) != strings.TrimSuffix(text, "/") {
			return fmt.Errorf("%q is not an origin like https://www.example.com", text)
		}
	}
	for other, taken := range o {
		if taken == originOf(to) {
			return fmt.Errorf("%s replaces both %s and %s", taken, min(other, originOf(from)), max(other, originOf(from)))
		}
	}
	o[originOf(from)] = originOf(to)
	return nil
}

// originOf returns scheme and host of an address, or "" when it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// Replace returns where an address of the real site is to be found.
func (o Origins) Replace(address string) (string, error) {
	if len(o) == 0 {
		return address, nil
	}
	origin := originOf(address)
	to, ok := o[origin]
	if !ok {
		return "", fmt.Errorf("%s: %w", origin, ErrOriginNotReplaced)
	}
	return to + address[len(origin):], nil
}

// Real returns the address that a page's address stands for.
func (o Origins) Real(address string) string {
	origin := originOf(address)
	for from, to := range o {
		if to == origin && origin != "" {
			return from + address[len(origin):]
		}
	}
	return address
}
